"""`python -m infogan.compare`: which run of a sweep to trust."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import DataError, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from rich.console import Console

    from infogan.config.opening import CompareConfig
    from infogan.scoring.many_runs import Run

SHOWN = 8
"""Columns of scores on the terminal; comparison.csv has all."""


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="compare")
def job(values: DictConfig) -> None:
    """Opens the runs, ranks them, and leaves the ranking with its pictures."""
    from infogan.config.check import check_section
    from infogan.config.opening import CompareConfig

    with ends_as_one_line():
        compare(check_section(plain(values), CompareConfig))


def compare(config: "CompareConfig") -> None:
    """All of it; see the command's help."""
    from infogan.experiments.build import build_data, data_of
    from infogan.pages.sweep import write_sweep_report
    from infogan.run_folder.files import save_picture, write_json
    from infogan.run_folder.paths import set_link
    from infogan.run_folder.status import read_status
    from infogan.scoring import many_runs
    from infogan.trained.model import device_of

    folders, place = runs_and_place(config)
    print(f"comparing {len(folders)} runs")
    runs = many_runs.open_runs(folders, device_of(config.accelerator), print)
    try:
        many_runs.add_label_free(runs, data_of(runs[0].trained.config, config.paths), config.seed)
    except DataError as error:
        print(f"without what needs the data set: {error}")
    agreement = None
    if len(runs) > 1:
        print(f"ModelCentrality: each of {len(runs)} encoders on the images of each generator")
        agreement = many_runs.agreement_matrix(runs, config.seed, print)
        many_runs.add(runs, "centrality", agreement)
    order, by = many_runs.ranked(runs)
    found = many_runs.correlations(runs) if len(runs) > 2 else {}
    record = {
        "ranked_by": by,
        "choices": {name: run.name for name, run in many_runs.choices(runs).items()},
        "ranking": [
            {"run": run.name, "seed": run.seed, "settings": dict(run.settings), "scores": run.scores} for run in order
        ],
        "correlations": {a: {b: None if v != v else v for b, v in row.items()} for a, row in found.items()},
        "spread": many_runs.spread(runs),
        "agreement": None if agreement is None else agreement.tolist(),
        "seed": config.seed,
    }
    write_json(place / "comparison.json", record)
    write_csv(place / "comparison.csv", order)
    title = runs[0].trained.config.data.name if config.sweep is None else place.name
    for name, picture in pictures(runs, order, agreement, title).items():
        save_picture(place / "figures" / f"{name}.png", picture)
    show(order, by, found)
    if config.sweep is not None and by is not None:
        set_link(place / "best", order[0].trained.folder)
        print(f"best: {place}/best -> {order[0].name}")
    print(f"numbers: {place}/comparison.json, comparison.csv   pictures: {place}/figures")
    if config.sweep is not None:
        of = runs[0].trained.config
        licences = {str(of.data.name): build_data(of).licence}
        print(f"report: {write_sweep_report(place, [read_status(folder) for folder in folders], licences)}")


def runs_and_place(config: "CompareConfig") -> "tuple[list[Path], Path]":
    """The run folders, and where what comes of them is put."""
    from pathlib import Path

    from infogan.run_folder.paths import find_run, runs_of, timestamp

    outputs = Path(config.paths.outputs)
    if config.runs is not None:
        return [find_run(run, outputs) for run in config.runs], outputs / "comparisons" / timestamp()
    assert config.sweep is not None
    sweep = Path(config.sweep).expanduser()
    return runs_of(sweep), sweep.resolve()


def write_csv(path: "Path", order: "Sequence[Run]") -> None:
    """A line a run, best first: its settings and all its scores."""
    import csv
    import io

    from infogan.run_folder.files import write_atomically

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
    from infogan.run_folder.contents import read_metrics

    short = short_names(runs)
    setting = next((key for key in short if is_numeric(runs, key)), None)
    values = [str(run.seed) if setting is None else run.settings[setting] for run in runs]
    names = [name for name in order[0].scores if all(name in run.scores for run in runs)]
    scores = {name: [run.scores[name] for run in runs] for name in names}
    best = runs.index(order[0])
    label = "seed" if setting is None else short[setting]
    found = {"scores": scores_against(label, values, scores, best, f"{title}: {len(runs)} runs")}
    code = next(iter(runs[0].trained.latents.codes))
    curves: dict[str, list[Any]] = {}
    for run in runs:
        rows = read_metrics(run.trained.folder / "metrics.csv")
        points = [(r["iteration"], r[f"information/{code.name}"]) for r in rows if f"information/{code.name}" in r]
        if points:
            curves.setdefault(label_of(run, short, with_seed=len(runs) < 8), []).append(points)
    if curves:
        found["figure1"] = figure_one(curves, float(code.entropy), f"{title}: information of {code.name}, train mode")
    if agreement is not None:
        names = [label_of(run, short) for run in runs]
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


def short_names(runs: "Sequence[Run]") -> dict[str, str]:
    """What tells the runs apart, λ before all else: key → how it is written. Of what varies together, the first; `λ`
    where it is several λ of one value."""
    together: dict[tuple[int, ...], list[str]] = {}
    for key in sorted(runs[0].settings, key=lambda key: ("lambda" not in key, key)):
        values = [repr(run.settings[key]) for run in runs]
        together.setdefault(tuple(values.index(value) for value in values), []).append(key)
    names = {}
    for first, *others in together.values():
        same = [key for key in others if all(run.settings[key] == run.settings[first] for run in runs)]
        several = "lambda" in first and any("lambda" in key for key in same)
        names[first] = "λ" if several else first.rpartition(".")[2].replace("lambda", "λ")
    return names


def is_numeric(runs: "Sequence[Run]", key: str) -> bool:
    """Whether a setting is a number in all runs."""
    return all(isinstance(run.settings[key], int | float) and not isinstance(run.settings[key], bool) for run in runs)


def label_of(run: "Run", names: Mapping[str, str], with_seed: bool = True) -> str:
    """A run in a few characters: what tells it apart, and the seed. Its name where that would be long."""
    if with_seed and len(names) > 2:
        return run.name
    values = {short: run.settings[key] for key, short in names.items()}
    words = [f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()]
    return " ".join([*words, f"seed={run.seed}"] if with_seed else words) or "all runs"


def show(order: "Sequence[Run]", by: str | None, correlations: Mapping[str, Mapping[str, float]]) -> None:
    """The ranking, what each criterion's choice is worth with labels, and the correlations."""
    from rich.console import Console
    from rich.table import Table

    from infogan.scoring.many_runs import CRITERIA, LABEL_FREE, LOWER_IS_BETTER, choices

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    short = short_names(order)
    shared = [name for name in order[0].scores if all(name in run.scores for run in order)]
    supervised = [name for name in shared if not name.startswith(LABEL_FREE)]
    criteria = [name for name in CRITERIA if name in shared]
    others = [name for name in shared if name not in criteria and name not in supervised]
    first = [*criteria, *supervised, *others][:SHOWN]
    table = Table(
        "rank", "run", *map(header, first), title="not ranked" if by is None else f"ranked by {by}, without labels"
    )
    for rank, run in enumerate(order, 1):
        table.add_row(str(rank), label_of(run, short), *(f"{run.scores[name]:.3f}" for name in first))
    console.print(table)
    show_spread(console, order, first)
    if len(order) < 3 or not supervised:
        return
    shown = supervised[:SHOWN]
    table = Table(
        "chosen by",
        "run",
        *map(header, shown),
        title=f"what the choice is worth with labels (place among {len(order)})",
    )
    columns = {
        name: sorted((run.scores[name] for run in order), reverse=not any(part in name for part in LOWER_IS_BETTER))
        for name in shown
    }
    for criterion, run in choices(order).items():
        values = [(run.scores[name], columns[name].index(run.scores[name]) + 1) for name in shown]
        table.add_row(criterion, label_of(run, short), *(f"{value:.3f} ({place})" for value, place in values))
    table.add_section()
    for word, pick in (("highest", max), ("median", median), ("lowest", min)):
        table.add_row(word, "", *(f"{pick(columns[name]):.3f}" for name in shown))
    console.print(table)
    table = Table("without labels", *map(header, shown), title="Spearman's correlation over the runs")
    for name, row in correlations.items():
        table.add_row(
            name,
            *("" if row.get(other) is None or row[other] != row[other] else f"{row[other]:+.2f}" for other in shown),
        )
    console.print(table)


def header(score: str) -> str:
    """The name of a score where there is little room."""
    return score.removeprefix("image_quality/").removeprefix("disentanglement/")


def show_spread(console: "Console", order: "Sequence[Run]", shown: "Sequence[str]") -> None:
    """How far the seeds of each setting are apart, where a setting has several."""
    from rich.table import Table

    from infogan.scoring.many_runs import by_setting

    groups = by_setting(order)
    if all(len(group) == 1 for group in groups):
        return
    table = Table("setting", "seeds", *map(header, shown), title="median of the seeds (lowest … highest)")
    for group in groups:
        values = [sorted(run.scores[name] for run in group) for name in shown]
        cells = [f"{median(of):.3f} ({of[0]:.3f} … {of[-1]:.3f})" for of in values]
        table.add_row(label_of(group[0], short_names(order), with_seed=False), str(len(group)), *cells)
    console.print(table)


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
