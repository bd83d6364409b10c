"""`python -m infogan.compare`: which run of a sweep to trust."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import DataError, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from infogan.comparison import Run
    from infogan.config import CompareConfig

SHOWN = 8
"""Columns of scores on the terminal; comparison.csv has all."""


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="compare")
def job(values: DictConfig) -> None:
    """Opens the runs, ranks them, and leaves the ranking with its pictures."""
    from infogan.config import CompareConfig, check_section

    with ends_as_one_line():
        compare(check_section(plain(values), CompareConfig))


def compare(config: "CompareConfig") -> None:
    """All of it; see the command's help."""
    from infogan import comparison
    from infogan.storage import save_picture, set_link, write_json
    from infogan.trained import device_of

    folders, place = runs_and_place(config)
    print(f"comparing {len(folders)} runs")
    runs = comparison.open_runs(folders, device_of(config.accelerator), print)
    add_own_scores(runs, config)
    agreement = None
    if len(runs) > 1:
        print(f"ModelCentrality: each of {len(runs)} encoders on the images of each generator")
        agreement = comparison.agreement_matrix(runs, config.seed, print)
        comparison.add_centrality(runs, agreement)
    order, by = comparison.ranked(runs)
    found = comparison.correlations(runs) if len(runs) > 2 else {}
    record = {
        "ranked_by": by,
        "ranking": [
            {"run": run.name, "seed": run.seed, "settings": dict(run.settings), "scores": run.scores} for run in order
        ],
        "correlations": {a: {b: None if v != v else v for b, v in row.items()} for a, row in found.items()},
        "spread": comparison.spread(runs),
        "agreement": None if agreement is None else agreement.tolist(),
        "seed": config.seed,
    }
    write_json(place / "comparison.json", record)
    write_csv(place / "comparison.csv", order)
    for name, picture in pictures(runs, order, agreement, place.name).items():
        save_picture(place / "figures" / f"{name}.png", picture)
    show(order, by, found)
    if config.sweep is not None:
        set_link(place / "best", order[0].trained.folder)
        print(f"best: {place}/best -> {order[0].name}")
    print(f"numbers: {place}/comparison.json, comparison.csv   pictures: {place}/figures")


def runs_and_place(config: "CompareConfig") -> "tuple[list[Path], Path]":
    """The run folders, and where what comes of them is put."""
    from pathlib import Path

    from infogan.storage import find_run, runs_of, timestamp

    outputs = Path(config.paths.outputs)
    if config.runs is not None:
        return [find_run(run, outputs) for run in config.runs], outputs / "comparisons" / timestamp()
    assert config.sweep is not None
    sweep = Path(config.sweep).expanduser()
    return runs_of(sweep), sweep.resolve()


def add_own_scores(runs: "Sequence[Run]", config: "CompareConfig") -> None:
    """The score that a run gives itself, for those that were not evaluated yet. Says so where the data is missing."""
    from infogan.evaluate import data_of
    from infogan.evaluation import label_free, read

    missing = [run for run in runs if "label_free/score" not in run.scores]
    if not missing:
        return
    try:
        data = data_of(runs[0].trained.config, config.paths)
    except DataError as error:
        print(f"no label_free/score for runs that were not evaluated: {error}")
        return
    for run in missing:
        real = read(run.trained, data, "test", 10_000, config.seed)
        run.scores["label_free/score"] = label_free(run.trained, real, 10_000, config.seed)["score"]


def write_csv(path: "Path", order: "Sequence[Run]") -> None:
    """A line a run, best first: its settings and all its scores."""
    import csv
    import io

    from infogan.storage import write_atomically

    settings = list(dict.fromkeys(key for run in order for key in run.settings))
    scores = list(dict.fromkeys(key for run in order for key in run.scores))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", "run", "seed", *settings, *scores])
    for rank, run in enumerate(order, 1):
        values = [*(run.settings[key] for key in settings), *(run.scores.get(key, "") for key in scores)]
        writer.writerow([rank, run.name, run.seed, *values])
    write_atomically(path, lambda staged: staged.write_text(text.getvalue()))


def pictures(runs: "Sequence[Run]", order: "Sequence[Run]", agreement: Any, title: str) -> "dict[str, Image]":
    """scores (each against what was swept), figure1 (information while training), agreement (of encoders)."""
    import numpy as np

    from infogan.figures.sweeps import figure_one, scores_against
    from infogan.figures.tables import number_table
    from infogan.records import read_metrics

    setting = next(iter(numeric_settings(runs)), None)
    values = [run.seed if setting is None else run.settings[setting] for run in runs]
    names = [name for name in order[0].scores if all(name in run.scores for run in runs)]
    scores = {name: [run.scores[name] for run in runs] for name in names}
    best = runs.index(order[0])
    label = "seed" if setting is None else setting.removeprefix("model.").replace("lambda", "λ")
    found = {"scores": scores_against(label, values, scores, best, f"{title}: {len(runs)} runs")}
    code = next(iter(runs[0].trained.latents.codes))
    curves: dict[str, list[Any]] = {}
    for run in runs:
        rows = read_metrics(run.trained.folder / "metrics.csv")
        points = [(r["iteration"], r[f"information/{code.name}"]) for r in rows if f"information/{code.name}" in r]
        if points:
            curves.setdefault(label_of(run, with_seed=len(runs) < 8), []).append(points)
    if curves:
        found["figure1"] = figure_one(curves, code.entropy, f"{title}: information of {code.name}, train mode")
    if agreement is not None:
        names = [label_of(run) for run in runs]
        found["agreement"] = number_table(
            np.asarray(agreement),
            names,
            names,
            "FactorVAE's score of encoders on generators",
            "encoder",
            "generator",
            largest=1,
        )
    return found


def numeric_settings(runs: "Sequence[Run]") -> list[str]:
    """What differs between the runs, is a number in all of them, and takes least values: λ before all else."""
    keys = [
        key
        for key in runs[0].settings
        if all(isinstance(run.settings[key], int | float) and not isinstance(run.settings[key], bool) for run in runs)
    ]
    return sorted(keys, key=lambda key: ("lambda" not in key, key))


def label_of(run: "Run", with_seed: bool = True) -> str:
    """A run in a few characters: what was swept, and the seed. Its name where that would be long."""
    shown = {key.rsplit(".", 1)[-1].replace("lambda", "λ"): value for key, value in run.settings.items()}
    if len(shown) > 2:
        return run.name
    words = [f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in shown.items()]
    return " ".join([*words, f"seed={run.seed}"] if with_seed or not words else words)


def show(order: "Sequence[Run]", by: str, correlations: Mapping[str, Mapping[str, float]]) -> None:
    """The ranking, the chosen run against the best and the median of each supervised score, and the correlations."""
    import statistics

    from rich.console import Console
    from rich.table import Table

    from infogan.comparison import LABEL_FREE

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    shared = [name for name in order[0].scores if all(name in run.scores for run in order)]
    supervised = [name for name in shared if not name.startswith(LABEL_FREE)]
    free = [name for name in shared if name not in supervised]
    first = [by, *(name for name in ("label_free/score", *supervised, *free) if name in shared and name != by)][:SHOWN]
    table = Table("rank", "run", *first, title=f"ranked by {by.replace('_', ' ')}, without labels")
    for rank, run in enumerate(order, 1):
        table.add_row(str(rank), label_of(run), *(f"{run.scores[name]:.3f}" for name in first))
    console.print(table)
    if len(order) < 3 or not supervised:
        return
    table = Table("score", "chosen", "place", "highest", "median", "lowest", title="the chosen run, with labels")
    for name in supervised:
        values = sorted((run.scores[name] for run in order), reverse=True)
        chosen = order[0].scores[name]
        numbers = (values[0], statistics.median(values), values[-1])
        place = f"{values.index(chosen) + 1} of {len(values)}"
        table.add_row(name, f"{chosen:.3f}", place, *(f"{number:.3f}" for number in numbers))
    console.print(table)
    shown = [name for name in supervised if any(name in row for row in correlations.values())][: SHOWN + 2]
    table = Table("without labels", *shown, title="Spearman's correlation over the runs")
    for name, row in correlations.items():
        table.add_row(name, *("" if row[other] != row[other] else f"{row[other]:+.2f}" for other in shown))
    console.print(table)


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
