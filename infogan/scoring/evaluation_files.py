"""What an evaluation leaves: evaluation.json, evaluation.csv, pictures, and the scores in the W&B run."""

from typing import TYPE_CHECKING

from infogan.run_folder.evaluation import Evaluation
from infogan.run_folder.files import save_picture, write_atomically
from infogan.run_folder.provenance import provenance

if TYPE_CHECKING:
    from infogan.config.opening import EvaluateConfig
    from infogan.scoring.one_run import Scored
    from infogan.trained.model import Trained


def write_evaluation(found: "Scored", trained: "Trained", config: "EvaluateConfig") -> Evaluation:
    """evaluation.json, evaluation.csv and figures/evaluation/ in the run folder."""
    run = trained.folder
    protocol = config.model_dump(include={"seed", "metrics"})
    evaluation = Evaluation(
        iterations=trained.iteration,
        **found.values,
        seconds=found.seconds,
        protocol=protocol,
        provenance=provenance(),
    )
    lines = ["score,value,low,high"]
    lines += [
        ",".join([name, *("" if x is None else f"{x:.6g}" for x in row)]) for name, row in evaluation.rows.items()
    ]
    for name, picture in found.pictures.items():
        save_picture(run / "figures" / "evaluation" / f"{name}.png", picture)
    text = "\n".join(lines) + "\n"
    write_atomically(run / "evaluation.csv", lambda staged: staged.write_text(text, encoding="utf-8"))
    evaluation.save(run)
    return evaluation
