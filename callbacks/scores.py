"""The categorical code as a classifier, while training and at the end."""

import logging
from collections.abc import Callable
from typing import Any

import lightning as L
from torch import Tensor

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import SPLITS, Split, drawn_rows
from infogan.run_folder.metrics import CLUSTERING
from infogan.scoring.against_labels import ClusterScores, cluster_scores, factor_scores, groups
from infogan.terminal import counted
from infogan.trained.inference import encode
from infogan.training.module import InfoGAN

log = logging.getLogger("infogan")

BATCH_SIZE = 500

SEED = 0
"""Of the images that stand for a split: the same in all runs, whose curves can then be compared."""


class Scores(L.Callback):
    """ACC, NMI and ARI of the categorical code that has as many categories as the data set has classes.

    Every `every` iterations on `images` of each split, drawn over all of it, in the training's precision. `matching` is
    the newest one, None before the first and where no code fits the labels.
    """

    def __init__(self, data: ImageDataModule, every: int, images: int) -> None:
        self.data = data
        self.every = every
        self.images = images
        self.matching: list[int] | None = None

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, InfoGAN)
        if pl_module.iteration % self.every or not trainer.is_global_zero:
            return
        with trainer.precision_plugin.forward_context():  # at the end they are measured in float32
            scores = self.measure(pl_module, self.images)
        if scores is not None:
            row = dict(zip(CLUSTERING, (scores.acc, scores.nmi, scores.ari), strict=True))
            log.debug(f"iteration {pl_module.iteration}: {row}")
            for logger in trainer.loggers:
                logger.log_metrics(row, step=pl_module.iteration)

    def measure(
        self, module: InfoGAN, images: int, advance: Callable[[int], object] = lambda count: None
    ) -> ClusterScores | None:
        """Scores over at most `images` of each split; None where no code fits the labels. `advance` hears how many more
        images are read."""
        code = module.latents.code_for_classes(self.data.classes)
        if code is None:
            return None
        known = {split: self.data.labels(split) for split in SPLITS}
        rows = {split: drawn_rows(len(known[split]), images, SEED) for split in SPLITS}
        clusters = {
            split: groups(module.latents, self._q(module, split, rows[split], advance), code) for split in SPLITS
        }
        labels = {split: known[split][rows[split]].numpy() for split in SPLITS}
        scores = cluster_scores(clusters, labels, self.data.classes)
        self.matching = scores.matching
        return scores

    def factors(
        self, module: InfoGAN, images: int, advance: Callable[[int], object] = lambda count: None
    ) -> dict[str, dict[str, dict[str, float]]]:
        """`factor_scores` of at most `images` of the test split."""
        rows = drawn_rows(self.data.store.count("test"), images, SEED)
        return factor_scores(module.latents, self._q(module, "test", rows, advance), self.data, rows)

    def _q(self, module: InfoGAN, split: Split, rows: Tensor, advance: Callable[[int], object]) -> Tensor:
        return encode(module.discriminator, counted(self.data.batches(split, BATCH_SIZE, rows), advance, len))

    def state_dict(self) -> dict[str, Any]:
        return {"matching": self.matching}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.matching = state_dict["matching"]
