"""`python -m infogan.report`: what is known of a run, or of a sweep, on one page."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import ReportConfig


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="report")
def job(values: DictConfig) -> None:
    """Writes the page, and says where it is."""
    from infogan.config.check import check_section
    from infogan.config.opening import ReportConfig

    with ends_as_one_line():
        print(f"report: {report(check_section(plain(values), ReportConfig))}")


def report(config: "ReportConfig") -> "Path":
    """Makes the report that is asked for, and returns its path."""
    from pathlib import Path

    from infogan.experiments.build import build_data
    from infogan.pages.run import write_run_report
    from infogan.pages.sweep import write_sweep_report
    from infogan.run_folder.configuration import read_config
    from infogan.run_folder.paths import find_run, runs_of
    from infogan.run_folder.status import read_status

    if config.run is not None:
        folder = find_run(config.run, Path(config.paths.outputs))
        return write_run_report(folder, build_data(read_config(folder)).licence)
    assert config.sweep is not None
    sweep = Path(config.sweep).expanduser().absolute()
    statuses = [read_status(folder) for folder in runs_of(sweep)]
    configs = {status.config.data.name: status.config for status in statuses if status.config is not None}
    return write_sweep_report(sweep, statuses, {name: build_data(config).licence for name, config in configs.items()})


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
