"""A progress bar for people; silent where the output is not a terminal."""

from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column
from torch import Tensor

from infogan.callbacks.training_log import TrainingLog
from infogan.run_folder.metrics import IMAGES_PER_SECOND, INFORMATION
from infogan.training.module import InfoGAN

BESIDE = 45
"""Characters for how far the run is and the time left; numbers are shown where there is room beside them."""


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
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
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
        numbers, room = "", self._bar.console.width - BESIDE
        for number in (
            f"L_I {information:.2f}",
            f"loss D {latest['loss/discriminator']:.2f}, G {latest['loss/generator']:.2f}",
            f"{latest[IMAGES_PER_SECOND]:,.0f} images/s",
        ):
            if len(numbers) + len(number) + 2 <= room:
                numbers += f"  {number}"
        self._bar.update(self._bar.task_ids[0], completed=pl_module.iteration, numbers=numbers)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
