"""`python -m infogan.runs`: the runs that there are, the newest first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.run_folder.status import RunStatus

COLOURS = {"finished": "green", "running": "cyan", "stopped": "yellow", "collapsed": "magenta", "damaged": "red"}


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="runs")
def job(values: DictConfig) -> None:
    """Looks into every run folder, and shows what is there."""
    from pathlib import Path

    from infogan.config.check import check_section
    from infogan.config.opening import RunsConfig
    from infogan.run_folder.paths import all_runs
    from infogan.run_folder.status import read_status

    with ends_as_one_line():
        outputs = Path(check_section(plain(values), RunsConfig).paths.outputs)
        statuses = [read_status(folder) for folder in all_runs(outputs)]
        show(sorted(statuses, key=lambda status: status.asked_at, reverse=True), outputs)


def show(statuses: "Sequence[RunStatus]", outputs: "Path") -> None:
    """A line a run, then why some are damaged or have collapsed."""
    import time

    from rich.table import Table
    from rich.text import Text

    from infogan.run_folder.paths import REPORT
    from infogan.run_folder.status import lambda_text
    from infogan.terminal import age, console_of_width

    if not statuses:
        print(f"there is no run in {outputs}; paths.outputs names another folder")
        return
    columns = ("run", "data", "λ", "seed", "iterations", "state", "L_I of first code", "ACC", "age", "report")
    table = Table(*columns, title=f"runs in {outputs}")
    for status in statuses:
        config, report = status.config, status.folder / REPORT
        cells = [
            str(status.folder.relative_to(outputs)),
            "" if config is None else config.data.name,
            "" if config is None else lambda_text(config),
            "" if config is None else str(config.seed),
            status.progress,
            status.state,
            "" if status.information is None else f"{status.information:.3f}",
            "" if status.acc is None else f"{status.acc:.3f}",
            age(time.time() - status.asked_at),
            str(report) if report.is_file() else "",
        ]
        styles = {5: COLOURS[status.state]}
        table.add_row(*(Text(cell, styles.get(k, ""), overflow="fold") for k, cell in enumerate(cells)))
    console_of_width(200).print(table)
    for status in statuses:
        if status.state == "damaged":
            print(f"damaged: {status.reason}")
        if status.state == "collapsed":
            print(f"collapsed: {status.folder}: {status.reason}")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
