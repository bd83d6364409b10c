"""Real images as Q reads them, beside what is known of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from infogan.datamodules.store import Split
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
    images, rows = data.split(split), data.sample(split, most, seed)
    labels, factors = images.labels, images.factors
    return EncodedImages(
        encode(trained.discriminator, data.batches(split, BATCH_SIZE, rows)),
        None if labels is None else labels[rows].numpy(),
        None if factors is None else factors[rows].numpy(),
    )
