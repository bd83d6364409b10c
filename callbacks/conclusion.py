"""What a finished run leaves: the final figures, scores over all data, and summary.json."""

import logging
import statistics
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
from PIL import Image

from infogan.callbacks.scores import Scores
from infogan.callbacks.traversals import Traversals, show
from infogan.datamodules.store import SPLITS
from infogan.errors import InfoGANError, Stopped
from infogan.figures.curves import training_curves
from infogan.run_folder.files import save_picture
from infogan.run_folder.metrics import IMAGES_PER_SECOND
from infogan.run_folder.paths import REPORT, checkpoint_path, history
from infogan.run_folder.summary import Summary
from infogan.terminal import progress
from infogan.tracking.metrics_file import MetricsFile, finite
from infogan.tracking.wandb_run import WandbRun
from infogan.trained.inference import fresh_information
from infogan.training.module import InfoGAN

log = logging.getLogger("infogan")

FRESH_LATENTS = 10_000
"""At most."""

FILMED, FPS = 60, 4
"""Frames of the film of a training, at most, and how many a second."""


class Conclusion(L.Callback):
    """Draws the finished model, then measures it, on as many images as it has seen. Runs too when a resumed run finds
    nothing left to train. A signal while it measures leaves the pictures, and a summary of what was measured by then.
    """

    def __init__(self, run_folder: Path, scores: Scores, traversals: Traversals, metrics: MetricsFile) -> None:
        self.run_folder = run_folder
        self.scores, self.traversals, self.metrics = scores, traversals, metrics
        self.summary: Summary | None = None

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, InfoGAN)
        if not trainer.is_global_zero:
            return
        pl_module.to(trainer.strategy.root_device)  # Lightning has put it back on the CPU
        paths, matching = self.draw(pl_module) | self.draw_curves(pl_module), self.scores.matching
        images = self.images(pl_module)
        log.info(f"measuring the finished model, on {images:,} images at most; Ctrl-C leaves that out")
        self.summary = self.unmeasured(pl_module)
        try:
            self.measure(pl_module, images)
        except Stopped:
            self.summary.save(self.run_folder)
            raise
        if self.scores.matching != matching:  # it names the categories
            self.draw(pl_module)
        self.summary.save(self.run_folder)
        show(trainer.loggers, paths, pl_module.iteration)
        for logger in trainer.loggers:
            if isinstance(logger, WandbRun):
                logger.log_conclusion(self.summary)
        report = self.report()
        for logger in trainer.loggers:
            if isinstance(logger, WandbRun):
                logger.log_page(pl_module.iteration, report, self.film([*pl_module.latents.entropies]))

    def draw(self, module: InfoGAN) -> dict[str, Path]:
        """The final images, by name, saved."""
        return self._saved(self.traversals.draw(module) | {"real": self.traversals.real()})

    def draw_curves(self, module: InfoGAN) -> dict[str, Path]:
        """Likewise the curves of the training."""
        epoch = self.scores.data.train_size // module.batch_size
        curves = training_curves(self.metrics.rows, module.latents.entropies, self.title(module), epoch)
        return self._saved({"curves": curves})

    def _saved(self, pictures: Mapping[str, Image.Image]) -> dict[str, Path]:
        paths = {name: self.run_folder / "figures" / f"{name}.png" for name in pictures}
        for name, picture in pictures.items():
            save_picture(paths[name], picture)
        return paths

    def images(self, module: InfoGAN) -> int:
        """How many latents, and how many images of each split, the finished model is worth measuring on: at most those
        that it has seen in training, or all."""
        most = max(FRESH_LATENTS, *(self.scores.data.store.count(split) for split in SPLITS))
        return min(module.iteration * module.batch_size, most)

    def report(self) -> Path | None:
        """Puts all of it on one page. The training has been done: it does not fail with its report."""
        try:
            from infogan.pages.run import write_run_report

            return write_run_report(self.run_folder, self.scores.data.licence)
        except Exception as error:  # whatever it is
            log.info(f"no report: {type(error).__name__}: {' '.join(str(error).split())}")
            with suppress(OSError):  # one of an earlier start would describe another model
                (self.run_folder / REPORT).unlink()
            return None

    def film(self, codes: list[str]) -> Path | None:
        """The grids of these codes over training, side by side, in figures/; None where there are not two times of them
        or where they cannot be filmed, with which the training does not fail."""
        from infogan.trained.films import available, over_training, write_film

        path = self.run_folder / "figures" / f"film.{(form := available())}"
        times = len(history(self.run_folder, codes[0])) + 1
        if times < 2:
            return None
        try:
            write_film(path, over_training(self.run_folder, codes, min(times, FILMED)), FPS, form)
        except InfoGANError as error:
            log.info(f"no film: {error}")
            return None
        return path

    def title(self, module: InfoGAN) -> str:
        """What was trained, in one line."""
        lambdas = ", ".join(f"λ({name}) = {value:g}" for name, value in module.objective.lambdas.items())
        return f"{self.scores.data.data_set}, seed {module.seed}: {lambdas}"

    def unmeasured(self, module: InfoGAN) -> Summary:
        """summary.json before anything is measured, which `measured_images` None says."""
        speeds = [value for _, value in self.metrics.logged.points(IMAGES_PER_SECOND)]
        entropies = module.latents.entropies
        return Summary(
            data=self.scores.data.data_set,
            seed=module.seed,
            iterations=module.iteration,
            iterations_an_epoch=self.scores.data.train_size // module.batch_size,
            images_per_second=statistics.median(speeds) if speeds else None,
            measured_images=None,
            information=dict.fromkeys(entropies),
            information_train_mode=dict.fromkeys(entropies),
            information_at_mse={},
            entropy=entropies,
            **{"lambda": dict(module.objective.lambdas)},
            acc=None,
            nmi=None,
            ari=None,
            matching=None,
            factors={},
            checkpoint=str(checkpoint_path(self.run_folder, module.iteration).relative_to(self.run_folder)),
        )

    def measure(self, module: InfoGAN, images: int) -> None:
        """Puts into the summary what it comes to know. Information in nats by code name, on `images` fresh latents but
        at most FRESH_LATENTS; scores of the test split, on at most `images` of each split."""
        networks = (module.shown_generator, module.discriminator, module.latents, module.seed)
        latents, names = min(images, FRESH_LATENTS), self.scores.data.class_names
        train, test = (min(images, self.scores.data.store.count(split)) for split in SPLITS)
        with progress("measuring", 2 * latents + train + 2 * test) as advance:
            for key, batch_statistics in (("information", False), ("information_train_mode", True)):
                values, at_mse = fresh_information(
                    *networks, latents, module.batch_size, batch_statistics=batch_statistics, advance=advance
                )
                self._know(**{key: {name: finite(value) for name, value in values.items()}})
                if not batch_statistics:
                    self._know(information_at_mse={name: finite(value) for name, value in at_mse.items()})
            clusters = self.scores.measure(module, images, advance)
            if clusters is not None:
                matching = {str(k): names[label] for k, label in enumerate(clusters.matching)}
                self._know(acc=clusters.acc, nmi=clusters.nmi, ari=clusters.ari, matching=matching)
            self._know(factors=self.scores.factors(module, images, advance))
        self._know(measured_images=images)

    def _know(self, **fields: Any) -> None:
        assert self.summary is not None
        self.summary = self.summary.model_copy(update=fields)
