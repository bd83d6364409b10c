"""`python -m infogan.search data=<name>`: looks for λ and learning rates with Optuna. Started again, it continues."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import start, training
from infogan.errors import RunError, ends_as_one_line

if TYPE_CHECKING:
    from optuna import Study


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="search")
def job(values: DictConfig) -> None:
    """Checks, then searches."""
    from infogan.config.check import check_section
    from infogan.config.training import SearchedConfig
    from infogan.experiments.search import search

    with ends_as_one_line():
        config = check_section(training(values), SearchedConfig)
        show(search(config), config.search.folder)


def show(study: "Study", folder: str) -> None:
    """The trials on the terminal, the best first. Raises RunError where none came to its end."""
    from rich.console import Console
    from rich.table import Table

    from infogan.experiments.search import OBJECTIVE, SEARCHED

    table = Table("trial", *SEARCHED.values(), study.user_attrs[OBJECTIVE], "state")
    done = [trial for trial in study.trials if trial.value is not None]
    done.sort(key=lambda trial: trial.value or 0, reverse=True)
    for trial in done + [trial for trial in study.trials if trial.value is None]:
        values = [f"{trial.params[name]:.3g}" if name in trial.params else "" for name in SEARCHED]
        value = "" if trial.value is None else f"{trial.value:.3f}"
        table.add_row(f"{trial.number:03d}", *values, value, trial.state.name.lower())
    Console().print(table)
    if not done:
        raise RunError(f"search.folder={folder}: no trial came to its end; the log.txt of each says why")
    print(f"best: {folder}/best   numbers: {folder}/search.csv")


def main() -> None:
    start(job, trains=True)


if __name__ == "__main__":
    main()
