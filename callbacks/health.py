"""Whether a run still learns: D has won or does not learn, images are alike, codes hidden, unused or not read,
categories without real images."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import lightning as L
import torch
from torch import Tensor
from torch.nn import functional as F

from infogan.callbacks.training_log import TrainingLog
from infogan.codes.code import Code
from infogan.config.training import CollapseConfig
from infogan.errors import Collapsed
from infogan.run_folder.metrics import (
    CATEGORIES,
    FAKE,
    RAREST,
    REAL,
    REGULARISER,
    SPREAD,
    information,
)
from infogan.trained.inference import evaluating
from infogan.training.module import InfoGAN

log = logging.getLogger("infogan")

SAMPLES = 64

ENOUGH = 6
"""Real images an iteration that an even category gets, for the rarest to be judged: of fewer, chance leaves one out."""

WHAT_TO_TRY = {
    "codes hidden in the image": "model.balance=1 (where it is on, half of it), or a smaller model.lambda_categorical "
    "or model.lambda_continuous",
    "D has won": "a smaller model.learning_rate_discriminator, a larger model.learning_rate_generator, "
    "model.discriminator.spectral_norm=true, or where L_I is high model.balance=1",
    "D does not learn": "a larger model.learning_rate_discriminator",
    "images alike": "a smaller model.learning_rate_generator, or a larger data.batch_size",
    "categories unused": "another seed, a larger model.lambda_categorical, or fewer classes",
    "a category without real images": "a larger model.regularisers.<name>.marginals, or fewer classes",
    "codes not read": "a larger model.lambda_categorical or model.lambda_continuous, or "
    "model.codes.<name>.lambda_code for one code",
}
"""What can be wrong, and what has helped."""


class HealthProbe:
    """What is measured for `Health` in the iterations that are logged, and fetched with the training log's own numbers.

    health/spread: the standard deviation of a pixel over generated images, in the mean over pixels, as a part of the
    range of values. health/categories/<code>: the entropy of the categories that Q reads in these images, as a part of
    that of the categories they were made with. Of SAMPLES latents, always the same, and with the batch's own
    statistics, as D sees the images: the running averages lag behind in the first iterations.
    """

    def __init__(self) -> None:
        self._latent: Tensor | None = None

    def __call__(self, module: InfoGAN) -> dict[str, Tensor]:
        if self._latent is None:
            self._latent = module.latents.sample(module.seed, "health", 0, range(SAMPLES)).to(module.device)
        low, high = module.value_range
        latents = module.latents
        with evaluating(module.generator, module.discriminator, batch_statistics=True):
            images = module.generator(self._latent)
            q = latents.split_posterior(module.discriminator(images)[1])
        drawn = latents.split(self._latent)
        read = {code: code.group(code.mean(q[code.name])) for code in watched(module)}
        grouped = {code: (read[code], code.group(drawn[code.name])) for code in read}
        return {
            SPREAD: images.std(dim=0).mean() / (high - low),
            **{
                f"{CATEGORIES}{code.name}": entropy(of_q, code.groups) / entropy(of_drawn, code.groups)
                for code, (of_q, of_drawn) in grouped.items()
                if of_q is not None and of_drawn is not None and code.groups is not None
            },
        }


def entropy(categories: Tensor, count: int) -> Tensor:
    """Of how often each of `count` categories occurs, in nats: (N,) integers → a scalar."""
    return torch.special.entr(F.one_hot(categories, count).float().mean(dim=0)).sum()


def rarest(module: InfoGAN, row: Mapping[str, float]) -> dict[str, float]:
    """`rarest/<code>` of the codes whose real images are enough to tell, from what consistency has logged."""
    found = {}
    for name, each in module.objective.regularisers.items():
        images = each.regulariser.further_images or module.batch_size
        for code in module.latents.codes:
            column = f"{REGULARISER}{name}/{code.name}{RAREST}"
            if column in row and images >= ENOUGH * (code.groups or 0):
                found[f"rarest/{code.name}"] = row[column]
    return found


def watched(module: InfoGAN) -> list[Code]:
    """The codes that G is asked to make readable: λ is above 0."""
    return [code for code in module.latents.codes if module.objective.lambdas[code.name] > 0]


@dataclass(frozen=True)
class Window:
    """A number over the rows of a window, in their order."""

    values: Sequence[float]

    @property
    def mean(self) -> float:
        return fmean(self.values)

    @property
    def newest(self) -> float:
        """The mean of the last quarter."""
        return fmean(self.values[-self._quarter :])

    @property
    def gain(self) -> float:
        """How far the last quarter is above the first."""
        return self.newest - fmean(self.values[: self._quarter])

    def stays_below(self, limit: float, recovery: float) -> bool:
        """Whether it is below the limit, in the last quarter too, and does not rise by more than `recovery`. What is
        not a number is."""
        return math.isnan(self.mean) or (max(self.mean, self.newest) < limit and self.gain <= recovery)

    def stays_above(self, limit: float, recovery: float) -> bool:
        """Likewise above it, without falling."""
        return Window([-value for value in self.values]).stays_below(-limit, recovery)

    @property
    def _quarter(self) -> int:
        return max(1, len(self.values) // 4)


class Health(L.Callback):
    """Judges the mean of the last `limits.window` iterations, whenever the training log has fetched its numbers:

    D has won: D(real) - D(fake) above `largest_gap`. D does not learn: below `least_gap`. Images alike: `health/spread`
    below `least_spread`. Codes hidden in the image: images alike, from which Q reads more than `hidden_information` of
    what there is to know of the codes; the first and the third then go without saying. Categories unused:
    `health/categories/<code>` below `least_categories`. A category without real images: what consistency logs as
    `rarest`, the part of an even category's, below `least_rarest`. Codes not read: L_I of a code with λ > 0, as a part
    of what there is to know of it, below `least_information`.

    Runs that start late are given time: see `Window.stays_below`, and images alike are not named, nor is D that has
    won, while L_I still rises. Each is named once in a run, with what to try, or raised as Collapsed where `action` is
    abort. A value that is not a number counts as collapsed.
    """

    def __init__(self, training_log: TrainingLog, action: Literal["warn", "abort"], limits: CollapseConfig) -> None:
        self.training_log = training_log
        self.action = action
        self.limits = limits
        self._windows: dict[str, list[float]] = {}
        self._warned: list[str] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        if pl_module.iteration % self.training_log.every:
            return
        rows = max(1, self.limits.window // self.training_log.every)
        for name, value in self._numbers(pl_module, self.training_log.latest).items():
            self._windows[name] = [*self._windows.get(name, []), value][-rows:]
        windows = {name: Window(values) for name, values in self._windows.items() if len(values) == rows}
        for kind, what in self._found(windows).items():
            when = f"iteration {pl_module.iteration}: {kind}: in the mean of the last {self.limits.window}"
            self._tell(kind, f"{when} {what}")

    def _numbers(self, module: InfoGAN, row: Mapping[str, float]) -> dict[str, float]:
        shares = {code.name: max(0.0, code.share_read(row[information(code.name)])) for code in watched(module)}
        return {
            "gap": row[REAL] - row[FAKE],
            **{name: value for name, value in row.items() if name.startswith("health/")},
            **rarest(module, row),
            **{f"read/{name}": share for name, share in shares.items()},
            **({"all read": fmean(shares.values())} if shares else {}),
        }

    def _found(self, windows: Mapping[str, "Window"]) -> dict[str, str]:
        """What is wrong, by kind, in words."""
        limits = self.limits

        def below(prefix: str, limit: float) -> str:
            low = {name.rpartition("/")[2]: window.mean for name, window in windows.items()
                   if name.startswith(prefix) and limit > 0 and window.stays_below(limit, limits.recovery)}  # fmt: skip
            return ", ".join(f"{name} {value:.2g}" for name, value in low.items())

        found = {}
        gap, read = windows.get("gap"), windows.get("all read")
        alike = below(SPREAD, limits.least_spread) and f"they differed by {windows[SPREAD].mean:.1g} of the range"
        if alike and read and read.newest > limits.hidden_information:
            found["codes hidden in the image"] = f"{alike}, and L_I was {read.newest:.2g} of what there is to know"
        elif not (alike and read and read.gain > limits.recovery):  # else the codes may be about to hide
            if gap and gap.stays_above(limits.largest_gap, limits.recovery):
                found["D has won"] = f"D(real) - D(fake) was {gap.mean:.2f}"
            elif gap and gap.stays_below(limits.least_gap, limits.recovery):
                found["D does not learn"] = f"D(real) - D(fake) was {gap.mean:.2f}"
            if alike:
                found["images alike"] = alike
        if low := below(CATEGORIES, limits.least_categories):
            found["categories unused"] = f"the entropy of those that Q reads was this part of what was drawn: {low}"
        if low := below("rarest/", limits.least_rarest):
            kind = "a category without real images"
            found[kind] = f"the rarest got this part of an even category's: {low}"
        if low := below("read/", limits.least_information):
            found["codes not read"] = f"L_I was this part of what there is to know: {low}"
        return found

    def _tell(self, kind: str, line: str) -> None:
        if self.action == "abort":
            raise Collapsed(f"collapsed at {line}; try {WHAT_TO_TRY[kind]}")
        if kind not in self._warned:
            self._warned.append(kind)
            log.info(f"health, {line}; try {WHAT_TO_TRY[kind]}")

    def state_dict(self) -> dict[str, Any]:
        return {"windows": self._windows, "warned": self._warned}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._windows, self._warned = state_dict.values()  # earlier versions had another name for the second
