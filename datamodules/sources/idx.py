"""The idx files of MNIST and its relatives: found unpacked or as .gz, checked by md5, downloaded where missing."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from infogan.datamodules.build_store import Originals, Part, part_of_arrays
from infogan.errors import DataError

HEADER = {1: 8, 3: 16}
"""Bytes before the data: magic number and one size a dimension, four bytes each."""

LARGEST = 2**26
"""Bytes of an unpacked file that are looked at: MNIST's largest has 47 million."""

TorchvisionName = Literal["MNIST", "FashionMNIST"]


def read_idx(root: Path, data_set: TorchvisionName, file: str, md5: str) -> np.ndarray:
    """The uint8 array in `root/<data_set>/raw/<file>` or `<file>.gz`, downloaded by torchvision where neither is there.

    Raises DataError where the contents (unpacked) do not have this md5, or where nothing can be had.
    """
    path = root / data_set / "raw" / file
    packed = path.with_name(path.name + ".gz")
    if not path.is_file() and not packed.is_file():
        download(root, data_set)
    try:
        with path.open("rb") if path.is_file() else gzip.open(packed) as stream:
            contents = stream.read(LARGEST)  # what is longer has another md5
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{packed if not path.is_file() else path} could not be read: {error}") from None
    found = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    if found != md5:
        place = path if path.is_file() else packed
        raise DataError(
            f"{place} is not the official file (md5 {found}, expected {md5}): delete it to download it anew"
        )
    dimensions = contents[3]
    shape = np.frombuffer(contents, ">u4", count=dimensions, offset=4)
    return np.frombuffer(contents, np.uint8, offset=HEADER[dimensions]).reshape(shape).copy()


def download(root: Path, data_set: TorchvisionName) -> None:
    """All four files through torchvision, with its progress bar. Raises DataError where that fails."""
    from torchvision import datasets

    print(f"{data_set} is not in {root}: downloading")
    try:
        getattr(datasets, data_set)(str(root), download=True)
    except Exception as error:  # torchvision lets any kind of network error through
        raise DataError(
            f"{data_set} could not be downloaded ({type(error).__name__}): put train-images-idx3-ubyte, "
            f"train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or their .gz) into "
            f"{root / data_set / 'raw'}, or name the folder above with paths.data or INFOGAN_DATA"
        ) from None


def idx_originals(
    root: Path, data_set: TorchvisionName, md5: Mapping[str, str], class_names: tuple[str, ...]
) -> Originals:
    """Both splits, images (N, 1, H, W); `md5` by file name. Raises as `read_idx`."""

    def part(prefix: str) -> Part:
        images, labels = (
            read_idx(root, data_set, file, md5[file])
            for file in (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        )
        return part_of_arrays(images[:, None], labels)

    source = f"{root / data_set / 'raw'}, torchvision's layout"
    return Originals(part("train"), part("t10k"), source, class_names)


def idx_files(root: Path, data_set: TorchvisionName, md5: Mapping[str, str]) -> list[Path]:
    """Those of the files that are there, unpacked or packed."""
    places = [root / data_set / "raw" / f"{file}{suffix}" for file in md5 for suffix in ("", ".gz")]
    return [place for place in places if place.is_file()]
