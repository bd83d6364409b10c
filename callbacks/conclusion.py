"""What a finished run leaves: the final figures, scores over all data, and summary.json."""

import logging
import statistics
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L

from infogan.callbacks.scores import Scores
from infogan.callbacks.traversals import Traversals, show
from infogan.errors import InfoGANError
from infogan.figures.curves import training_curves
from infogan.run_folder.files import save_picture, write_json
from infogan.run_folder.paths import REPORT, checkpoint_path, history
from infogan.tracking.metrics_file import MetricsFile, finite
from infogan.tracking.wandb_run import WandbRun
from infogan.trained.inference import fresh_information
from infogan.training.module import InfoGAN

log = logging.getLogger("infogan")

FRESH_LATENTS = 10_000

FILMED, FPS = 60, 4
"""Frames of the film of a training, at most, and how many a second."""


class Conclusion(L.Callback):
    """Measures the finished model. Runs too when a resumed run finds nothing left to train."""

    def __init__(self, run_folder: Path, scores: Scores, traversals: Traversals, metrics: MetricsFile) -> None:
        self.run_folder = run_folder
        self.scores, self.traversals, self.metrics = scores, traversals, metrics
        self.summary: dict[str, Any] = {}

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, InfoGAN)
        if not trainer.is_global_zero:
            return
        log.info("measuring the finished model")
        pl_module.to(trainer.strategy.root_device)  # Lightning has put it back on the CPU
        self.summary = self.measure(pl_module)
        pictures = self.traversals.draw(pl_module) | {"real": self.traversals.real()}
        entropies = pl_module.latents.entropies
        epoch = self.summary["iterations_an_epoch"]
        pictures["curves"] = training_curves(self.metrics.rows, entropies, self.title(pl_module), epoch)
        paths = {name: self.run_folder / "figures" / f"{name}.png" for name in pictures}
        for name, picture in pictures.items():
            save_picture(paths[name], picture)
        write_json(self.run_folder / "summary.json", self.summary)
        show(trainer.loggers, paths, pl_module.iteration)
        for logger in trainer.loggers:
            if isinstance(logger, WandbRun):
                logger.log_conclusion(self.summary)
        report = self.report()
        for logger in trainer.loggers:
            if isinstance(logger, WandbRun):
                logger.log_page(pl_module.iteration, report, self.film([*pl_module.latents.entropies]))

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

    def measure(self, module: InfoGAN) -> dict[str, Any]:
        """The content of summary.json. Information and entropy in nats by code name; scores of the whole test split."""
        networks = (module.shown_generator, module.discriminator, module.latents, module.seed)
        eval_mode, at_mse = fresh_information(*networks, FRESH_LATENTS, module.batch_size, batch_statistics=False)
        train_mode, _ = fresh_information(*networks, FRESH_LATENTS, module.batch_size, batch_statistics=True)
        clusters = self.scores.measure(module, images=None)
        speeds = [row["images_per_second"] for row in self.metrics.rows if "images_per_second" in row]
        names = self.scores.data.class_names
        return {
            "data": self.scores.data.data_set,
            "seed": module.seed,
            "iterations": module.iteration,
            "iterations_an_epoch": self.scores.data.train_size // module.batch_size,
            "images_per_second": statistics.median(speeds) if speeds else None,
            "information": {name: finite(value) for name, value in eval_mode.items()},
            "information_train_mode": {name: finite(value) for name, value in train_mode.items()},
            "information_at_mse": {name: finite(value) for name, value in at_mse.items()},
            "entropy": module.latents.entropies,
            "lambda": dict(module.objective.lambdas),
            "acc": clusters and clusters.acc,
            "nmi": clusters and clusters.nmi,
            "ari": clusters and clusters.ari,
            "matching": clusters and {str(k): names[label] for k, label in enumerate(clusters.matching)},
            "factors": self.scores.factors(module),
            "checkpoint": str(checkpoint_path(self.run_folder, module.iteration).relative_to(self.run_folder)),
        }
