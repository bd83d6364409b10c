"""SVHN: house numbers from street view, 32×32 in colour, cropped to one digit; or such numbers rendered here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Chunk, Originals, Part
from infogan.datamodules.rendering.makers import HouseNumberMaker
from infogan.datamodules.sources.mat import arrays_of_mat
from infogan.datamodules.sources.official import md5_of, own
from infogan.errors import DataError

SIZES = {"train": 73_257, "test": 26_032, "extra": 531_131}
"""Images in the official files."""

RENDERER = 1
"""Counts up when rendered house numbers come to look different: stores of older ones are then made again."""

LARGEST = sum(SIZES.values()) * 32 * 32 * 3
"""Numbers in one file of whoever it is."""


@dataclass(frozen=True)
class Digits:
    """One file. `images`: (32, 32, 3, N) uint8, as it holds them. `labels`: (N,), with 0 for the digit 0."""

    images: np.ndarray
    labels: np.ndarray
    remark: str | None = None


class SVHN(ImageDataModule):
    """source=official: torchvision's files, `SVHN/train_32x32.mat` and so on, or parts of them in the same layout;
    `extra` adds the 531,131 easier images to train on.

    source=rendered: `images` house numbers that are drawn here, a tenth of them held out to test, with known factors.
    """

    data_set = "svhn"
    full_turns = ("digit_hue", "ground_hue", "direction")
    unordered = ("font", "neighbours")
    image_shape = (3, 32, 32)

    md5: ClassVar[dict[str, str]] = {
        "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test": "eb5a983be6a315427106f1b164d9cef3",
        "extra": "a93ce644f1a588dc4d68dda5feec44a7",
    }

    def __init__(self, context: DataContext, source: Literal["official", "rendered"], extra: bool, images: int) -> None:
        super().__init__(context)
        self.source, self.extra, self.images = source, extra, images
        if source == "rendered":
            self.licence = "MIT, as this code (the fonts are free)"
            self.expected_train_size = len(held_out(images)[0])
        else:
            self.licence = "for non-commercial use (the authors)"
            self.expected_train_size = SIZES["train"] + (SIZES["extra"] if extra else 0)

    def options(self) -> dict[str, Any]:
        if self.source == "rendered":
            return {"source": "rendered", "renderer": RENDERER, "images": self.images}
        return {"extra": self.extra}

    def files(self) -> list[Path]:
        if self.source == "rendered":
            return []
        names = ("train", "test", "extra") if self.extra else ("train", "test")
        return [path for name in names if (path := self._path(name)).is_file()]

    def originals(self) -> Originals:
        return self._rendered() if self.source == "rendered" else self._official()

    def _rendered(self) -> Originals:
        from infogan.datamodules.rendering.house_numbers import FACTORS, digits

        def part(rows: range) -> Part:
            return Part(len(rows), HouseNumberMaker(rows.start), digits(rows, 0), parallel=True)

        count = len(held_out(self.images)[0])
        parts = part(range(count)), part(range(count, self.images))
        return Originals(*parts, "house numbers of free fonts, rendered here", tuple("0123456789"), FACTORS)

    def _official(self) -> Originals:
        train, test = (
            [self._read(name) for name in (("train", "extra") if self.extra else ("train",))],
            self._read("test"),
        )
        source = f"{self.root / 'SVHN'}, the authors' cropped digits"
        remarks = tuple(file.remark for file in (*train, test) if file.remark)
        return Originals(_part(train), _part([test]), source, tuple("0123456789"), remarks=remarks)

    def _path(self, name: str) -> Path:
        return self.root / "SVHN" / f"{name}_32x32.mat"

    def _read(self, name: str) -> Digits:
        """The official file, or one of the user's own that is whole."""
        path = self._path(name)
        if not path.is_file():
            self._download(name)
        found = md5_of(path)
        try:
            contents = _official(path) if found == self.md5[name] else arrays_of_mat(path, ["X", "y"], LARGEST)
            images, labels = contents["X"], contents["y"].ravel().astype(np.int64)
        except Exception as error:  # SciPy lets many kinds of errors of damaged files through
            raise DataError(f"{path} is damaged: {' '.join(str(error).split())}") from None
        if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)):
            raise DataError(f"{path}: X is {images.dtype} of {images.shape}, y of {labels.shape}: not SVHN's layout")
        if not ((labels >= 0) & (labels <= 10)).all():
            raise DataError(f"{path}: y holds {labels.min()} to {labels.max()}, not 1 to 10 as SVHN does")
        remark = None if found == self.md5[name] else own(path, found, self.md5[name], len(labels), SIZES[name])
        return Digits(images, labels % 10, remark)

    def _download(self, name: str) -> None:
        from torchvision import datasets

        print(f"SVHN's {name} images are not in {self.root}: downloading")
        try:
            datasets.SVHN(str(self.root / "SVHN"), split=name, download=True)
        except Exception as error:  # torchvision lets any kind of network error through
            raise DataError(
                f"SVHN could not be downloaded ({type(error).__name__}): put {self._path(name).name} into "
                f"{self.root / 'SVHN'}, name the folder above with paths.data or INFOGAN_DATA, or train on house "
                "numbers that are drawn here: data.source=rendered (about a minute on two cores)"
            ) from None


def _official(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat

    return loadmat(path, variable_names=["X", "y"])


def _part(files: list[Digits]) -> Part:
    """The files one after the other. They keep the images in their last axis: turned a chunk at a time."""
    starts = np.cumsum([0, *(len(file.labels) for file in files)])

    def make(rows: range) -> Chunk:
        pieces = [
            file.images[..., max(rows.start - start, 0) : max(rows.stop - start, 0)].transpose(3, 2, 0, 1)
            for file, start in zip(files, starts[:-1], strict=True)
        ]
        return Chunk(np.concatenate(pieces))

    return Part(int(starts[-1]), make, np.concatenate([file.labels for file in files]))
