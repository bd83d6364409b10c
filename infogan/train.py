"""`python -m infogan.train`: trains a run, or resumes one (`run=<folder>`, `run=latest`)."""

from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from infogan.command import asked, start, training
from infogan.errors import Collapsed, Stopped, ends_as_one_line
from infogan.terminal import take_any_text

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.run_folder.summary import Summary


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="train")
def job(values: DictConfig) -> None:
    """One run. In a sweep an error is printed, and raised: Hydra starts the next job; a signal ends the sweep."""
    take_any_text()  # a launcher's worker never was in main
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        try:
            run(values, of_sweep=True)
        except Stopped:
            print(f"sweep stopped: the same command with hydra.sweep.dir={HydraConfig.get().sweep.dir} continues it")
            raise
        except Exception as error:  # whatever it is, Hydra prints the first at the very end
            this = HydraConfig.get().job
            end = "collapsed" if isinstance(error, Collapsed) else "failed"
            print(f"job {this.num} ({this.name}) {end}: {str(error) or type(error).__name__}")
            raise
    else:
        with ends_as_one_line():
            run(values, of_sweep=False)


def run(values: DictConfig, of_sweep: bool) -> None:
    """Makes or finds the run folder, trains, and shows what came of it. A sweep's job that is finished is skipped."""
    from infogan.experiments.fit import train
    from infogan.experiments.hydra_job import run_folder
    from infogan.experiments.prepare import is_finished

    with asked(values):
        folder = run_folder(training(values), of_sweep)
    if of_sweep and is_finished(folder):
        print(f"{folder}: finished before, nothing to do")
    else:
        show(train(folder), folder)


def show(summary: "Summary | None", folder: "Path") -> None:
    """The headline numbers and where to look, on the terminal."""
    from infogan.run_folder.paths import REPORT
    from infogan.scoring.against_labels import most_followed
    from infogan.terminal import Column, show_table

    if summary is None:
        return
    columns = [Column("code"), Column("L_I (nats)", 1, right=True), Column("H(c)", 4, right=True)]
    columns += [Column("L_I at σ² = MSE", 2, right=True), Column("follows most", 3)]
    rows = []
    for name, entropy in summary.entropy.items():
        bound, at_mse = summary.information[name], summary.information_at_mse.get(name)
        cells = ["not finite" if bound is None else f"{bound:.3f}", f"{entropy:.3f}"]
        cells.append("" if at_mse is None else f"{at_mse:.3f}")
        rows.append([name, *cells, most_followed(summary.factors, name)])
    show_table(f"{summary.iterations:,} iterations", columns, rows)
    if summary.clustering:
        scores = ", ".join(f"{score.upper()} {value:.3f}" for score, value in summary.clustering.items())
        print(f"categorical code as a classifier (test split): {scores}")
    print(f"figures: {folder}/figures   numbers: {folder}/summary.json, metrics.csv")
    if (report := folder / REPORT).is_file():
        print(f"report:  {report}")
    print(f"continue: python -m infogan.train run={folder} trainer.max_iterations={2 * summary.iterations}")


def main() -> None:
    start(job, trains=True)


if __name__ == "__main__":
    main()
