"""The categorical code as a classifier, while training and at the end."""

import logging
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
from torch import Tensor

from datamodules.base import ImageDataModule
from datamodules.store import SPLITS
from infogan.inference import encode
from infogan.latents import Categorical, Code
from infogan.metrics.clustering import (
    accuracy,
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
    one_to_one_matching,
)
from infogan.metrics.factors import rotation_score, spearman
from infogan.module import InfoGAN

log = logging.getLogger("infogan")

BATCH_SIZE = 500

FACTOR_LEVELS = 100
"""A factor with more different values is taken for continuous, and NMI is not given for it."""


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
        for split in SPLITS:
            q = encode(module.discriminator, self.data.batches(split, BATCH_SIZE, images))
            clusters[split] = module.latents.split_posterior(q)[code.name].argmax(dim=1).numpy()
            labels[split] = self.data.labels(split)[:images].numpy()
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


def factor_scores(module: InfoGAN, data: ImageDataModule) -> dict[str, dict[str, dict[str, float]]]:
    """How each code goes with each label and known factor of the whole test split: score → code → factor → value.

    spearman: absolute, continuous codes, see `metrics.factors`. rotation: the same codes with angles over the full
    turn. nmi: categorical codes with the labels and with factors of at most FACTOR_LEVELS different values. Empty where
    the data set has neither labels nor factors.
    """
    test = data.split("test")
    columns = {} if test.factors is None else dict(zip(data.factor_names, test.factors.numpy().T, strict=True))
    if test.labels is not None:
        columns = {"label": test.labels.numpy(), **columns}
    if not columns:
        return {}
    q = encode(module.discriminator, data.batches("test", BATCH_SIZE))
    means = module.latents.split(module.latents.posterior_mean(q))
    found: dict[str, dict[str, dict[str, float]]] = {"spearman": {}, "rotation": {}, "nmi": {}}
    for code in module.latents.codes:
        mean = means[code.name].numpy()
        if isinstance(code, Categorical):
            levels = {name: np.unique(values, return_inverse=True) for name, values in columns.items()}
            found["nmi"][code.name] = {
                name: normalised_mutual_information(mean.argmax(axis=1), index)
                for name, (values, index) in levels.items()
                if len(values) <= FACTOR_LEVELS
            }
            continue
        if test.factors is not None:
            table = spearman(mean, test.factors.numpy())[0]
            found["spearman"][code.name] = dict(zip(data.factor_names, table.tolist(), strict=True))
        found["rotation"][code.name] = {
            name: rotation_score(code.unit(mean[:, 0]), np.deg2rad(columns[name]))
            for name in data.full_turns
            if name in columns
        }
    return {score: by_code for score, by_code in found.items() if any(by_code.values())}


def scored_code(module: InfoGAN, data: ImageDataModule) -> Code | None:
    """The first code with as many categories as the data set has classes; a one-to-one ACC needs one."""
    return next((code for code in module.latents.codes if code.classes == data.classes), None)
