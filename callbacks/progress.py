"""A progress bar for people; silent where the output is not a terminal."""

from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from infogan.callbacks.training_log import TrainingLog
from infogan.run_folder.metrics import IMAGES_PER_SECOND, INFORMATION
from infogan.training.module import InfoGAN


class ProgressBar(L.Callback):
    """Iteration, time left, both losses, total L_I in nats and images per second, from the numbers already fetched."""

    def __init__(self, training_log: TrainingLog, last_iteration: int) -> None:
        self.training_log = training_log
        self.last_iteration = last_iteration
        self._bar: Progress | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, InfoGAN)
        console = Console()
        if not (trainer.is_global_zero and console.is_terminal):
            return
        self._bar = Progress(
            TextColumn("iteration"),
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
            expand=True,
        )
        self._bar.add_task("", total=self.last_iteration, completed=pl_module.iteration, numbers="")
        self._bar.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        if self._bar is None or pl_module.iteration % self.training_log.every:
            return
        latest = self.training_log.latest
        information = sum(value for name, value in latest.items() if name.startswith(INFORMATION))
        numbers = (
            f"loss D {latest['loss/discriminator']:.2f}, G {latest['loss/generator']:.2f}  "
            f"L_I {information:.2f}  {latest[IMAGES_PER_SECOND]:,.0f} images/s"
        )
        self._bar.update(self._bar.task_ids[0], completed=pl_module.iteration, numbers=numbers)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
