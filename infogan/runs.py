"""`python -m infogan.runs`: the runs that there are, the newest first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.run_folder.status import Record

COLOURS = {"finished": "green", "running": "cyan", "stopped": "yellow", "collapsed": "magenta", "damaged": "red"}


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="runs")
def job(values: DictConfig) -> None:
    """Looks into every run folder, and shows what is there."""
    from pathlib import Path

    from infogan.config.check import check_section
    from infogan.config.opening import RunsConfig
    from infogan.run_folder.paths import all_runs
    from infogan.run_folder.status import read_record

    with ends_as_one_line():
        outputs = Path(check_section(plain(values), RunsConfig).paths.outputs)
        records = [read_record(folder) for folder in all_runs(outputs)]
        show(sorted(records, key=lambda record: record.asked_at, reverse=True), outputs)


def show(records: "Sequence[Record]", outputs: "Path") -> None:
    """A line a run, then why some are damaged or have collapsed."""
    import time

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from infogan.run_folder.paths import REPORT
    from infogan.run_folder.status import lambda_text

    if not records:
        print(f"there is no run in {outputs}; paths.outputs names another folder")
        return
    columns = ("run", "data", "λ", "seed", "iterations", "state", "L_I of first code", "ACC", "age", "report")
    table = Table(*columns, title=f"runs in {outputs}")
    for record in records:
        config, report = record.config, record.folder / REPORT
        cells = [
            str(record.folder.relative_to(outputs)),
            "" if config is None else config.data.name,
            "" if config is None else lambda_text(config),
            "" if config is None else str(config.seed),
            record.progress,
            record.state,
            "" if record.information is None else f"{record.information:.3f}",
            "" if record.acc is None else f"{record.acc:.3f}",
            age(time.time() - record.asked_at),
            str(report) if report.is_file() else "",
        ]
        styles = {5: COLOURS[record.state]}
        table.add_row(*(Text(cell, styles.get(k, ""), overflow="fold") for k, cell in enumerate(cells)))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
    for record in records:
        if record.state == "damaged":
            print(f"damaged: {record.reason}")
        if record.state == "collapsed":
            print(f"collapsed: {record.folder}: {record.reason}")


def age(seconds: float) -> str:
    """A time span in its largest unit: `40 s`, `3 min`, `5 h`, `12 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(int(seconds), 0)} s"


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
