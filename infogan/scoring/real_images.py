"""Real images as Q reads them, beside what is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from infogan.datamodules.store import Split
from infogan.networks.value_range import scaled
from infogan.trained.inference import encode
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule


BATCH_SIZE = 500


@dataclass(frozen=True)
class EncodedImages:
    """Images of one split as Q reads them: (N, outputs); their labels (N,) and factors (N, F) where there are some."""

    q: Tensor
    labels: np.ndarray | None
    factors: np.ndarray | None


def encode_split(trained: Trained, data: "ImageDataModule", split: Split, most: int, seed: int) -> EncodedImages:
    """At most `most` images of a split, drawn by `seed`, in the split's order."""
    images = data.split(split)
    rows = torch.arange(len(images.images))
    if len(rows) > most:
        rows = torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(rows))[:most]))

    def batches() -> Iterator[Tensor]:
        for part in rows.split(BATCH_SIZE):
            yield scaled(images.images[part], data.value_range)

    labels, factors = images.labels, images.factors
    return EncodedImages(
        encode(trained.discriminator, batches()),
        None if labels is None else labels[rows].numpy(),
        None if factors is None else factors[rows].numpy(),
    )
