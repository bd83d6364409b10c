"""The report of a sweep: its runs in a table, their first codes side by side, and what infogan.compare found."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan.codes.domain import Choice
from infogan.codes.latents import Latents
from infogan.config.differences import differing_settings
from infogan.config.training import Config
from infogan.errors import RunError
from infogan.pages.page import Figure, Gap, attempt, figure_of, write_page
from infogan.pages.run import newest_figure
from infogan.run_folder.contents import read_object
from infogan.run_folder.paths import REPORT
from infogan.run_folder.status import RunStatus

COMPARED = {
    "scores": ("A panel a score, a dot a run", "Scores against what was swept; the ring marks the chosen run."),
    "figure1": ("L_I over iterations, a line a run", "Information of the first code, as in figure 1 of the paper."),
    "agreement": ("Encoders by generators", "How well the encoder of each run reads the images of each generator."),
}
"""The pictures that infogan.compare leaves: what is on each, and what it shows."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows, what its column is sorted by, and where it leads, inside the sweep's folder."""

    text: str
    key: str
    link: str = ""


@dataclass(frozen=True)
class RunRow:
    """A line of the table of runs."""

    cells: Sequence[Cell]
    chosen: bool


def write_sweep_report(sweep: Path, statuses: Sequence[RunStatus], licences: Mapping[str, str]) -> Path:
    """report.html in the folder of the sweep; `licences` of images by data set. Returns its path.

    Raises RunError where no run can be read.
    """
    missing = [Gap(f"Left out: {status.reason}") for status in statuses if status.state == "damaged"]
    read = [(status, status.config) for status in statuses if status.config is not None]
    if not read:
        raise RunError(f"sweep={sweep}: none of its {len(statuses)} runs can be read; {statuses[0].reason}")
    comparison = attempt(missing, read_object, sweep / "comparison.json") or {}
    ranking = attempt(missing, ranked, comparison) or {}
    compared = []
    if ranking:
        compared = [attempt(missing, figure_of, sweep / "figures" / f"{n}.png", *c) for n, c in COMPARED.items()]
    unfinished = [status for status, _ in read if status.state != "finished"]
    if unfinished:
        names = ", ".join(f"{status.folder.name} ({status.state}, {status.progress})" for status in unfinished)
        missing.append(Gap(f"Not finished: {names}. The command that started the sweep continues it."))
    chosen = next(iter(ranking), None)
    columns, rows = table(read, ranking, comparison.get("ranked_by", ""))
    values = {
        "folder": sweep,
        "title": f"Sweep {sweep.name}: {', '.join(licences)}",
        "runs": len(statuses),
        "finished": len(read) - len(unfinished),
        "licences": licences,
        "chosen": chosen,
        "ranked_by": str(comparison.get("ranked_by", "")).replace("_", " "),
        "commands": {
            name: f"python -m infogan.{name} {shlex.quote(f'sweep={sweep}')}" for name in ("compare", "report")
        },
        "compared": [figure for figure in compared if figure],
        "columns": columns,
        "rows": rows,
        "grids": [
            (status.folder.name == chosen, figure)
            for status, config in read
            if (figure := attempt(missing, first_grid, status.folder, config, status.folder.name == chosen))
        ],
        "missing": missing,
    }
    return write_page(sweep, "sweep.html", values)


def ranked(comparison: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """The scores of the runs that were compared, by the name of the run, the chosen one first; empty before."""
    try:
        return {
            entry["run"]: {name: float(value) for name, value in entry["scores"].items()}
            for entry in comparison.get("ranking", ())
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RunError("comparison.json is not as this version writes it.") from None


def table(
    runs: Sequence[tuple[RunStatus, Config]], ranking: Mapping[str, Mapping[str, float]], ranked_by: str
) -> tuple[list[str], list[RunRow]]:
    """The columns of the table of runs, and its lines: best first where the runs were compared, else as they lie."""
    settings = differing_settings([config for _, config in runs])
    places = {name: place for place, name in enumerate(ranking, 1)}
    columns = ["run", *settings[0], "seed", "iterations", "state", "L_I of the first code (nats)", "ACC"]
    if ranking:
        columns = ["rank", *columns, ranked_by.replace("_", " ")]
    rows = []
    for (status, config), own in zip(runs, settings, strict=True):
        name = status.folder.name
        cells = [
            Cell(name, name, f"{name}/{REPORT}" if (status.folder / REPORT).is_file() else ""),
            *(_value(value) for value in own.values()),
            _value(config.seed),
            Cell(status.progress, str(status.iterations)),
            _value(status.state),
            _number(status.information),
            _number(status.acc),
        ]
        if ranking:
            cells = [_value(places.get(name)), *cells, _number(ranking.get(name, {}).get(ranked_by))]
        rows.append((places.get(name, len(places) + 1), RunRow(cells, places.get(name) == 1)))
    return columns, [row for _, row in sorted(rows, key=lambda placed: placed[0])]


def first_grid(run: Path, config: Config, is_chosen: bool) -> Figure:
    """The grid of the first code that is a choice of categories, of the first code where there is none."""
    latents = Latents.from_config(config.model)
    choices = [code.name for code in latents.codes if isinstance(code.domain, Choice)]
    name = next(iter([*choices, *config.model.codes]))
    caption = f"{run.name}: {name}{', the chosen run' if is_chosen else ''}"
    try:
        return newest_figure(run, name, f"Generated images: each column another value of {name}", caption)
    except RunError as error:
        raise RunError(f"{run.name}: {error}") from None


def _value(value: Any) -> Cell:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return Cell(text, text)


def _number(value: float | None) -> Cell:
    return Cell("", "") if value is None else Cell(f"{value:.3f}", repr(value))
