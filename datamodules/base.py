"""What all data sets share: uint8 images in memory, a batch order that can be resumed, scaling on the device."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, cast

import lightning as L
import numpy as np
import torch
from torch import Tensor

from infogan.errors import DataError
from infogan.pixels import scaled

Split = Literal["train", "test"]


@dataclass(frozen=True)
class LabelledImages:
    """`images`: (N, C, H, W) uint8. `labels`: (N,) int64."""

    images: Tensor
    labels: Tensor


class ImageDataModule(L.LightningDataModule, ABC):
    """Images of one data set for training, and both its splits for scores and figures.

    A data set is a subclass that names itself, its image shape (channels, height, width), its classes and the size
    of its training split, and reads a split.
    """

    data_set: ClassVar[str]
    image_shape: ClassVar[tuple[int, int, int]]
    class_names: ClassVar[tuple[str, ...]]
    train_size: ClassVar[int]

    def __init__(self, root: Path, batch_size: int, value_range: tuple[float, float], seed: int) -> None:
        super().__init__()
        self.root = root
        self.batch_size = batch_size
        self.value_range = value_range
        self.seed = seed
        self._splits: dict[Split, LabelledImages] = {}

    @abstractmethod
    def read(self, split: Split) -> LabelledImages:
        """The whole split, from the originals under `root`. Raises DataError where they are missing or damaged."""

    def split(self, split: Split) -> LabelledImages:
        """The whole split, read once."""
        if split not in self._splits:
            data = self.read(split)
            if tuple(data.images.shape[1:]) != self.image_shape:
                raise DataError(
                    f"data={self.data_set}: images are {tuple(data.images.shape[1:])}, not {self.image_shape}"
                )
            self._splits[split] = data
        return self._splits[split]

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return len(self.class_names)

    def batches(self, split: Split, batch_size: int, limit: int | None = None) -> Iterator[Tensor]:
        """The split in its own order, as float32 in `value_range`; the first `limit` images where that is given."""
        for part in self.split(split).images[:limit].split(batch_size):
            yield scaled(part, self.value_range)

    def prepare_data(self) -> None:
        """Sees to it that the originals are there and whole, before anything else is made."""
        self.split("train")
        self.split("test")

    def setup(self, stage: str) -> None:
        self.split("train")

    def train_dataloader(self) -> "BatchStream":
        """Batches from where the module's iteration counter stands, on this process's share of each."""
        trainer = self.trainer
        assert trainer is not None
        return BatchStream(
            self.split("train").images,
            self.batch_size,
            self.seed,
            start=cast(int, trainer.lightning_module.iteration),
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            pin=trainer.strategy.root_device.type == "cuda",
        )

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Tensor:
        return scaled(batch, self.value_range)


class BatchStream:
    """An endless stream of uint8 batches, (batch_size / ranks, C, H, W), one an iteration.

    Which images make up a batch depends on (seed, iteration) alone, so a run resumes in the middle of an epoch.
    Lightning's own epochs are not used: their counters are one batch off in a checkpoint made in the middle of one.
    """

    def __init__(
        self, images: Tensor, batch_size: int, seed: int, start: int, rank: int = 0, ranks: int = 1, pin: bool = False
    ) -> None:
        self.images, self.batch_size, self.seed, self.start = images, batch_size, seed, start
        self.rank, self.ranks, self.pin = rank, ranks, pin

    def __iter__(self) -> Iterator[Tensor]:
        batches = len(self.images) // self.batch_size
        epoch, position = divmod(self.start, batches)
        while True:
            order = torch.from_numpy(epoch_order(self.seed, epoch, len(self.images)))
            for first in range(position * self.batch_size, batches * self.batch_size, self.batch_size):
                share = order[first : first + self.batch_size][self.rank :: self.ranks]
                batch = self.images.index_select(0, share)
                yield batch.pin_memory() if self.pin else batch
            epoch, position = epoch + 1, 0


def epoch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    """A permutation of `size` images, a pure function of seed and epoch: (size,) int64."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, epoch)))).permutation(size)
