"""The report of one run. What is not there yet, or is damaged, is said and left out."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from infogan.codes.domain import Choice
from infogan.codes.latents import Latents
from infogan.config.codes import CodeSection
from infogan.config.networks import Conv, Layer, Up
from infogan.config.training import Config
from infogan.errors import RunError
from infogan.pages.page import Figure, Gap, attempt, drawn, figure_of, write_page
from infogan.pages.published import published_for
from infogan.run_folder.configuration import read_config
from infogan.run_folder.contents import read_metrics, read_provenance, read_summary
from infogan.run_folder.paths import history
from infogan.run_folder.status import RunStatus, lambda_text, read_status
from infogan.scoring.against_labels import most_followed
from infogan.scoring.evaluation_files import flat, read_evaluation

CLUSTERING = ("acc", "nmi", "ari")


class Findings(BaseModel):
    """What the codes were found to do after so many iterations: L_I and H(c) in nats by code name (None: not finite),
    acc, nmi and ari of the scored code (empty without one), and which code follows which factor."""

    model_config = ConfigDict(frozen=True)

    iterations: int
    information: dict[str, float | None]
    at_mse: dict[str, float | None]
    entropy: dict[str, float]
    clustering: dict[str, float]
    matching: dict[str, str]
    factors: dict[str, dict[str, dict[str, float]]]

    def scored_code(self, config: Config) -> str | None:
        """The name of the code whose acc, nmi, ari and matching these are; None where there is none."""
        code = Latents.from_config(config.model).code_for_classes(len(self.matching))
        return None if code is None else code.name


@dataclass(frozen=True)
class Start:
    """The commands that start a run again as it was started, and what they may not repeat."""

    commands: str
    caution: str


@dataclass(frozen=True)
class ScorePart:
    """A part of evaluation.json: rows of (score, value, interval), or why it could not be computed."""

    name: str
    rows: Sequence[tuple[str, str, str]]
    reason: str


def write_run_report(folder: Path, licence: str) -> Path:
    """report.html in the run folder; `licence` is that of its images. Returns its path.

    Raises RunError where there is no configuration that can be read.
    """
    config, status = read_config(folder), read_status(folder)
    missing: list[Gap] = []
    summary = attempt(missing, read_summary, folder) or {}
    evaluation = attempt(missing, read_evaluation, folder) or {}
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
        "evaluated_at": evaluation.get("iterations"),
        "parts": score_parts(evaluation),
        "evaluated": [
            figure for path in pictures if (figure := attempt(missing, figure_of, path, _words(path.stem), ""))
        ],
        "commands": {
            name: f"python -m infogan.{name} {shlex.quote(f'run={folder}')}" for name in ("evaluate", "report")
        },
        "starts": [repeated(start) for start in starts],
        "missing": missing,
    }
    return write_page(folder, "run.html", values)


def unfinished(status: RunStatus) -> Gap:
    """How far a run has come that is not finished, and how it goes on."""
    if status.state == "running":
        return Gap(f"The run was still training when this page was made: {status.progress} iterations.")
    command = f"python -m infogan.train {shlex.quote(f'run={status.folder}')}"
    if status.state == "collapsed":
        return Gap(f"The run was ended after {status.progress} iterations: {status.reason}. It goes on with", command)
    return Gap(f"The run has not finished: {status.progress} iterations. It goes on with", command)


def findings(summary: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Findings:
    """What summary.json tells, else what evaluation.json does. Raises RunError where neither tells anything."""
    try:
        if summary:
            return Findings(
                iterations=summary["iterations"],
                information=summary["information"],
                at_mse=summary["information_at_mse"],
                entropy=summary["entropy"],
                clustering={} if summary["acc"] is None else {name: summary[name] for name in CLUSTERING},
                matching=summary["matching"] or {},
                factors=summary["factors"],
            )
        information, clusters = evaluation.get("information"), evaluation.get("clustering")
        if isinstance(information, Mapping):
            scored = [code for code in clusters.values() if "acc" in code] if isinstance(clusters, Mapping) else []
            factors = evaluation.get("factors")
            return Findings(
                iterations=evaluation["iterations"],
                information={name: code["eval"]["mean"] for name, code in information.items()},
                at_mse={name: code["at_mse"] for name, code in information.items() if "at_mse" in code},
                entropy={name: code["entropy"] for name, code in information.items()},
                clustering={name: scored[0][name] for name in CLUSTERING} if scored else {},
                matching=scored[0]["matching"] if scored else {},
                factors=factors if isinstance(factors, dict) else {},
            )
    except (KeyError, TypeError, AttributeError, ValidationError):
        where = "summary.json" if summary else "evaluation.json"
        raise RunError(f"The numbers of {where} are not as this version writes them.") from None
    raise RunError("The model was not measured: training writes summary.json at its end, infogan.evaluate its scores.")


def made_of(
    config: Config, licence: str, starts: Sequence[Mapping[str, Any]], status: RunStatus
) -> list[tuple[str, str]]:
    """What was trained, and how: (what, value)."""
    model, trainer = config.model, config.trainer
    options = config.data.model_dump(exclude={"name", "batch_size"}, exclude_none=True)
    posterior = [*model.discriminator.posterior]
    rows = [
        ("data set", ", ".join([config.data.name, *(f"{key} {value}" for key, value in options.items())])),
        ("licence of the images", licence),
        ("model", f"{model.name}; {model.noise} dimensions of noise, {model.noise_distribution}"),
        ("generator", f"{_layers(model.generator.layers)}; {model.generator.output}"),
        ("discriminator", _layers(model.discriminator.trunk)),
        ("Q's own layers", _layers(posterior) if posterior else "none but its output"),
        ("λ in G's loss", lambda_text(config)),
        (
            "λ in the D/Q loss",
            "the same, 1 for a code whose λ is 0" if model.lambda_posterior is None else f"{model.lambda_posterior:g}",
        ),
        ("who trains Q", f"posterior_optimizer={model.posterior_optimizer}"),
        (
            "learning rates",
            f"{model.learning_rate_generator:g} (G), {model.learning_rate_discriminator:g} (D); "
            f"Adam, β = {', '.join(f'{beta:g}' for beta in model.betas)}",
        ),
        ("seed", str(config.seed)),
        ("length", f"{status.progress or trainer.max_iterations} iterations of {config.data.batch_size} images"),
        ("precision", trainer.precision),
    ]
    if starts:
        last = starts[-1]
        uncommitted = ", with uncommitted changes" if last.get("uncommitted_changes") else ""
        rows += [
            ("machine", ", ".join([str(last.get("machine", "not told")), *map(str, last.get("gpus") or [])])),
            ("versions", ", ".join(f"{name} {last.get(name)}" for name in ("python", "torch", "lightning"))),
            ("code revision", f"{last.get('revision') or 'not known'}{uncommitted}"),
        ]
    return rows


def repeated(start: Mapping[str, Any]) -> Start:
    """An entry of provenance.json as commands."""
    lines = [f"git checkout {start['revision']}"] if start.get("revision") else []
    caution = ""
    if start.get("uncommitted_changes"):
        caution = "The code had changes then that were not committed: that revision alone is not what ran."
    elif not lines:
        caution = "The revision of the code is not known: it was not run from a git checkout."
    return Start("\n".join([*lines, str(start.get("command", ""))]), caution)


def code_row(name: str, code: CodeSection, config: Config, found: Findings | None) -> tuple[str, ...]:
    """The cells of the table of codes: name, kind, λ, L_I, H(c), L_I at σ² = MSE, what it follows most."""
    cells = (name, code.description, f"{config.model.lambdas[name]:g}")
    if found is None:
        return (*cells, "", "", "", "")
    at_mse = _nats(found.at_mse[name]) if name in found.at_mse else ""
    entropy = f"{found.entropy[name]:.3f}" if name in found.entropy else ""
    return (*cells, _nats(found.information.get(name)), entropy, at_mse, most_followed(found.factors, name))


def code_caption(name: str, config: Config, found: Findings | None) -> str:
    """What a code was found to do."""
    code = config.model.codes[name]
    if found is None or name not in found.entropy:
        return f"{name}: {code.description}. Not measured."
    value, entropy = found.information.get(name), found.entropy[name]
    told = [f"{name}: {code.description}."]
    if Latents.from_config(config.model).code(name).groups is not None:
        share = "" if value is None else f" ({100 * value / entropy:.1f} %)"
        told.append(f"L_I {_nats(value)} of {entropy:.3f} nats{share}.")
        if found.scored_code(config) == name:
            scores = ", ".join(f"{score.upper()} {number:.3f}" for score, number in found.clustering.items())
            told.append(f"As a classifier on the test split: {scores}.")
            told.append(f"Categories stand for {', '.join(f'{k} → {label}' for k, label in found.matching.items())}.")
            return " ".join(told)
    elif name in found.at_mse:
        told.append(f"L_I {_nats(value)} nats with its fixed σ, {_nats(found.at_mse[name])} with σ² = MSE.")
    else:
        told.append(f"L_I {_nats(value)} nats with the σ that Q learned.")
    follows = most_followed(found.factors, name)
    told.append(f"It goes most with {follows}." if follows else "No factor of these images is known to compare with.")
    return " ".join(told)


def beside_published(
    config: Config, found: Findings | None, evaluation: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """(score, as published, of this run), where a paper has numbers for this data set."""
    published = published_for(config)
    if published is None:
        return []
    own = {name: _with_interval(row) for name, row in flat(evaluation).items()}
    if found is not None and found.clustering:
        own["information"] = _nats(found.information.get(found.scored_code(config) or ""))
        own["error"] = f"{100 * (1 - found.clustering['acc']):.1f}"
    return [(score, value, own.get(key, "not measured")) for score, value, key in published.numbers]


def curves_figure(folder: Path, config: Config) -> Figure:
    """The curves that training drew at its end, else what metrics.csv holds so far."""
    words = ("Curves over iterations: information, the game, losses, scores", "")
    if (path := folder / "figures" / "curves.png").is_file():
        return figure_of(path, *words)
    rows = read_metrics(folder / "metrics.csv")
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


def score_parts(evaluation: Mapping[str, Any]) -> list[ScorePart]:
    """evaluation.json part by part, the errors of single classes aside: they are in the picture of the confusion."""
    parts = []
    for name, part in evaluation.items():
        if name in ("iterations", "seconds", "protocol", "provenance"):
            continue
        rows = flat(part) if isinstance(part, Mapping) else {}
        cells = [
            (score, _shown(value), "" if low is None or high is None else f"{_shown(low)} … {_shown(high)}")
            for score, (value, low, high) in rows.items()
            if "/error_by_class/" not in score
        ]
        parts.append(ScorePart(_words(name), cells, "" if isinstance(part, Mapping) else str(part)))
    return parts


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _with_interval(row: tuple[float, float | None, float | None]) -> str:
    value, low, high = row
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} … {high:.3f})"


def _nats(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3f}"


def _layers(layers: Sequence[Layer]) -> str:
    return " → ".join(f"{_layer(layer)}{' + batch norm' if layer.batch_norm else ''}" for layer in layers)


def _layer(layer: Layer) -> str:
    if isinstance(layer, Conv):
        return f"conv {layer.conv}, stride {layer.stride}"
    if isinstance(layer, Up):
        return f"transposed conv {layer.up}, stride {layer.stride}"
    return f"linear {'×'.join(map(str, layer.fc)) if isinstance(layer.fc, list) else layer.fc}"


def _words(name: str) -> str:
    return name.replace("_", " ")
