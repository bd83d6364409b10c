"""SVHN: house numbers from street view, 32×32 in colour, cropped to one digit."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Chunk, Originals, Part
from infogan.datamodules.sources.download import verified
from infogan.errors import DataError

SIZES = {"train": 73_257, "extra": 531_131}


class SVHN(ImageDataModule):
    """torchvision's files, `SVHN/train_32x32.mat` and so on; `extra` adds the 531,131 easier images to train on."""

    data_set = "svhn"
    licence = "for non-commercial use (the authors)"
    image_shape = (3, 32, 32)

    md5: ClassVar[dict[str, str]] = {
        "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test": "eb5a983be6a315427106f1b164d9cef3",
        "extra": "a93ce644f1a588dc4d68dda5feec44a7",
    }

    def __init__(self, context: DataContext, extra: bool) -> None:
        super().__init__(context)
        self.extra = extra
        self.expected_train_size = SIZES["train"] + (SIZES["extra"] if extra else 0)

    def options(self) -> dict[str, Any]:
        return {"extra": self.extra}

    def files(self) -> list[Path]:
        names = ("train", "test", "extra") if self.extra else ("train", "test")
        return [path for name in names if (path := self._path(name)).is_file()]

    def originals(self) -> Originals:
        train = [self._read("train"), *([self._read("extra")] if self.extra else [])]
        source = f"{self.root / 'SVHN'}, the authors' cropped digits"
        return Originals(_part(train), _part([self._read("test")]), source, tuple("0123456789"))

    def _path(self, name: str) -> Path:
        return self.root / "SVHN" / f"{name}_32x32.mat"

    def _read(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The images of one file, (32, 32, 3, N) as it holds them, and labels, (N,) with 0 for the digit 0."""
        from scipy.io import loadmat

        path = self._path(name)
        if not path.is_file():
            self._download(name)
        verified(path, self.md5[name])
        try:
            contents = loadmat(path, variable_names=["X", "y"])
            images, labels = contents["X"], contents["y"].ravel().astype(np.int64)
        except Exception as error:  # SciPy lets many kinds of errors of damaged files through
            raise DataError(f"{path} is damaged: {' '.join(str(error).split())}") from None
        if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)):
            raise DataError(f"{path}: X is {images.dtype} of {images.shape}, y of {labels.shape}: not SVHN's layout")
        return images, labels % 10

    def _download(self, name: str) -> None:
        from torchvision import datasets

        print(f"SVHN's {name} images are not in {self.root}: downloading")
        try:
            datasets.SVHN(str(self.root / "SVHN"), split=name, download=True)
        except Exception as error:  # torchvision lets any kind of network error through
            raise DataError(
                f"SVHN could not be downloaded ({type(error).__name__}): put {self._path(name).name} into "
                f"{self.root / 'SVHN'}, or name the folder above with paths.data or INFOGAN_DATA"
            ) from None


def _part(files: list[tuple[np.ndarray, np.ndarray]]) -> Part:
    """The files one after the other. They keep the images in their last axis: turned a chunk at a time."""
    starts = np.cumsum([0, *(len(labels) for _, labels in files)])

    def make(rows: range) -> Chunk:
        pieces = [
            images[..., max(rows.start - start, 0) : max(rows.stop - start, 0)].transpose(3, 2, 0, 1)
            for (images, _), start in zip(files, starts[:-1], strict=True)
        ]
        return Chunk(np.concatenate(pieces))

    return Part(int(starts[-1]), make, np.concatenate([labels for _, labels in files]))
