"""A data set of noise in any size: what is in an image does not change what it costs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infogan.config.data import DataSection
from infogan.config.fields import Positive
from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Chunk, Originals, Part

REPEATED = 256


class SyntheticSection(DataSection):
    """`data.name=benchmarks.synthetic:Synthetic`."""

    count: Positive
    shape: list[Positive]
    classes: int


class Synthetic(ImageDataModule):
    """`count` images of noise to train on, with labels where `classes` is not 0, and 2,000 to test on."""

    data_set = "synthetic"
    section = SyntheticSection
    licence = "none needed"

    def __init__(self, context: DataContext, count: int, shape: Sequence[int], classes: int = 0) -> None:
        super().__init__(context)
        channels, height, width = shape
        self.count, self.image_shape, self.label_count = count, (channels, height, width), classes

    def options(self) -> dict[str, Any]:
        return {"count": self.count, "shape": list(self.image_shape), "classes": self.label_count}

    def originals(self) -> Originals:
        noise = np.random.default_rng(0).integers(0, 256, (REPEATED, *self.image_shape), dtype=np.uint8)

        def make(rows: range) -> Chunk:
            return Chunk(noise[np.arange(rows.start, rows.stop) % REPEATED])

        def part(count: int) -> Part:
            return Part(count, make, np.arange(count) % self.label_count if self.label_count else None)

        return Originals(part(self.count), part(2000), "noise", tuple(str(k) for k in range(self.label_count)))
