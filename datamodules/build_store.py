"""Making an image store: originals decoded once, in parallel, whole or not at all."""

import math
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from infogan.datamodules.store import FORMAT, Split, Store, checksum
from infogan.datamodules.workers import Chunk, Make, made_in_order
from infogan.errors import DataError, RunError
from infogan.run_folder.amounts import Amount
from infogan.run_folder.files import write_json
from infogan.run_folder.staging import remove, staged_name
from infogan.terminal import progress

CHUNK = 256
"""Images that are made at once."""


@dataclass(frozen=True)
class Part:
    """One split of the originals. `make` gives the images of a range of [0, count); it goes to other processes where
    `parallel`, and must then be picklable. `labels`: (count,) integers. `factors`: (count, F) numbers.
    """

    count: int
    make: Make
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None
    parallel: bool = False


def part_of_arrays(images: np.ndarray, labels: np.ndarray | None = None, factors: np.ndarray | None = None) -> Part:
    """A split that lies in memory: (N, C, H, W) uint8, labels and factors a row an image."""
    return Part(len(images), lambda rows: Chunk(images[rows.start : rows.stop]), labels, factors)


@dataclass(frozen=True)
class Originals:
    """Everything that a store is made from. `source` says in words where it came from, and `remarks` what a person
    should know of it.
    """

    train: Part
    test: Part
    source: str
    class_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


PATIENCE = 0.5
"""Seconds of waiting without a word; a process that has just taken the lock has written its name by then."""


@contextmanager
def building(folder: Path) -> Iterator[None]:
    """One process at a time makes this store: the jobs of a sweep that start together wait for the first. A wait says
    for whom.
    """
    lock, owner = FileLock(folder.with_name(f".{folder.name}.lock")), folder.with_name(f".{folder.name}.owner")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            print(f"waiting for {_written(owner)}, which makes the image store {folder}", flush=True)
            lock.acquire()
    except OSError as error:
        raise DataError(f"paths.stores: {folder.parent} cannot be written: {error.strerror or error}") from None
    with suppress(OSError):  # a name for people: a full disk is found by what must be written
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            owner.unlink()
        lock.release()


def _written(owner: Path) -> str:
    """Who has the lock, as far as that is known."""
    try:
        return owner.read_text(encoding="utf-8")
    except OSError:
        return "another process"


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
    staged, old = staged_name(folder), folder.with_name(f".{folder.name}.old")
    try:
        for left in folder.parent.glob(f".{folder.name}.*.staged"):
            remove(left)  # whoever made it has lost the lock
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
            "remarks": list(originals.remarks),
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


def expected(originals: Originals, image_shape: tuple[int, int, int]) -> Amount:
    """What the store takes on the disk, if no image is left out."""
    parts = (originals.train, originals.test)
    each = math.prod(image_shape) + 8 + 4 * len(originals.factor_names)
    return Amount(sum(part.count for part in parts) * each, 7)


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
    """The part's images in their order, with the rows that they were made of."""
    ranges = [range(first, min(first + CHUNK, part.count)) for first in range(0, part.count, CHUNK)]
    yield from zip(ranges, (made_in_order if part.parallel else map)(part.make, ranges), strict=True)


def flush(file: BinaryIO) -> None:
    """Onto the disk: a store that has its name is whole, after a power cut too."""
    file.flush()
    os.fsync(file.fileno())
