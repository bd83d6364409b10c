"""Pictures of what the codes do: a traversal grid for each, beside random and real samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers.logger import Logger
from PIL import Image
from torch import Tensor

from infogan.callbacks.scores import Scores
from infogan.codes.code import Code
from infogan.codes.domain import Choice, Circle
from infogan.codes.latents import categories_in_turn
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import drawn_rows
from infogan.figures.grids import labelled_grid
from infogan.networks.value_range import to_uint8
from infogan.run_folder.files import save_picture
from infogan.tracking.wandb_run import WandbRun
from infogan.trained.inference import generate
from infogan.training.module import InfoGAN


class Traversals(L.Callback):
    """One labelled grid a code, every `every` iterations and at the end, with the same noise all through training.

    Each row is one draw of the noise and of the other codes. Where the code is no choice of categories, row r holds
    category r of every code that is one, so that its effect is seen on each of them (figure 2 of the paper).
    """

    def __init__(
        self, data: ImageDataModule, scores: Scores, figures: Path, every: int, rows: int, points: int
    ) -> None:
        self.data, self.scores, self.figures = data, scores, figures
        self.every, self.rows, self.points = every, rows, points

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        iteration = pl_module.iteration
        is_last = 2 * iteration == trainer.max_steps  # the run's conclusion draws that one
        if iteration % self.every or is_last or not trainer.is_global_zero:
            return
        pictures = self.draw(pl_module)
        paths = {name: self.figures / "history" / f"{name}_{iteration:08d}.png" for name in pictures}
        for name, picture in pictures.items():
            save_picture(paths[name], picture)
        show(trainer.loggers, paths, iteration)

    def draw(self, module: InfoGAN) -> dict[str, Image.Image]:
        """The grids by name: one for each code, and `samples`."""
        pictures = {code.name: self.traversal(module, code.name) for code in module.latents.codes}
        latent = module.latents.sample(module.seed, "samples", 0, range(self.rows * self.points))
        images = self._images(module, latent, self.points)
        pictures["samples"] = labelled_grid(
            images, f"{self.data.data_set}: random samples after {module.iteration:,} iterations", [], []
        )
        return pictures

    def traversal(self, module: InfoGAN, name: str) -> Image.Image:
        """The grid of one code: its values across, one draw of all else a row."""
        latents, code = module.latents, module.latents.code(name)
        values, labels = latents.traversal(name, self.points)
        base = latents.sample(module.seed, "traversals", 0, range(self.rows))
        rows = [f"draw {r + 1}" for r in range(self.rows)]
        categories: dict[str, Tensor] = {}
        if isinstance(code.domain, Choice):
            labels = [self._category(module, code, k).replace(" ", "\n", 1) for k in range(code.domain.count)]
        else:
            categories = categories_in_turn(latents, self.rows)
            for other, chosen in categories.items():
                base = latents.replaced(base, other, chosen)
            if len(categories) == 1:
                (varied,) = (latents.code(other) for other in categories)
                numbers = varied.values(categories[varied.name])[:, 0].tolist()
                rows = [self._category(module, varied, int(k)) for k in numbers]
        latent = torch.cat([latents.replaced(row.repeat(len(values), 1), name, values) for row in base])
        images = self._images(module, latent, len(values))
        title = f"{self.data.data_set}: code {name} after {module.iteration:,} iterations"
        return labelled_grid(images, title, labels, rows, self._directions(code, next_category=bool(categories)))

    def real(self) -> Image.Image:
        """Real images, drawn over the whole training split, in its order."""
        images = self.data.split("train").images
        rows = min(self.rows, len(images) // self.points)
        chosen = images[drawn_rows(len(images), rows * self.points, seed=0)]
        pixels = chosen.permute(0, 2, 3, 1).numpy()
        grid = pixels.reshape(rows, self.points, *pixels.shape[1:])
        return labelled_grid(grid, f"{self.data.data_set}: real images", [], [])

    def _directions(self, code: Code, next_category: bool) -> str:
        matched = " (the class it is matched to)" if self.scores.matching is not None else ""
        if isinstance(code.domain, Choice):
            return f"across: category{matched}; down: another draw of all else"
        further = f", and the next category{matched}" if next_category else ""
        across = f"{code.name} once around" if isinstance(code.domain, Circle) else f"value of {code.name}"
        return f"across: {across}; down: another draw of all else{further}"

    def _category(self, module: InfoGAN, code: Code, k: int) -> str:
        if self.scores.matching is None or code != module.latents.code_for_classes(self.data.classes):
            return str(k)
        return f"{k} ({self.data.class_names[self.scores.matching[k]]})"

    def _images(self, module: InfoGAN, latent: Tensor, columns: int) -> Any:
        images = to_uint8(generate(module.shown_generator, latent), module.value_range)
        return images.reshape(-1, columns, *images.shape[1:])


def show(loggers: Sequence[Logger], pictures: Mapping[str, Path], iteration: int) -> None:
    """The PNG files on the W&B page, where there is one."""
    for logger in loggers:
        if isinstance(logger, WandbRun):
            logger.log_pictures(pictures, iteration)
