"""The image store: originals decoded once into flat uint8 files, mapped into memory ever after.

`<stores>/<data set>/<key>/` holds a manifest and, for each split, the images (count × C × H × W bytes), and where there
are some the labels (int64) and the factors (float32). The key is a function of the data set and its options.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from infogan.errors import DataError

FORMAT = 1

Split = Literal["train", "test"]

SPLITS: tuple[Split, Split] = ("train", "test")


@dataclass(frozen=True)
class LabelledImages:
    """`images`: (N, C, H, W) uint8. `labels`: (N,) int64 or None. `factors`: (N, F) float32 or None."""

    images: Tensor
    labels: Tensor | None = None
    factors: Tensor | None = None


@dataclass(frozen=True)
class Store:
    """A finished store."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.manifest["class_names"])

    @property
    def factor_names(self) -> tuple[str, ...]:
        return tuple(self.manifest["factor_names"])

    def count(self, split: Split) -> int:
        """How many images the split holds."""
        return int(self.manifest["splits"][split]["count"])

    def split(self, split: Split) -> LabelledImages:
        """The split, mapped into memory: pages are read when they are used and shared by all processes."""
        count = self.count(split)
        files = self.manifest["splits"][split]["files"]

        def mapped(kind: str, dtype: type, *shape: int) -> Tensor | None:
            if kind not in files:
                return None
            # Copy on write, since PyTorch knows no read-only tensors; nothing writes.
            return torch.from_numpy(np.memmap(self.folder / f"{split}.{kind}", dtype, "c", shape=(count, *shape)))

        images = mapped("images", np.uint8, *self.manifest["image_shape"])
        assert images is not None
        labels = mapped("labels", np.int64)
        return LabelledImages(images, labels, mapped("factors", np.float32, len(self.factor_names)))

    def verify(self) -> None:
        """Raises DataError where a file is not what was stored: its size or its checksum differs."""
        for split in SPLITS:
            for kind, crc in self.manifest["splits"][split]["files"].items():
                path = self.folder / f"{split}.{kind}"
                try:
                    found = checksum(path)
                except OSError as error:
                    raise DataError(f"{path} could not be read: {error.strerror or error}") from None
                if found != crc:
                    raise DataError(f"{path} is damaged: delete {self.folder}, and the next run builds it again")


def store_folder(stores: Path, data_set: str, options: Mapping[str, Any]) -> Path:
    """Where the store of these options lies, whether it is there or not."""
    text = json.dumps([FORMAT, data_set, options], sort_keys=True)
    return stores / data_set / hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(files: Iterable[Path], reader: int | None = None) -> str | None:
    """Of names, sizes and times of the originals, in any order, and of the version of what reads them; None where there
    are none.
    """
    states = sorted((str(path), (state := path.stat()).st_size, state.st_mtime_ns) for path in files)
    made_of = states if reader is None else (reader, states)
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16] if states else None


def open_store(folder: Path) -> Store | None:
    """The store in that folder, None where there is none. Raises DataError where its manifest is damaged."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        names = [f"{split}.{kind}" for split in SPLITS for kind in manifest["splits"][split]["files"]]
        size = math.prod(manifest["image_shape"])
        for entry in (manifest["splits"][split] for split in SPLITS):
            if not entry["files"]["images"].endswith(f"-{entry['count'] * size}"):
                raise ValueError("the number of images and their size do not agree")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} could not be read ({error}): delete {folder}, and the next run builds it again"
        ) from None
    for name in names:
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing: delete {folder}, and the next run builds it again")
    return Store(folder, manifest)


def checksum(path: Path) -> str:
    """CRC-32 and size of a file, read in blocks."""
    crc, size = 0, 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            crc, size = zlib.crc32(block, crc), size + len(block)
    return f"{crc:08x}-{size}"


def drawn_rows(count: int, most: int, seed: int) -> Tensor:
    """Rows that stand for a set of `count`: all, or `most` of them, drawn by `seed` over the whole of it, since many
    sets are sorted. Ascending, (n,) int64."""
    if count <= most:
        return torch.arange(count)
    return torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(count)[:most]))
