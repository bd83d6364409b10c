"""The categorical code as a classifier, while training and at the end."""

import logging
from dataclasses import dataclass
from typing import Any

import lightning as L
from torch import Tensor

from datamodules import ImageDataModule
from datamodules.base import Split
from infogan.inference import encode
from infogan.latents import Code
from infogan.metrics.clustering import (
    accuracy,
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
    one_to_one_matching,
)
from infogan.module import InfoGAN

log = logging.getLogger("infogan")

BATCH_SIZE = 500


@dataclass(frozen=True)
class ClusterScores:
    """Scores of the test split; `matching[k]` is the label of category k, fitted on the training split."""

    acc: float
    nmi: float
    ari: float
    matching: list[int]


class Scores(L.Callback):
    """ACC, NMI and ARI of the categorical code that has as many categories as the data set has classes.

    Every `every` iterations on the first `images` of each split. `matching` is the newest one, None before the first
    and where no code fits the labels.
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
        scores = self.measure(pl_module, self.images)
        if scores is not None:
            row = {"acc": scores.acc, "nmi": scores.nmi, "ari": scores.ari}
            log.debug(f"iteration {pl_module.iteration}: {row}")
            for logger in trainer.loggers:
                logger.log_metrics(row, step=pl_module.iteration)

    def measure(self, module: InfoGAN, images: int | None) -> ClusterScores | None:
        """Scores over the first `images` of each split, None for all of them; None where no code fits the labels."""
        code = scored_code(module, self.data)
        if code is None:
            return None
        clusters, labels = {}, {}
        splits: tuple[Split, Split] = ("train", "test")
        for split in splits:
            q = encode(module.discriminator, self.data.batches(split, BATCH_SIZE, images))
            clusters[split] = module.latents.split_posterior(q)[code.name].argmax(dim=1).numpy()
            labels[split] = self.data.split(split).labels[:images].numpy()
        table = contingency(clusters["train"], labels["train"], self.data.classes, self.data.classes)
        matching = one_to_one_matching(table)
        self.matching = matching.tolist()
        return ClusterScores(
            accuracy(clusters["test"], labels["test"], matching),
            normalised_mutual_information(clusters["test"], labels["test"]),
            adjusted_rand_index(clusters["test"], labels["test"]),
            self.matching,
        )

    def state_dict(self) -> dict[str, Any]:
        return {"matching": self.matching}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.matching = state_dict["matching"]


def scored_code(module: InfoGAN, data: ImageDataModule) -> Code | None:
    """The first code with as many categories as the data set has classes; a one-to-one ACC needs one."""
    return next((code for code in module.latents.codes if code.classes == data.classes), None)
