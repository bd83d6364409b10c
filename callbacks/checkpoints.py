"""Checkpoints from which a run continues bit for bit: whole files, without pickle."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins import CheckpointIO
from torch import Tensor

from infogan.callbacks.training_log import TrainingLog
from infogan.errors import Stopped
from infogan.run_folder.paths import CHECKPOINT_PATTERN, checkpoint_path
from infogan.run_folder.trees import load_tree, save_tree
from infogan.training.module import InfoGAN
from infogan.training.signals import StopSignals

KEPT = 2


class TreeCheckpointIO(CheckpointIO):
    """Lightning's checkpoint dictionary as one safetensors file, staged in the folder where it will lie."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        save_tree(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any | None = None, weights_only: bool | None = None) -> Any:
        return load_tree(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


class Checkpoints(L.Callback):
    """A checkpoint every `every` iterations and after the last; the newest two are kept. Where a signal has asked the
    run to stop, it writes one after the iteration in progress, and then raises Stopped.

    Must be the last callback: its file then holds the state of the others after the same iteration.
    """

    def __init__(
        self, run_folder: Path, every: int, last_iteration: int, training_log: TrainingLog, signals: StopSignals
    ) -> None:
        self.run_folder = run_folder
        self.every = every
        self.last_iteration = last_iteration
        self.training_log = training_log
        self.signals = signals

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.signals.hold_back()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        iteration = pl_module.iteration
        asked = self._asked_to_stop(trainer, iteration)
        if iteration % self.every and iteration != self.last_iteration and asked is None:
            return
        self.training_log.check(trainer, pl_module)
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(checkpoint_path(self.run_folder, iteration))
        if trainer.is_global_zero:
            for old in sorted((self.run_folder / "checkpoints").glob(CHECKPOINT_PATTERN))[:-KEPT]:
                old.unlink()
        if asked is not None:
            raise Stopped(asked)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.signals.release()

    def _asked_to_stop(self, trainer: L.Trainer, iteration: int) -> int | None:
        """The signal that any of the run's processes got. Several agree only where they meet for the log anyway."""
        if trainer.world_size == 1:
            return self.signals.asked
        if iteration % self.training_log.every:
            return None
        number = torch.tensor(self.signals.asked or 0, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(number, reduce_op="max")) or None
