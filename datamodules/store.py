"""The image store: originals decoded once into flat uint8 files, mapped into memory ever after.

`<stores>/<data set>/<key>/` holds a manifest and, for each split, the images (count × C × H × W bytes), and where there
are some the labels (int64) and the factors (float32). The key is a function of the data set and its options.
"""

import hashlib
import json
import math
import os
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from infogan.errors import DataError, RunError
from infogan.storage import write_json

FORMAT = 1
CHUNK = 256
"""Images that are made at once."""

Split = Literal["train", "test"]
SPLITS: tuple[Split, Split] = ("train", "test")


@dataclass(frozen=True)
class Chunk:
    """Images just made: (n, C, H, W) uint8. `rows`: which of those asked for they are, None for all of them: broken
    originals may be left out. `factors`: (n, F) where they become known with the images.
    """

    images: np.ndarray
    rows: np.ndarray | None = None
    factors: np.ndarray | None = None


@dataclass(frozen=True)
class Part:
    """One split of the originals. `make` gives the images of a range of [0, count); it goes to other processes where
    `parallel`, and must then be picklable. `labels`: (count,) integers. `factors`: (count, F) numbers.
    """

    count: int
    make: Callable[[range], Chunk]
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None
    parallel: bool = False


def part_of_arrays(images: np.ndarray, labels: np.ndarray | None = None, factors: np.ndarray | None = None) -> Part:
    """A split that lies in memory: (N, C, H, W) uint8, labels and factors a row an image."""
    return Part(len(images), lambda rows: Chunk(images[rows.start : rows.stop]), labels, factors)


@dataclass(frozen=True)
class Originals:
    """Everything that a store is made from. `source` says in words where it came from."""

    train: Part
    test: Part
    source: str
    class_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()


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
                    raise DataError(f"{path} is damaged: delete {self.folder}, and the next run builds it anew")


def store_folder(stores: Path, data_set: str, options: Mapping[str, Any]) -> Path:
    """Where the store of these options lies, whether it is there or not."""
    text = json.dumps([FORMAT, data_set, options], sort_keys=True)
    return stores / data_set / hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(files: Iterable[Path]) -> str | None:
    """Of names, sizes and times of the originals, in any order; None where there are none."""
    states = sorted((str(path), (state := path.stat()).st_size, state.st_mtime_ns) for path in files)
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16] if states else None


def open_store(folder: Path) -> Store | None:
    """The store in that folder, None where there is none. Raises DataError where its manifest is damaged."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        names = [f"{split}.{kind}" for split in SPLITS for kind in manifest["splits"][split]["files"]]
        size = math.prod(manifest["image_shape"])
        for entry in (manifest["splits"][split] for split in SPLITS):
            if not entry["files"]["images"].endswith(f"-{entry['count'] * size}"):
                raise ValueError("the number of images and their size do not agree")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} could not be read ({error}): delete {folder}, and the next run builds it anew"
        ) from None
    for name in names:
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing: delete {folder}, and the next run builds it anew")
    return Store(folder, manifest)


@contextmanager
def building(folder: Path) -> Iterator[None]:
    """One process at a time makes this store: the jobs of a sweep that start together wait for the first."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise DataError(f"paths.stores: {folder.parent} cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()


def build_store(
    folder: Path,
    originals: Originals,
    image_shape: tuple[int, int, int],
    data_set: str,
    options: Mapping[str, Any],
    origin: str | None,
) -> Store:
    """Makes the store in `folder`, whole or not at all; one that is there is replaced when the new one is ready.

    Call it under `building`. `origin` is the fingerprint of the originals. Raises DataError where an original is broken
    or the disk is full.
    """
    staged, old = folder.with_name(f".{folder.name}.partial"), folder.with_name(f".{folder.name}.old")
    try:
        shutil.rmtree(staged, ignore_errors=True)  # of a build that was killed
        staged.mkdir(parents=True)
        splits = {
            "train": write_part(staged, "train", originals.train, image_shape, data_set),
            "test": write_part(staged, "test", originals.test, image_shape, data_set),
        }
        manifest = {
            "format": FORMAT,
            "data_set": data_set,
            "options": dict(options),
            "source": originals.source,
            "fingerprint": origin,
            "image_shape": list(image_shape),
            "class_names": list(originals.class_names),
            "factor_names": list(originals.factor_names),
            "splits": splits,
        }
        write_json(staged / "manifest.json", manifest)
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():  # moved away at once: who opens it now, or after a kill, finds all of it or nothing
            folder.rename(old)
        staged.rename(folder)
    except (OSError, RunError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise DataError(f"the image store {folder} could not be written: {reason} (paths.stores moves it)") from None
    except BrokenProcessPool:
        raise DataError(f"data={data_set}: a process that made images was killed; was there memory enough?") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return Store(folder, manifest)


def write_part(
    folder: Path, split: Split, part: Part, image_shape: tuple[int, int, int], data_set: str
) -> dict[str, Any]:
    """Writes one split's files; returns its entry in the manifest: count, how many were skipped, checksums by kind."""
    kept, factors = [], []
    with (folder / f"{split}.images").open("wb") as file, progress(f"{data_set}, {split}", part.count) as advance:
        for rows, chunk in chunks(part):
            if chunk.images.shape[1:] != image_shape or chunk.images.dtype != np.uint8:
                made = f"{chunk.images.dtype} of {chunk.images.shape[1:]}"
                raise DataError(f"data={data_set}: images are {made}, not uint8 of {image_shape}")
            file.write(np.ascontiguousarray(chunk.images).data)
            kept.append(np.arange(rows.start, rows.stop) if chunk.rows is None else rows.start + chunk.rows)
            assert len(kept[-1]) == len(chunk.images)
            factors.append(chunk.factors)
            advance(len(rows))
        flush(file)
    index = np.concatenate(kept) if kept else np.arange(0)
    if not len(index):
        raise DataError(f"data={data_set}: there is no image in its {split} split")
    columns: dict[str, np.ndarray] = {}
    if part.labels is not None:
        columns["labels"] = part.labels[index].astype(np.int64)
    if part.factors is not None:
        columns["factors"] = part.factors[index].astype(np.float32)
    elif any(values is not None for values in factors):
        columns["factors"] = np.concatenate(factors).astype(np.float32)  # type: ignore[arg-type]
    for kind, values in columns.items():
        with (folder / f"{split}.{kind}").open("wb") as file:
            file.write(np.ascontiguousarray(values).data)
            flush(file)
    files = {kind: checksum(folder / f"{split}.{kind}") for kind in ("images", *columns)}
    return {"count": len(index), "skipped": part.count - len(index), "files": files}


def chunks(part: Part) -> Iterator[tuple[range, Chunk]]:
    """The part's images in their order, made by all cores where it allows."""
    ranges = [range(first, min(first + CHUNK, part.count)) for first in range(0, part.count, CHUNK)]
    workers = min(len(os.sched_getaffinity(0)), len(ranges))
    if not part.parallel or workers < 2:
        yield from ((rows, part.make(rows)) for rows in ranges)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _receive, (part.make,)) as pool:
        waiting: deque[tuple[range, Future[Chunk]]] = deque()
        try:
            for rows in ranges:
                waiting.append((rows, pool.submit(_make, rows)))
                if len(waiting) > 2 * workers:  # what is done and not yet written stays small
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


_maker: Callable[[range], Chunk]


def _receive(make: Callable[[range], Chunk]) -> None:
    """In a worker: what it has to do, sent once and not with every range."""
    global _maker
    _maker = make


def _make(rows: range) -> Chunk:
    return _maker(rows)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere. Yields the function that advances it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def checksum(path: Path) -> str:
    """CRC-32 and size of a file, read in blocks."""
    crc, size = 0, 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            crc, size = zlib.crc32(block, crc), size + len(block)
    return f"{crc:08x}-{size}"


def flush(file: BinaryIO) -> None:
    """Onto the disk: a store that has its name is whole, after a power cut too."""
    file.flush()
    os.fsync(file.fileno())
