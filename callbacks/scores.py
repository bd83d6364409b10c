"""The categorical code as a classifier, while training and at the end."""

import logging
from typing import Any

import lightning as L
from torch import Tensor

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import SPLITS, Split, drawn_rows
from infogan.scoring.against_labels import ClusterScores, cluster_scores, factor_scores, groups
from infogan.trained.inference import encode
from infogan.training.module import InfoGAN

log = logging.getLogger("infogan")

BATCH_SIZE = 500

SEED = 0
"""Of the images that stand for a split: the same in all runs, whose curves can then be compared."""


class Scores(L.Callback):
    """ACC, NMI and ARI of the categorical code that has as many categories as the data set has classes.

    Every `every` iterations on `images` drawn over each split, in the training's precision. `matching` is the newest
    one, None before the first and where no code fits the labels.
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
            row = {"acc": scores.acc, "nmi": scores.nmi, "ari": scores.ari}
            log.debug(f"iteration {pl_module.iteration}: {row}")
            for logger in trainer.loggers:
                logger.log_metrics(row, step=pl_module.iteration)

    def measure(self, module: InfoGAN, images: int | None) -> ClusterScores | None:
        """Scores over `images` drawn over each split, None for all of them; None where no code fits the labels."""
        code = module.latents.code_for_classes(self.data.classes)
        if code is None:
            return None
        labels = {split: self.data.labels(split) for split in SPLITS}
        rows = {split: drawn_rows(len(known), images or len(known), SEED) for split, known in labels.items()}
        clusters = {split: groups(module.latents, self._q(module, split, rows[split]), code) for split in SPLITS}
        seen = {split: labels[split][rows[split]].numpy() for split in SPLITS}
        scores = cluster_scores(clusters, seen, self.data.classes)
        self.matching = scores.matching
        return scores

    def factors(self, module: InfoGAN) -> dict[str, dict[str, dict[str, float]]]:
        """`factor_scores` of the whole test split."""
        return factor_scores(module.latents, self._q(module, "test", None), self.data)

    def _q(self, module: InfoGAN, split: Split, rows: Tensor | None) -> Tensor:
        return encode(module.discriminator, self.data.batches(split, BATCH_SIZE, rows))

    def state_dict(self) -> dict[str, Any]:
        return {"matching": self.matching}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.matching = state_dict["matching"]
