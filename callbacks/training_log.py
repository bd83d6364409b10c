"""The numbers of the training loop, averaged on the device and fetched once every `every` iterations."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor

from infogan.errors import NotFinite
from infogan.run_folder.metrics import IMAGES_PER_SECOND
from infogan.training.module import InfoGAN


class TrainingLog(L.Callback):
    """Logs the mean of each number of `training_step` over the last `every` iterations, and images per second.

    Raises NotFinite where one of them is NaN or infinite, in the iteration that its message names. Between two rows
    nothing leaves the device, so the host never waits for it. What `probe` measures on the device is fetched with
    them, once a row.
    """

    def __init__(self, every: int, probe: Callable[[InfoGAN], dict[str, Tensor]] | None = None) -> None:
        self.every = every
        self.probe = probe
        self.latest: dict[str, float] = {}
        self._window: list[Tensor] = []
        self._names: list[list[str]] = []
        self._clock = 0.0
        self._clocked_iterations = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._clock, self._clocked_iterations = time.perf_counter(), 0
        self._window = [values.to(pl_module.device) for values in self._window]

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        self._names.append(list(outputs))
        self._window.append(torch.stack(list(outputs.values())))
        self._clocked_iterations += 1
        if pl_module.iteration % self.every:
            return
        with trainer.precision_plugin.forward_context():
            further = self.probe(pl_module) if self.probe else {}
        self.latest, rows = self._fetch(trainer, further)
        now = time.perf_counter()
        images = self._clocked_iterations * pl_module.batch_size
        self.latest[IMAGES_PER_SECOND] = images / (now - self._clock)
        for logger in trainer.loggers:
            logger.log_metrics(self.latest, step=pl_module.iteration)
        self._refuse(rows, pl_module.iteration)
        self._window, self._names = [], []
        self._clock, self._clocked_iterations = now, 0

    def check(self, trainer: L.Trainer, module: InfoGAN) -> None:
        """Raises NotFinite for the iterations since the last row: asked before a checkpoint is written."""
        if self._window:
            _, rows = self._fetch(trainer, {})
            self._refuse(rows, module.iteration)

    def _fetch(
        self, trainer: L.Trainer, further: Mapping[str, Tensor]
    ) -> tuple[dict[str, float], list[dict[str, float]]]:
        """The means of the window beside the `further` scalars, and what was measured in each of its iterations, by
        name. Some terms are not due in every iteration: their mean is over those in which they were."""
        columns = list(dict.fromkeys(name for names in self._names for name in names))
        window = torch.stack(
            [self._padded(row, names, columns) for row, names in zip(self._window, self._names, strict=True)]
        )
        always = all(len(names) == len(columns) for names in self._names)
        means = window.mean(dim=0) if always else window.nanmean(dim=0)
        values = torch.cat([torch.stack([*means, *further.values()]), window.flatten()])
        values = trainer.strategy.reduce(values, reduce_op="mean")  # over the ranks, each of which saw its share
        fetched, width = values.tolist(), len(columns)
        first = width + len(further)
        latest = dict(zip([*columns, *further], fetched[:first], strict=True))
        rows = [
            {name: value for name, value in zip(columns, fetched[k : k + width], strict=True) if name in names}
            for names, k in zip(self._names, range(first, len(fetched), width), strict=True)
        ]
        return latest, rows

    @staticmethod
    def _padded(row: Tensor, names: list[str], columns: list[str]) -> Tensor:
        """A row in all the columns, NaN where nothing was measured."""
        if len(names) == len(columns):
            return row
        padded = row.new_full((len(columns),), math.nan)
        padded[[columns.index(name) for name in names]] = row
        return padded

    def _refuse(self, rows: list[dict[str, float]], last: int) -> None:
        first = last - len(rows) + 1
        for iteration, row in enumerate(rows, first):
            for name, value in row.items():
                if not math.isfinite(value):
                    raise NotFinite(f"{name} was {value} in iteration {iteration} (looked at: {first} to {last})")

    def state_dict(self) -> dict[str, Any]:
        return {"window": self._window, "names": self._names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Earlier versions kept no names: of theirs the rows of an unfinished window are left out."""
        self._names = state_dict.get("names", [])
        self._window = state_dict["window"] if self._names else []
