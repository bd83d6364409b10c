"""`python -m infogan.train`: trains a run, or goes on with one (`run=<folder>`, `run=latest`)."""

from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from infogan.command import plain, start, training
from infogan.errors import Collapsed, ConfigError, Stopped, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

CHANGEABLE = ("trainer.", "callbacks.", "paths.")
"""What may be given beside `run=`: all else is what the run is."""


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="train")
def job(values: DictConfig) -> None:
    """One run. In a sweep an error is told at once, and raised so that Hydra goes on with the next job; a signal ends
    the sweep."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        try:
            run(values, of_sweep=True)
        except Stopped:
            print(f"sweep stopped: the same command with hydra.sweep.dir={HydraConfig.get().sweep.dir} goes on with it")
            raise
        except Exception as error:  # whatever it is, Hydra tells the first at the very end
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
    from infogan.experiments.prepare import is_finished

    folder = run_folder(values, of_sweep)
    if of_sweep and is_finished(folder):
        print(f"{folder}: finished before, nothing to do")
    else:
        show(train(folder), folder)


def run_folder(values: DictConfig, of_sweep: bool) -> "Path":
    """Where this run lives, made or found."""
    import os
    from pathlib import Path

    from infogan.config.check import check
    from infogan.experiments.prepare import create, find_or_create, reopen
    from infogan.run_folder.paths import find_run, safe_name, timestamp
    from infogan.run_folder.ranks import RUN_FOLDER_OF_RANKS

    if handed_down := os.environ.get(RUN_FOLDER_OF_RANKS):
        return Path(handed_down)
    hydra_config, config = HydraConfig.get(), check(training(values))
    if of_sweep and config.trainer.devices > 1:
        raise ConfigError("trainer.devices: each job of a sweep runs on one device")
    outputs = Path(config.paths.outputs)
    if config.run is not None:
        folder = find_run(config.run, outputs)
        return reopen(folder, changes_beside_run(hydra_config.overrides.task))
    if not of_sweep:
        return create(config, outputs, f"{timestamp()}_{config.data.name}")
    name = safe_name(hydra_config.job.name) or config.data.name
    return find_or_create(config, Path(hydra_config.sweep.dir), name)


def changes_beside_run(overrides: list[str]) -> dict[str, Any]:
    """The overrides beside `run=` as nested values. Raises ConfigError for those that would make it another run."""
    others = [override for override in overrides if not override.startswith("run=")]
    for override in others:
        if not override.startswith(CHANGEABLE):
            raise ConfigError(
                f"{override}: a run that goes on keeps this; beside run= only {', '.join(CHANGEABLE)} can be given"
            )
    return plain(OmegaConf.from_dotlist(others))


def show(summary: dict[str, Any], folder: "Path") -> None:
    """The headline numbers and where to look, on the terminal."""
    from rich.console import Console
    from rich.table import Table

    from infogan.run_folder.paths import REPORT
    from infogan.scoring.against_labels import most_followed

    if not summary:
        return
    table = Table(
        "code", "L_I (nats)", "H(c)", "L_I at σ² = MSE", "follows most", title=f"{summary['iterations']:,} iterations"
    )
    for name, entropy in summary["entropy"].items():
        at_mse = summary["information_at_mse"].get(name)
        bound = summary["information"][name]
        table.add_row(
            name,
            "not finite" if bound is None else f"{bound:.3f}",
            f"{entropy:.3f}",
            "" if at_mse is None else f"{at_mse:.3f}",
            most_followed(summary["factors"], name),
        )
    console = Console()
    console.print(table)
    if summary["acc"] is not None:
        console.print(
            f"categorical code as a classifier (test split): ACC {summary['acc']:.3f}, NMI {summary['nmi']:.3f}, "
            f"ARI {summary['ari']:.3f}",
            highlight=False,
        )
    print(f"figures: {folder}/figures   numbers: {folder}/summary.json, metrics.csv")
    if (report := folder / REPORT).is_file():
        print(f"report:  {report}")
    print(f"go on:   python -m infogan.train run={folder} trainer.max_iterations={2 * summary['iterations']}")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
