"""`python -m infogan.train`: trains a run, or resumes one (`run=<folder>`, `run=latest`)."""

from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from infogan.command import start, training
from infogan.errors import Collapsed, Stopped, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="train")
def job(values: DictConfig) -> None:
    """One run. In a sweep an error is printed at once, and raised so that Hydra starts the next job; a signal ends the
    sweep."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        try:
            run(values, of_sweep=True)
        except Stopped:
            print(f"sweep stopped: the same command with hydra.sweep.dir={HydraConfig.get().sweep.dir} goes on with it")
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

    folder = run_folder(training(values), of_sweep)
    if of_sweep and is_finished(folder):
        print(f"{folder}: finished before, nothing to do")
    else:
        show(train(folder), folder)


def show(summary: dict[str, Any], folder: "Path") -> None:
    """The headline numbers and where to look, on the terminal."""
    from rich.console import Console
    from rich.table import Table

    from infogan.run_folder.paths import REPORT
    from infogan.scoring.against_labels import most_followed

    if not summary:
        return
    title = f"{summary['iterations']:,} iterations"
    table = Table("code", "L_I (nats)", "H(c)", "L_I at σ² = MSE", "follows most", title=title)
    for name, entropy in summary["entropy"].items():
        bound, at_mse = summary["information"][name], summary["information_at_mse"].get(name)
        cells = ["not finite" if bound is None else f"{bound:.3f}", f"{entropy:.3f}"]
        cells.append("" if at_mse is None else f"{at_mse:.3f}")
        table.add_row(name, *cells, most_followed(summary["factors"], name))
    console = Console()
    console.print(table)
    if summary["acc"] is not None:
        scores = ", ".join(f"{score.upper()} {summary[score]:.3f}" for score in ("acc", "nmi", "ari"))
        console.print(f"categorical code as a classifier (test split): {scores}", highlight=False)
    print(f"figures: {folder}/figures   numbers: {folder}/summary.json, metrics.csv")
    if (report := folder / REPORT).is_file():
        print(f"report:  {report}")
    print(f"go on:   python -m infogan.train run={folder} trainer.max_iterations={2 * summary['iterations']}")


def main() -> None:
    start(job, trains=True)


if __name__ == "__main__":
    main()
