"""What a comparison of runs leaves on disk: comparison.json, comparison.csv and pictures."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan.config.differences import short_names
from infogan.figures.sweeps import figure_one, scores_against
from infogan.figures.tables import number_table
from infogan.run_folder.files import save_picture, write_atomically
from infogan.run_folder.metrics import information, read_metrics
from infogan.scoring.agreement import protocol
from infogan.scoring.many_runs import Run
from infogan.scoring.ranking import Comparison, choices, spread
from infogan.scoring.run_labels import is_numeric, label_of

if TYPE_CHECKING:
    from PIL.Image import Image


def write_comparison(folder: Path, comparison: Comparison, seed: int, title: str) -> None:
    """comparison.json, comparison.csv and figures/ in this folder; `title` names the runs in the pictures."""
    text = as_json(comparison, seed)
    write_atomically(folder / "comparison.json", lambda staged: staged.write_text(text, encoding="utf-8"))
    table = as_csv(comparison.ranking)
    write_atomically(folder / "comparison.csv", lambda staged: staged.write_text(table, encoding="utf-8"))
    for name, picture in pictures(comparison, title).items():
        save_picture(folder / "figures" / f"{name}.png", picture)


def as_json(comparison: Comparison, seed: int) -> str:
    """All of the comparison."""
    return json.dumps({**contents(comparison), "seed": seed}, indent=2, allow_nan=False) + "\n"


def contents(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values."""
    agreement = comparison.agreement
    return {
        "ranked_by": comparison.criterion,
        "choices": {name: run.name for name, run in choices(comparison.runs).items()},
        "ranking": [
            {"run": run.name, "seed": run.seed, "settings": dict(run.settings), "scores": run.scores}
            for run in comparison.ranking
        ],
        "correlations": {
            a: {b: _known(value) for b, value in row.items()} for a, row in comparison.correlations.items()
        },
        "spread": spread(comparison.runs),
        "agreement": None if agreement is None else [[_known(value) for value in row] for row in agreement.tolist()],
        "protocol": protocol(len(comparison.runs)),
    }


def _known(value: float) -> float | None:
    """JSON has no NaN."""
    return None if value != value else value


def as_csv(ranking: Sequence[Run]) -> str:
    """A line a run, best first: its settings and all its scores."""
    settings = list(dict.fromkeys(key for run in ranking for key in run.settings))
    scores = list(dict.fromkeys(key for run in ranking for key in run.scores))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", "run", "seed", *settings, *scores])
    for rank, run in enumerate(ranking, 1):
        values = [*(run.settings[key] for key in settings), *(run.scores.get(key, "") for key in scores)]
        writer.writerow([rank, run.name, run.seed, *values])
    return text.getvalue()


def pictures(comparison: Comparison, title: str) -> "dict[str, Image]":
    """scores (each against what was swept), figure1 (information while training), agreement (of encoders)."""
    runs, ranking, agreement = comparison.runs, comparison.ranking, comparison.agreement
    short = short_names([run.settings for run in runs])
    setting = next((key for key in short if is_numeric(runs, key)), None)
    values = [str(run.seed) if setting is None else run.settings[setting] for run in runs]
    names = [name for name in ranking[0].scores if all(name in run.scores for run in runs)]
    scores = {name: [run.scores[name] for run in runs] for name in names}
    best = runs.index(ranking[0])
    label = "seed" if setting is None else short[setting]
    found = {"scores": scores_against(label, values, scores, best, f"{title}: {len(runs)} runs")}
    code = next(iter(runs[0].trained.latents.codes))
    curves: dict[str, list[Any]] = {}
    for run in runs:
        points = read_metrics(run.trained.folder).points(information(code.name))
        if points:
            curves.setdefault(label_of(run, short, with_seed=len(runs) < 8), []).append(points)
    if curves:
        found["figure1"] = figure_one(curves, float(code.entropy), f"{title}: information of {code.name}, train mode")
    if agreement is not None:
        names = [label_of(run, short) for run in runs]
        found["agreement"] = number_table(
            agreement,
            names,
            names,
            "FactorVAE's score of encoders on generators",
            "encoder",
            "generator",
            largest=1,
        )
    return found
