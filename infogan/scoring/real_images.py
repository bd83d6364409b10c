"""Real images as Q reads them, beside what is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from infogan.codes.draws import Draws
from infogan.config.regularisers import Transforms
from infogan.datamodules.store import Split, drawn_rows
from infogan.networks.value_range import scaled
from infogan.objective.transforms import numbers, transformed
from infogan.trained.inference import encode
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule


BATCH_SIZE = 500

MILD = Transforms(rotation=15.0, scale=0.15, shear=0.2, shift=0.075)
"""Transforms that leave what is on an image the same for all but images whose pose is their content: degrees, a share
of the size, a slope, a share of the width."""

DRAWS = Draws(numbers(MILD), 0, "uniform")


@dataclass(frozen=True)
class EncodedImages:
    """Images of one split as Q reads them: (N, outputs); their labels (N,) and factors (N, F) where there are some."""

    q: Tensor
    labels: np.ndarray | None
    factors: np.ndarray | None


def encode_split(
    trained: Trained, data: "ImageDataModule", split: Split, most: int, seed: int, changed: bool = False
) -> EncodedImages:
    """At most `most` images of a split, drawn by `seed`, in the split's order; `changed`: each as a mild transform of
    it, drawn by `seed` too, leaves it."""
    images = data.split(split)
    rows = drawn_rows(len(images.images), most, seed)

    def batches() -> Iterator[Tensor]:
        for first, part in zip(range(0, len(rows), BATCH_SIZE), rows.split(BATCH_SIZE), strict=True):
            batch = scaled(images.images[part], data.value_range)
            if changed:
                u = DRAWS.draw(seed, "mild transforms", 0, range(first, first + len(part)))
                batch = transformed(batch, u, MILD, data.value_range)
            yield batch

    labels, factors = images.labels, images.factors
    return EncodedImages(
        encode(trained.discriminator, batches()),
        None if labels is None else labels[rows].numpy(),
        None if factors is None else factors[rows].numpy(),
    )
