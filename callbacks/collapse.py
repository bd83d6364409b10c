"""Ends a run that has collapsed: D has won, or all generated images are alike."""

from collections import deque
from statistics import fmean
from typing import Any

import lightning as L
from torch import Tensor

from callbacks.training_log import TrainingLog
from infogan.errors import Collapsed
from infogan.inference import evaluating
from infogan.module import InfoGAN

SAMPLES = 64


class Collapse(L.Callback):
    """Raises Collapsed when, in the mean of the last `window` iterations, D(real) - D(fake) is above `largest_gap`, or
    the standard deviation of a pixel over generated images is below `least_spread` of the range of values.

    Looks whenever the training log has fetched its numbers; a standard deviation is read one such time later, when
    the device has long computed it. A value that is not a number counts as collapsed.
    """

    def __init__(self, window: int, largest_gap: float, least_spread: float) -> None:
        self.window = window
        self.largest_gap = largest_gap
        self.least_spread = least_spread
        self._gaps: deque[float] = deque()
        self._spreads: deque[float] = deque()
        self._spread: Tensor | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        assert isinstance(pl_module, InfoGAN)
        self._log = next(c for c in trainer.callbacks if isinstance(c, TrainingLog))  # type: ignore[attr-defined]
        self._latent = latents(pl_module)
        rows = max(1, self.window // self._log.every)
        self._gaps, self._spreads = deque(self._gaps, rows), deque(self._spreads, rows)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        if pl_module.iteration % self._log.every:
            return
        self._gaps.append(self._log.latest["D/real"] - self._log.latest["D/fake"])
        if self._spread is not None:
            self._spreads.append(self._spread.item())
        self._spread = spread(pl_module, self._latent)
        when = f"collapsed at iteration {pl_module.iteration}: in the mean of the last {self.window}"
        if len(self._gaps) == self._gaps.maxlen and not fmean(self._gaps) <= self.largest_gap:
            raise Collapsed(f"{when} D(real) - D(fake) was {fmean(self._gaps):.2f}")
        if len(self._spreads) == self._spreads.maxlen and not fmean(self._spreads) >= self.least_spread:
            raise Collapsed(f"{when} generated images were alike up to {fmean(self._spreads):.1g} of the range")

    def state_dict(self) -> dict[str, Any]:
        return {"gaps": list(self._gaps), "spreads": list(self._spreads), "spread": self._spread}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._gaps.extend(state_dict["gaps"])
        self._spreads.extend(state_dict["spreads"])
        self._spread = state_dict["spread"]


def latents(module: InfoGAN) -> Tensor:
    """The same ones at every look, (SAMPLES, width)."""
    return module.latents.sample(module.seed, "collapse", 0, range(SAMPLES))


def spread(module: InfoGAN, latent: Tensor) -> Tensor:
    """The standard deviation of a pixel over generated images, in the mean over pixels, as a part of the range.

    With the batch's own statistics, as D sees the images: the running averages lag behind in the first iterations.
    """
    low, high = module.value_range
    with evaluating(module.generator, batch_statistics=True):
        return module.generator(latent.to(module.device, non_blocking=True)).std(dim=0).mean() / (high - low)
