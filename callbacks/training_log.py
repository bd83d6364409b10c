"""The numbers of the training loop, averaged on the device and fetched once every `every` iterations."""

import math
import time
from typing import Any

import lightning as L
import torch
from torch import Tensor

from infogan.errors import NotFinite
from infogan.module import InfoGAN


class TrainingLog(L.Callback):
    """Logs the mean of each number of `training_step` over the last `every` iterations, and images per second.

    Raises NotFinite where one of them is NaN or infinite, in the iteration that its message names. Between two rows
    nothing leaves the device, so the host never waits for it.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.latest: dict[str, float] = {}
        self._window: list[Tensor] = []
        self._names: list[str] = []
        self._clock = 0.0
        self._clocked_iterations = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._clock, self._clocked_iterations = time.perf_counter(), 0
        self._window = [values.to(pl_module.device) for values in self._window]

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        self._names = list(outputs)
        self._window.append(torch.stack(list(outputs.values())))
        self._clocked_iterations += 1
        if pl_module.iteration % self.every:
            return
        means, rows = self._fetch(trainer)
        self.latest = dict(zip(self._names, means, strict=True))
        now = time.perf_counter()
        images = self._clocked_iterations * pl_module.batch_size
        self.latest["images_per_second"] = images / (now - self._clock)
        for logger in trainer.loggers:
            logger.log_metrics(self.latest, step=pl_module.iteration)
        self._refuse(rows, pl_module.iteration)
        self._window = []
        self._clock, self._clocked_iterations = now, 0

    def check(self, trainer: L.Trainer, module: InfoGAN) -> None:
        """Raises NotFinite for the iterations since the last row: asked before a checkpoint is written."""
        if self._window:
            _, rows = self._fetch(trainer)
            self._refuse(rows, module.iteration)

    def _fetch(self, trainer: L.Trainer) -> tuple[list[float], list[list[float]]]:
        """The means of the window, and its rows of one iteration each."""
        window = torch.stack(self._window)
        window = trainer.strategy.reduce(window, reduce_op="mean")  # over the ranks, each of which saw its share
        means, *rows = torch.cat([window.mean(dim=0, keepdim=True), window]).tolist()
        return means, rows

    def _refuse(self, rows: list[list[float]], last: int) -> None:
        first = last - len(rows) + 1
        for iteration, row in enumerate(rows, first):
            for name, value in zip(self._names, row, strict=True):
                if not math.isfinite(value):
                    raise NotFinite(f"{name} was {value} in iteration {iteration} (looked at: {first} to {last})")

    def state_dict(self) -> dict[str, Any]:
        return {"window": self._window}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._window = state_dict.get("window", [])  # earlier versions kept sums, of no iteration in most checkpoints
