"""`python -m infogan.runs`: the runs that there are, the newest first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.run_folder.overview import Listed

COLOURS = {"finished": "green", "running": "cyan", "stopped": "yellow", "collapsed": "magenta", "damaged": "red"}


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="runs")
def job(values: DictConfig) -> None:
    """Looks into every run folder."""
    from pathlib import Path

    from infogan.config.check import check_section
    from infogan.config.opening import RunsConfig
    from infogan.run_folder.overview import listed
    from infogan.run_folder.paths import all_runs
    from infogan.run_folder.status import read_status
    from infogan.terminal import print_records

    with ends_as_one_line():
        config = check_section(plain(values), RunsConfig)
        outputs = Path(config.paths.outputs)
        runs = listed([read_status(folder) for folder in all_runs(outputs)], outputs)
        if config.format != "table":
            print_records([run.record() for run in runs], config.format)
        elif runs:
            show(runs, outputs)
        else:
            print(f"there is no run in {outputs}; paths.outputs names another folder")


def show(runs: "Sequence[Listed]", outputs: "Path") -> None:
    """A line a run, then which is the newest, and why some are damaged or have collapsed."""
    import time

    from rich.text import Text

    from infogan.run_folder.paths import find_run
    from infogan.run_folder.status import lambda_text
    from infogan.terminal import Column, age, show_table

    columns = [Column("λ", right=True), Column("swept"), Column("seed", 1, right=True), Column("state")]
    columns += [Column("ACC", 2, right=True), Column("L_I of c1", 3, right=True), Column("iterations", 4, right=True)]
    columns += [Column("data", 5), Column("age", 6, right=True), Column("report", 7), Column("run")]
    rows = []
    for status, config, run in ((run.status, run.status.config, run) for run in runs):
        row: list[str | Text] = [
            "" if config is None else lambda_text(config),
            run.swept,
            "" if config is None else str(config.seed),
            Text(status.state, COLOURS[status.state]),
            "" if status.acc is None else f"{status.acc:.3f}",
            "" if status.information is None else f"{status.information:.3f}",
            status.progress,
            "" if config is None else config.data.name,
            age(time.time() - status.asked_at),
            "yes" if run.report else "",
            str(status.folder.relative_to(outputs)),
        ]
        rows.append(row)
    show_table(f"runs in {outputs}", columns, rows)
    if any(run.status.config for run in runs):
        print(f"run=latest takes {find_run('latest', outputs)}")
    for remark in (run.remark for run in runs if run.remark):
        print(remark)


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
