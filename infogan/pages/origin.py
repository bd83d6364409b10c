"""What was trained, how it was started, and how far it has come."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infogan.config.networks import in_words
from infogan.config.training import Config
from infogan.pages.page import Gap
from infogan.run_folder.status import RunStatus, lambda_text


@dataclass(frozen=True)
class Start:
    """The commands that start a run again as it was started, and what they may not repeat."""

    commands: str
    caution: str


def unfinished(status: RunStatus) -> Gap:
    """How far a run has come that is not finished, and how it continues."""
    if status.state == "running":
        return Gap(f"The run was still training when this page was made: {status.progress} iterations.")
    command = f"python -m infogan.train {shlex.quote(f'run={status.folder}')}"
    if status.state == "collapsed":
        return Gap(f"The run was ended after {status.progress} iterations: {status.reason}. It continues with", command)
    return Gap(f"The run has not finished: {status.progress} iterations. It continues with", command)


def made_of(
    config: Config, licence: str, starts: Sequence[Mapping[str, Any]], status: RunStatus
) -> list[tuple[str, str]]:
    """What was trained, and how: (what, value)."""
    model, trainer = config.model, config.trainer
    options = config.data.model_dump(exclude={"name", "batch_size"}, exclude_none=True)
    posterior, augment, half_life = [*model.discriminator.posterior], model.augment, model.ema_half_life
    rows = [
        ("data set", ", ".join([config.data.name, *(f"{key} {value}" for key, value in options.items())])),
        ("licence of the images", licence),
        ("model", f"{model.name}; {model.noise} dimensions of noise, {model.noise_distribution}"),
        ("generator", model.generator.description),
        ("discriminator", in_words(model.discriminator.trunk)),
        ("Q's own layers", in_words(posterior) if posterior else "none but its output"),
        ("the game", model.adversarial.replace("_", "-")),
        *([] if augment is None else [("images are changed for", "D and Q" if augment.before_posterior else "D")]),
        *([] if half_life is None else [("G is shown as", f"an average with a half-life of {half_life:,g} images")]),
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
            ("machine", ", ".join([str(last.get("machine", "unknown")), *map(str, last.get("gpus") or [])])),
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
