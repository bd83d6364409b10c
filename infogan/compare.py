"""`python -m infogan.compare`: which run of a sweep to trust."""

from typing import TYPE_CHECKING, TextIO

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start
from infogan.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import CompareConfig


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="compare")
def job(values: DictConfig) -> None:
    """Opens the runs, ranks them, and leaves the ranking with its pictures."""
    from infogan.config.opening import CompareConfig
    from infogan.terminal import aside

    with opened(values, CompareConfig) as config, aside(config.format) as output:
        compare(config, output)


def compare(config: "CompareConfig", output: "TextIO") -> None:
    """All of it; see the command's help. What is meant for another program goes to `output`."""
    from infogan.experiments.build import build_data, data_of
    from infogan.pages.sweep import write_sweep_report
    from infogan.run_folder.paths import set_link
    from infogan.run_folder.status import read_status
    from infogan.scoring.agreement import add_label_free
    from infogan.scoring.comparison_files import as_csv, as_json, write_comparison
    from infogan.scoring.comparison_tables import show_comparison
    from infogan.scoring.many_runs import open_runs
    from infogan.scoring.ranking import compare_runs
    from infogan.trained.model import device_of

    folders, place = runs_and_place(config)
    print(f"comparing {len(folders)} runs")
    runs = open_runs(folders, device_of(config.accelerator), print)
    first = runs[0].trained.config
    try:
        add_label_free(runs, data_of(first, config.paths), config.seed, print)
    except DataError as error:
        print(f"without what needs the data set: {error}")
    comparison = compare_runs(runs, config.seed, print)
    write_comparison(place, comparison, config.seed, first.data.name if config.sweep is None else place.name)
    if config.format == "table":
        show_comparison(comparison)
    else:
        output.write(as_csv(comparison.ranking) if config.format == "csv" else as_json(comparison, config.seed))
    if config.sweep is not None and comparison.criterion is not None:
        best = comparison.ranking[0]
        set_link(place / "best", best.trained.folder)
        print(f"best: {place}/best -> {best.name}")
    print(f"numbers: {place}/comparison.json, comparison.csv   pictures: {place}/figures")
    if config.sweep is not None:
        licences = {str(first.data.name): build_data(first).licence}
        print(f"report: {write_sweep_report(place, [read_status(folder) for folder in folders], licences)}")


def runs_and_place(config: "CompareConfig") -> "tuple[list[Path], Path]":
    """The run folders, and where what comes of them is put."""
    from pathlib import Path

    from infogan.run_folder.paths import open_run, runs_of, timestamp

    outputs = Path(config.paths.outputs)
    if config.runs is not None:
        return [open_run(run, outputs, print) for run in config.runs], outputs / "comparisons" / timestamp()
    assert config.sweep is not None
    sweep = Path(config.sweep).expanduser()
    return runs_of(sweep), sweep.resolve()


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
