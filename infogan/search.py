"""`python -m infogan.search data=<name>`: looks for λ and learning rates with Optuna. Started again, it continues."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import asked, start, training
from infogan.errors import RunError, ends_as_one_line

if TYPE_CHECKING:
    from optuna import Study


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="search")
def job(values: DictConfig) -> None:
    """Checks, then searches."""
    from infogan.config.check import check_section
    from infogan.config.training import SearchedConfig
    from infogan.experiments.search import search

    with ends_as_one_line(), asked(values):
        config = check_section(training(values), SearchedConfig)
        show(search(config), config.search.folder)


def show(study: "Study", folder: str) -> None:
    """The trials on the terminal, the best first. Raises RunError where none came to its end."""
    from infogan.experiments.search import OBJECTIVE, SEARCHED
    from infogan.terminal import Column, show_table

    columns = [Column("trial"), Column(study.user_attrs[OBJECTIVE], right=True)]
    columns += [*(Column(name, k, right=True) for k, name in enumerate(SEARCHED.values(), 2)), Column("state", 1)]
    rows = []
    done = [trial for trial in study.trials if trial.value is not None]
    done.sort(key=lambda trial: trial.value or 0, reverse=True)
    for trial in done + [trial for trial in study.trials if trial.value is None]:
        values = [f"{trial.params[name]:.3g}" if name in trial.params else "" for name in SEARCHED]
        value = "" if trial.value is None else f"{trial.value:.3f}"
        rows.append([f"{trial.number:03d}", value, *values, trial.state.name.lower()])
    show_table(f"trials in {folder}", columns, rows)
    if not done:
        raise RunError(f"search.folder={folder}: no trial came to its end; the log.txt of each says why")
    print(f"best: {folder}/best   numbers: {folder}/search.csv")


def main() -> None:
    start(job, trains=True)


if __name__ == "__main__":
    main()
