"""Checkpoints from which a run goes on bit for bit: whole files, without pickle."""

from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins import CheckpointIO
from torch import Tensor

from infogan.module import InfoGAN
from infogan.storage import CHECKPOINT_PATTERN, checkpoint_path, load_tree, save_tree

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
    """A checkpoint every `every` iterations and after the last; the newest two are kept.

    Must be the last callback: its file then holds the state of the others after the same iteration.
    """

    def __init__(self, run_folder: Path, every: int, last_iteration: int) -> None:
        self.run_folder = run_folder
        self.every = every
        self.last_iteration = last_iteration

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        iteration = pl_module.iteration
        if iteration % self.every and iteration != self.last_iteration:
            return
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(checkpoint_path(self.run_folder, iteration))
        if trainer.is_global_zero:
            for old in sorted((self.run_folder / "checkpoints").glob(CHECKPOINT_PATTERN))[:-KEPT]:
                old.unlink()
