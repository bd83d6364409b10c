"""The numbers of the training loop, averaged on the device and fetched once every `every` iterations."""

import time
from typing import Any

import lightning as L
import torch
from torch import Tensor

from infogan.module import InfoGAN


class TrainingLog(L.Callback):
    """Logs the mean of each number of `training_step` over the last `every` iterations, and images per second.

    A number that is not measured in every iteration (a gradient norm) is logged as it was measured. Between two rows
    nothing leaves the device, so the host never waits for it.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.latest: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._clock = 0.0
        self._clocked_iterations = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._clock, self._clocked_iterations = time.perf_counter(), 0
        self._sums = {name: value.to(pl_module.device) for name, value in self._sums.items()}

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        for name, value in outputs.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1
        self._clocked_iterations += 1
        if pl_module.iteration % self.every:
            return
        names = list(self._sums)
        means = torch.stack([self._sums[name] / self._counts[name] for name in names])
        means = trainer.strategy.reduce(means, reduce_op="mean")  # over the ranks, each of which saw its share
        self.latest = dict(zip(names, means.tolist(), strict=True))
        now = time.perf_counter()
        images = self._clocked_iterations * pl_module.batch_size
        self.latest["images_per_second"] = images / (now - self._clock)
        for logger in trainer.loggers:
            logger.log_metrics(self.latest, step=pl_module.iteration)
        self._sums, self._counts = {}, {}
        self._clock, self._clocked_iterations = now, 0

    def state_dict(self) -> dict[str, Any]:
        return {"sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._sums, self._counts = state_dict["sums"], state_dict["counts"]
