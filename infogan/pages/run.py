"""The report of one run. What is not there yet, or is damaged, is said and left out."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan.codes.domain import Choice
from infogan.codes.latents import Latents
from infogan.config.training import Config
from infogan.errors import RunError
from infogan.pages.findings import Findings, beside_published, code_caption, code_row, findings
from infogan.pages.origin import made_of, repeated, unfinished
from infogan.pages.page import Figure, Gap, attempt, drawn, figure_of, write_page
from infogan.pages.published import published_for
from infogan.pages.remarks import remarks
from infogan.run_folder.configuration import read_config
from infogan.run_folder.contents import read_provenance
from infogan.run_folder.evaluation import Evaluation, flat, is_detail, read_evaluation
from infogan.run_folder.metrics import REAL_INFORMATION, of_real_images, read_metrics
from infogan.run_folder.paths import history
from infogan.run_folder.status import read_status
from infogan.run_folder.summary import read_summary

ATTRIBUTES = "attributes"
"""The part of the evaluation, and its picture, that stand together."""


@dataclass(frozen=True)
class ScorePart:
    """A part of evaluation.json: rows of (score, value, interval), or why it could not be computed. `tables`: those of
    single attributes and categories, by name, with what their columns are called."""

    name: str
    rows: Sequence[tuple[str, str, str]]
    reason: str
    tables: Mapping[str, tuple[Sequence[str], Sequence[tuple[str, ...]]]]


def write_run_report(folder: Path, licence: str) -> Path:
    """report.html in the run folder; `licence` is that of its images. Returns its path.

    Raises RunError where there is no configuration that can be read.
    """
    config, status = read_config(folder), read_status(folder)
    missing: list[Gap] = []
    summary = attempt(missing, read_summary, folder)
    evaluation = attempt(missing, read_evaluation, folder)
    starts = attempt(missing, read_provenance, folder) or []
    found = attempt(missing, findings, summary, evaluation)
    if status.state in ("stopped", "running", "collapsed"):
        missing.append(unfinished(status))
    if not starts:
        missing.append(Gap("How the run was started is not known: there is no provenance.json."))
    curves = attempt(missing, curves_figure, folder, config)
    grids = [attempt(missing, grid_figure, folder, config, name, found) for name in config.model.codes]
    samples = [
        attempt(missing, newest_figure, folder, "samples", "Images of random codes and noise", "Generated"),
        attempt(missing, newest_figure, folder, "real", "Real images", "Real"),
    ]
    pictures = sorted((folder / "figures" / "evaluation").glob("*.png"))
    shown = {
        path.stem: figure for path in pictures if (figure := attempt(missing, figure_of, path, *_about(path.stem)))
    }
    attributes = shown.pop(ATTRIBUTES, None) if evaluation and evaluation.tables else None
    values = {
        "folder": folder,
        "title": f"InfoGAN on {config.data.name}, seed {config.seed}",
        "status": status,
        "made_of": made_of(config, licence, starts, status),
        "found": found,
        "codes": [code_row(name, code, config, found) for name, code in config.model.codes.items()],
        "published": published_for(config),
        "beside": beside_published(config, found, evaluation),
        "curves": curves,
        "grids": [figure for figure in grids if figure],
        "samples": [figure for figure in samples if figure],
        "evaluated_at": evaluation and evaluation.iterations,
        "remarks": remarks(config, evaluation),
        "parts": score_parts(evaluation),
        "attributes": attributes,
        "evaluated": list(shown.values()),
        "commands": {
            name: f"python -m infogan.{name} {shlex.quote(f'run={folder}')}" for name in ("evaluate", "report")
        },
        "starts": [repeated(start) for start in starts],
        "missing": missing,
    }
    return write_page(folder, "run.html", values)


REAL_IMAGES = (
    "Information of real images: what the category that Q reads tells of the one that it reads from the image's "
    "transform, at most H(c), which is ln K nats for K categories. Agreement: the share of the images that have one "
    "category with their transform. Rarest category: its real images as a part of an even category's; at 0 it has none."
)


def curves_figure(folder: Path, config: Config) -> Figure:
    """The curves that training drew at its end, else what metrics.csv holds so far."""
    metrics = attempt([], read_metrics, folder)
    about_real = metrics is not None and of_real_images(metrics.columns, REAL_INFORMATION)
    words = ("Curves over iterations: information, the game, losses, scores", REAL_IMAGES if about_real else "")
    if (path := folder / "figures" / "curves.png").is_file():
        return figure_of(path, *words)
    rows = read_metrics(folder).rows
    if not rows:
        raise RunError("There are no curves: no figures/curves.png, and no metrics.csv to draw them from.")
    from infogan.figures.curves import training_curves

    entropies = Latents.from_config(config.model).entropies
    title = f"{config.data.name}, seed {config.seed}, so far"
    return drawn(training_curves(rows, entropies, title), *words)


def grid_figure(folder: Path, config: Config, name: str, found: Findings | None) -> Figure:
    """The newest traversal grid of a code, with what the code was found to do."""
    is_choice = isinstance(Latents.from_config(config.model).code(name).domain, Choice)
    across = "category" if is_choice else "value"
    alt = f"Generated images: each column another {across} of {name}"
    return newest_figure(folder, name, alt, code_caption(name, config, found))


def newest_figure(folder: Path, name: str, alt: str, caption: str) -> Figure:
    """A picture of the finished run, else the newest that was drawn while training."""
    return figure_of(newest_picture(folder, name), alt, caption)


def newest_picture(folder: Path, name: str) -> Path:
    """Where `newest_figure` lies, or would lie."""
    final = folder / "figures" / f"{name}.png"
    drawn_before = history(folder, name)
    return drawn_before[-1] if drawn_before and not final.is_file() else final


def score_parts(evaluation: Evaluation | None) -> list[ScorePart]:
    """The evaluation part by part; the errors of single classes aside, which are in the picture of the confusion."""
    parts = []
    for name, part in (evaluation.parts if evaluation else {}).items():
        rows = flat(part) if isinstance(part, Mapping) else {}
        cells = [
            (score, _shown(value), "" if low is None or high is None else f"{_shown(low)} … {_shown(high)}")
            for score, (value, low, high) in rows.items()
            if not is_detail(f"{name}/{score}")
        ]
        reason = "" if isinstance(part, Mapping) else str(part)
        tables = evaluation.tables if evaluation and name == ATTRIBUTES else {}
        texts = {title: (columns, [_cells(line) for line in lines]) for title, (columns, lines) in tables.items()}
        parts.append(ScorePart(_words(name), cells, reason, texts))
    return parts


def _cells(line: Sequence[str | float | None]) -> tuple[str, ...]:
    return tuple("" if cell is None else cell if isinstance(cell, str) else f"{cell:.2f}" for cell in line)


def _about(picture: str) -> tuple[str, str]:
    """What is on a picture of the evaluation, and what it shows."""
    if picture == ATTRIBUTES:
        return "AUROC of each code for each attribute", (
            "AUROC in percent on the test split, 50 is chance: of each code its best category, of the best sum of one "
            "code's categories, and of a linear probe of all codes, which orders the rows. Categories and sums were "
            "chosen on the training split."
        )
    return _words(picture), ""


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _words(name: str) -> str:
    return name.replace("_", " ")
