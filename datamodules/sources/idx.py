"""The idx files of MNIST and its relatives: found unpacked or as .gz, checked, downloaded where missing."""

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from infogan.datamodules.build_store import Originals, Part, part_of_arrays
from infogan.datamodules.sources.official import own
from infogan.errors import DataError

HEADER = {1: 8, 3: 16}
"""Bytes before the data: magic number and one size a dimension, four bytes each."""

LARGEST = 2**26
"""Bytes of an unpacked file that are looked at: MNIST's largest has 47 million."""

SHAPES = {"images": (28, 28), "labels": ()}
"""Of one entry, by what the file's name says."""

SIZES = {"train": 60_000, "t10k": 10_000}
"""Entries of the official files, likewise."""

TorchvisionName = Literal["MNIST", "FashionMNIST"]


def read_idx(root: Path, data_set: TorchvisionName, file: str, md5: str) -> tuple[np.ndarray, str | None]:
    """The uint8 array in `root/<data_set>/raw/<file>` or `<file>.gz`, downloaded by torchvision where neither is there,
    and a remark where the contents (unpacked) do not have this md5: a part of the official file is the user's own.

    Raises DataError where they are not whole or as many as in the official file, or where nothing can be had.
    """
    path = root / data_set / "raw" / file
    packed = path.with_name(path.name + ".gz")
    if not path.is_file() and not packed.is_file():
        download(root, data_set)
    place = path if path.is_file() else packed
    contents = unpacked(place)
    found = md5_of(contents)
    array = parsed(contents)
    split, kind, *_ = file.split("-")
    if array is None or array.shape[1:] != SHAPES[kind]:
        raise DataError(
            f"{place} is not the official file (md5 {found}, expected {md5}), nor a part of it that is whole: delete "
            "it to download it again"
        )
    return array, None if found == md5 else own(place, found, md5, len(array), SIZES[split])


def unpacked(place: Path) -> bytes:
    """The contents of a file, or of a .gz; up to LARGEST, since what is longer is no such file. Raises DataError."""
    try:
        with gzip.open(place) if place.suffix == ".gz" else place.open("rb") as stream:
            return stream.read(LARGEST)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{place} could not be read: {error}; delete it to download it again") from None


def md5_of(contents: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.md5(contents, usedforsecurity=False).hexdigest()


def parsed(contents: bytes) -> np.ndarray | None:
    """The array of an idx file of bytes. None where it is none, or its sizes are not those of what it holds."""
    if contents[:3] != b"\0\0\x08" or contents[3:4] not in (b"\1", b"\3"):
        return None
    header = HEADER[contents[3]]
    shape = [int(size) for size in np.frombuffer(contents[4:header].ljust(header - 4, b"\xff"), ">u4")]
    if math.prod(shape) != len(contents) - header:
        return None
    return np.frombuffer(contents, np.uint8, offset=header).reshape(shape).copy()


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
    folder, remarks = root / data_set / "raw", []
    refuse_to_overwrite(folder, md5)

    def part(prefix: str) -> Part:
        names = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
        (images, remark), (labels, _) = (read_idx(root, data_set, file, md5[file]) for file in names)
        if len(images) != len(labels):
            raise DataError(f"{folder}: {len(images):,} images in {names[0]}, {len(labels):,} labels in {names[1]}")
        if labels.max(initial=0) >= len(class_names):
            raise DataError(f"{folder / names[1]}: labels up to {labels.max()} for {len(class_names)} classes")
        remarks.extend([remark] if remark else [])
        return part_of_arrays(images[:, None], labels)

    train, test = part("train"), part("t10k")
    return Originals(train, test, f"{folder}, torchvision's layout", class_names, remarks=tuple(remarks))


def refuse_to_overwrite(folder: Path, md5: Mapping[str, str]) -> None:
    """torchvision downloads all four files. Raises DataError where one is missing, and one that is there is not the
    official one, but whole: the user's own.
    """
    there = {file: [place for place in (folder / file, folder / f"{file}.gz") if place.is_file()] for file in md5}
    missing = [file for file, places in there.items() if not places]
    for file, places in there.items() if missing else ():
        for contents in map(unpacked, places):
            if md5_of(contents) != md5[file] and parsed(contents) is not None:
                raise DataError(
                    f"{places[0]} is not the official file, and would be replaced by a download of "
                    f"{', '.join(missing)}: put these beside it, or move it away"
                )


def idx_files(root: Path, data_set: TorchvisionName, md5: Mapping[str, str]) -> list[Path]:
    """Those of the files that are there, unpacked or packed."""
    places = [root / data_set / "raw" / f"{file}{suffix}" for file in md5 for suffix in ("", ".gz")]
    return [place for place in places if place.is_file()]
