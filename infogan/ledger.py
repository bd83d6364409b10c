"""`python -m infogan.ledger`: notes finished runs in a file that is kept, a line each."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import RunError, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import LedgerConfig


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="ledger")
def job(values: DictConfig) -> None:
    """Reads the runs, and adds those that are new."""
    from infogan.config.check import check_section
    from infogan.config.opening import LedgerConfig

    with ends_as_one_line():
        ledger(check_section(plain(values), LedgerConfig))


def ledger(config: "LedgerConfig") -> None:
    """All of it; see the command's help."""
    from pathlib import Path

    from infogan.run_folder.ledger import add_lines, line_of

    lines = []
    for folder in chosen(config):
        try:
            lines.append(line_of(folder))
        except RunError as error:
            print(f"left out: {error}")
    if not lines:
        raise RunError("there is no finished run to note")
    path = Path(config.to).expanduser()
    added = add_lines(path, lines)
    print(f"{path}: {added} of {len(lines)} runs added, {len(lines) - added} were there")


def chosen(config: "LedgerConfig") -> "list[Path]":
    """The run folders that are asked for. Raises RunError where there is none."""
    from pathlib import Path

    from infogan.run_folder.paths import find_run, runs_of

    if config.sweep is not None:
        return runs_of(Path(config.sweep).expanduser().absolute())
    assert config.run is not None
    asked = [config.run] if isinstance(config.run, str) else config.run
    return [find_run(run, Path(config.paths.outputs)) for run in asked]


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
