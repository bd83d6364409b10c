"""`python -m infogan.evaluate`: all scores of a run."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start
from infogan.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import EvaluateConfig
    from infogan.run_folder.evaluation import Evaluation
    from infogan.scoring.one_run import Scored
    from infogan.trained.model import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="evaluate")
def job(values: DictConfig) -> None:
    """Opens the run, scores it, and leaves the scores where they are looked for."""
    from pathlib import Path

    from infogan.config.opening import EvaluateConfig
    from infogan.experiments.build import build_data
    from infogan.pages.run import write_run_report
    from infogan.run_folder.paths import open_run
    from infogan.scoring.evaluation_files import write_evaluation
    from infogan.tracking.wandb_run import add_evaluation
    from infogan.trained.model import device_of, load_whole

    with opened(values, EvaluateConfig) as config:
        run = open_run(config.run, Path(config.paths.outputs), print)
        trained = load_whole(run, device_of(config.accelerator), print)
        found = score(trained, config)
        evaluation = write_evaluation(found, trained, config)
        show(evaluation, trained.folder)
        report = write_run_report(trained.folder, build_data(trained.config).licence)
        add_evaluation(run, trained.config, trained.iteration, evaluation, found.pictures, report)
        print(f"report: {report}")


def score(trained: "Trained", config: "EvaluateConfig") -> "Scored":
    """The scores of a run. Says which part it is at."""
    from infogan.experiments.build import data_of
    from infogan.scoring.one_run import evaluate

    print(f"scoring {trained.folder}, {trained.iteration:,} iterations")
    try:
        data, why = data_of(trained.config, config.paths), ""
    except DataError as error:
        data, why = None, str(error)
        print(f"without the data set: {why}")
    return evaluate(trained, data, why, config.metrics, config.seed, lambda part: print(f"  {part.replace('_', ' ')}"))


def show(found: "Evaluation", run: "Path") -> None:
    """The scores on the terminal, and why those that are missing are missing."""
    from infogan.run_folder.evaluation import EVALUATION
    from infogan.terminal import Column, show_table

    rows = []
    for name, (value, low, high) in found.headlines.items():
        interval = "" if low is None or high is None else f"{low:.4g} … {high:.4g}"
        rows.append([name, f"{value:.4g}", interval])
    show_table(run.name, [Column("score"), Column("value", right=True), Column("interval", 1)], rows)
    for name, part in found.parts.items():
        if isinstance(part, str):
            print(f"no {name.replace('_', ' ')}: {part}")
        elif "no_extractor" in part:
            print(f"no {name.replace('_', ' ')} by features: {part['no_extractor']}")
    print(f"scores: {run}/{EVALUATION}, evaluation.csv   pictures: {run}/figures/evaluation")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
