"""evaluation.json, evaluation.csv and the pictures of an evaluation: written, and read again."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan.errors import RunError
from infogan.run_folder.contents import EVALUATION, read_object
from infogan.run_folder.files import save_picture, write_atomically, write_json
from infogan.run_folder.provenance import provenance

if TYPE_CHECKING:
    from infogan.config.opening import EvaluateConfig
    from infogan.scoring.one_run import Evaluation
    from infogan.trained.model import Trained


def write_evaluation(found: "Evaluation", trained: "Trained", config: "EvaluateConfig") -> None:
    """evaluation.json, evaluation.csv and figures/evaluation/ in the run folder."""
    run = trained.folder
    rows = flat(found.values)
    lines = ["score,value,low,high"]
    lines += [",".join([name, *("" if x is None else f"{x:.6g}" for x in row)]) for name, row in rows.items()]
    for name, picture in found.pictures.items():
        save_picture(run / "figures" / "evaluation" / f"{name}.png", picture)
    write_atomically(run / "evaluation.csv", lambda staged: staged.write_text("\n".join(lines) + "\n"))
    protocol = config.model_dump(include={"seed", "metrics"})
    record = {"iterations": trained.iteration, **found.values, "seconds": found.seconds, "protocol": protocol}
    write_json(run / EVALUATION, record | {"provenance": provenance()})


def read_evaluation(folder: Path) -> dict[str, Any]:
    """evaluation.json, empty before the run was evaluated. Raises RunError where it is damaged."""
    evaluation = read_object(folder / EVALUATION)
    numbers = [number for row in flat(evaluation).values() for number in row]
    if not all(number is None or isinstance(number, int | float) for number in numbers):
        raise RunError("The numbers of evaluation.json are not as this version writes them.")
    return evaluation


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[float, float | None, float | None]]:
    """Every number of an evaluation by its path, as (value, low, high); lists and texts are left out."""
    rows: dict[str, tuple[float, float | None, float | None]] = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            if "mean" in value:
                rows[path] = (value["mean"], value.get("low"), value.get("high"))
            else:
                rows |= flat(value, f"{path}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rows[path] = (value, None, None)
    return rows
