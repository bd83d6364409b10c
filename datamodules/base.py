"""What all data sets share: a store of uint8 images, a batch order that can be resumed, scaling on the device."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, cast

import lightning as L
import numpy as np
import torch
from torch import Tensor

from infogan.config.data import DataSection
from infogan.datamodules.build_store import Originals, build_store, building, expected
from infogan.datamodules.store import LabelledImages, Split, Store, fingerprint, open_store, store_folder
from infogan.errors import DataError
from infogan.networks.value_range import scaled
from infogan.objective.play import GAME
from infogan.run_folder.amounts import allow


@dataclass(frozen=True)
class DataContext:
    """What every data set is given. `root`: where the originals lie; `stores`: where their stores do. `batch_size`
    images an iteration, over all devices; `seed` orders them; the networks see them in `value_range`.
    """

    root: Path
    stores: Path
    batch_size: int
    value_range: tuple[float, float]
    seed: int


class ImageDataModule(L.LightningDataModule, ABC):
    """Images of one data set for training, and both its splits for scores and figures.

    A data set is a subclass that names itself and its licence, knows the shape of its images (channels, height, width),
    and reads its originals. They are read once, into a store.
    """

    data_set: ClassVar[str]
    section: ClassVar[type[DataSection]]
    """The schema of its options, where the data set is one of another package."""
    licence: str
    image_shape: tuple[int, int, int]
    expected_train_size: int | None = None
    """How many images there are to train on, where that is known before the originals are read: as published."""
    full_turns: tuple[str, ...] = ()
    """Factors that are angles in degrees over the full turn."""
    unordered: tuple[str, ...] = ()
    """Factors whose values are names: a larger number does not mean more."""
    reader: int | None = None
    """Counts up when the same originals come to give other images: stores made before are then made again."""

    def __init__(self, context: DataContext) -> None:
        super().__init__()
        self.root, self.stores = context.root, context.stores
        self.batch_size, self.value_range, self.seed = context.batch_size, context.value_range, context.seed
        self._store: Store | None = None
        self._splits: dict[Split, LabelledImages] = {}

    @abstractmethod
    def originals(self) -> Originals:
        """The originals under `root`, downloaded or rendered where that can be. Raises DataError where it cannot."""

    def files(self) -> Iterable[Path]:
        """The originals that are there: a store made from others is built again. Empty where it needs none."""
        return ()

    def options(self) -> dict[str, Any]:
        """What the store depends on, beside the data set: plain values."""
        return {}

    def prepare_data(self) -> None:
        """Sees to it that the store is there and whole, before anything else is made. Says so when it builds one."""
        if self._store is not None:
            return
        store = self._up_to_date()
        if store is None:
            with building(self.store_folder):
                store = self._up_to_date() or self._build()
        store.verify()
        self._store = store

    @property
    def store_folder(self) -> Path:
        """Where the store of these options lies."""
        return store_folder(self.stores, self.data_set, self.options())

    def _up_to_date(self) -> Store | None:
        """The store that is there, if it was made from the originals that are there, or these have been removed."""
        store = open_store(self.store_folder)
        current = fingerprint(self.files(), self.reader)
        return store if store and current in (None, store.manifest["fingerprint"]) else None

    def _build(self) -> Store:
        print(f"data={self.data_set}: making the image store {self.store_folder}")
        originals = self.originals()
        images = originals.train.count + originals.test.count
        allow(f"data={self.data_set}", amount := expected(originals, self.image_shape), self.store_folder)
        print(f"data={self.data_set}: {images:,} images, {amount}")
        for remark in originals.remarks:
            print(f"data={self.data_set}: {remark}")
        origin = fingerprint(self.files(), self.reader)  # they may have been downloaded just now
        store = build_store(self.store_folder, originals, self.image_shape, self.data_set, self.options(), origin)
        for split, entry in store.manifest["splits"].items():
            if entry["skipped"]:
                print(f"data={self.data_set}: {entry['skipped']} broken images of the {split} split were left out")
        return store

    def setup(self, stage: str) -> None:
        self.split("train")

    @property
    def store(self) -> Store:
        """The store, made where it is not there. Other ranks than the first open what that one has made."""
        if self._store is None:
            self._store = open_store(self.store_folder)
        if self._store is None:
            self.prepare_data()
        return cast(Store, self._store)

    def split(self, split: Split) -> LabelledImages:
        """The whole split, mapped into memory once."""
        if split not in self._splits:
            self._splits[split] = self.store.split(split)
        return self._splits[split]

    def labels(self, split: Split) -> Tensor:
        """The split's labels, (N,) int64. Raises DataError where it has none."""
        labels = self.split(split).labels
        if labels is None:
            raise DataError(f"data={self.data_set} has no labels")
        return labels

    @property
    def train_size(self) -> int:
        """How many images there are to train on."""
        return self.store.count("train")

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels mean, in their order; empty where there are none."""
        return self.store.class_names

    @property
    def factor_names(self) -> tuple[str, ...]:
        """What the columns of the factors mean; empty where none are known."""
        return self.store.factor_names

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return len(self.class_names)

    def batches(self, split: Split, batch_size: int, rows: Tensor | None = None) -> Iterator[Tensor]:
        """The split in its own order, as float32 in `value_range`; these `rows` of it where they are given."""
        images = self.split(split).images
        for part in torch.arange(len(images)).split(batch_size) if rows is None else rows.split(batch_size):
            yield scaled(images[part], self.value_range)

    def train_dataloader(self) -> "TrainingBatches":
        """Batches from where the module's iteration counter stands, on this process's share of each."""
        trainer = self.trainer
        assert trainer is not None
        images, device = self.split("train").images, trainer.strategy.root_device
        if device.type == "cuda" and images.nbytes < SHARE_OF_DEVICE * torch.cuda.mem_get_info(device)[0]:
            images = images.to(device)
        module = cast(Any, trainer.lightning_module)
        return TrainingBatches(
            images,
            self.batch_size,
            self.seed,
            start=module.iteration,
            further=module.further_images,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            pin=device.type == "cuda" and images.device != device,
        )

    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        return {name: scaled(images, self.value_range) for name, images in batch.items()}


SHARE_OF_DEVICE = 0.25
"""Of a GPU's free memory, which the images may take; else they stay on the host, and batches are copied."""


class BatchStream:
    """An endless stream of batches, (batch_size / ranks, …) of the rows of `images`, where these are.

    Which rows make up a batch depends on (seed, name of the stream, iteration) alone, so a run resumes in the middle of
    an epoch. Lightning's own epochs are not used: their counters are one batch off in a checkpoint made in the middle
    of one.
    """

    def __init__(
        self, images: Tensor, batch_size: int, seed: int, name: str = "", rank: int = 0, ranks: int = 1
    ) -> None:
        self.images, self.batch_size, self.seed, self.name = images, batch_size, seed, name
        share = batch_size // ranks
        self._share = slice(rank * share, (rank + 1) * share)
        self._epoch, self._order = -1, torch.empty(0)

    def at(self, iteration: int) -> Tensor:
        """This process's share of the batch of an iteration, counted from 0."""
        epoch, position = divmod(iteration, len(self.images) // self.batch_size)
        if epoch != self._epoch:
            order = epoch_order(self.seed, epoch, len(self.images), self.name)
            self._epoch, self._order = epoch, torch.from_numpy(order).to(self.images.device)
        rows = self._order[position * self.batch_size : (position + 1) * self.batch_size]
        return self.images.index_select(0, rows[self._share])


@dataclass(frozen=True)
class TrainingBatches:
    """An endless stream of what each iteration from `start` on is given: uint8 images by who wants them, the game, and
    with further images `further` of the iteration says how many for whom."""

    images: Tensor
    batch_size: int
    seed: int
    start: int
    further: Callable[[int], Mapping[str, int]]
    rank: int = 0
    ranks: int = 1
    pin: bool = False

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        streams = {GAME: BatchStream(self.images, self.batch_size, self.seed, "", self.rank, self.ranks)}
        for iteration in count(self.start):
            wanted = self.further(iteration)
            for name in wanted.keys() - streams.keys():
                streams[name] = BatchStream(self.images, wanted[name], self.seed, name, self.rank, self.ranks)
            batches = {name: streams[name].at(iteration) for name in (GAME, *wanted)}
            yield {name: batch.pin_memory() if self.pin else batch for name, batch in batches.items()}


def epoch_order(seed: int, epoch: int, size: int, name: str = "") -> np.ndarray:
    """A permutation of `size` images, a pure function of seed, epoch and the name of the stream: (size,) int64."""
    key = (seed, epoch, zlib.crc32(name.encode())) if name else (seed, epoch)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key))).permutation(size)


TEST_SHARE = 0.1


def held_out(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """For originals without a split: rows to train on, and a tenth to test on, the same for every run. Both sorted."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(count)
    test = max(1, round(TEST_SHARE * count))
    return np.sort(order[test:]), np.sort(order[:test])
