"""dSprites: white shapes on black, 64×64, made from five known factors."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Chunk, Originals, Part
from infogan.errors import DataError

FACTORS = ("shape", "scale", "orientation", "x", "y")
"""The official file's columns without the colour, which is always white."""

LARGEST = 2**26
"""Bytes of all factors: the official file's are 35 million."""


class DSprites(ImageDataModule):
    """The official .npz, whole (737,280 images) or a part of it, from `dsprites/` or `path`. Nothing is unpickled.
    White may be 1, as in that file, 255 or true.

    A tenth is held out to test.
    """

    data_set = "dsprites"
    licence = "Apache-2.0"
    image_shape = (1, 64, 64)
    unordered = ("shape",)

    def __init__(self, context: DataContext, path: str | None) -> None:
        super().__init__(context)
        self.path = None if path is None else Path(path).expanduser().absolute()

    def options(self) -> dict[str, Any]:
        return {"path": str(self.path or self.root / "dsprites")}

    def files(self) -> list[Path]:
        place = self.path or self.root / "dsprites"
        if not place.is_dir():
            return [place] if place.is_file() else []
        return sorted(path for path in place.glob("*.npz") if not path.name.startswith("."))

    def originals(self) -> Originals:
        files = self.files()
        if len(files) != 1:
            found = "there is none" if not files else f"there are {len(files)}"
            raise DataError(
                f"dSprites: one .npz file is needed in {self.options()['path']}, and {found}: get "
                "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz from github.com/google-deepmind/dsprites-dataset, "
                "or name a file with data.path"
            )
        path = files[0]
        factors = read_factors(path)

        def part(rows: np.ndarray) -> Part:
            return Part(len(rows), SpriteReader(path, rows, len(factors)), factors=factors[rows])

        train, test = held_out(len(factors))
        return Originals(part(train), part(test), str(path), factor_names=FACTORS)


def read_factors(path: Path) -> np.ndarray:
    """The five factors of every image, (N, 5) float32: shape 1-3, scale, orientation in radians, x and y in [0, 1]."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo("latents_values.npy").file_size
        if size > LARGEST:
            raise ValueError(f"latents_values has {size:,} bytes")
        with np.load(path, allow_pickle=False) as contents:
            values = contents["latents_values"]
    except Exception as error:  # NumPy and zipfile let many kinds of errors of damaged files through
        raise DataError(f"{path} is not dSprites' .npz, or is damaged: {' '.join(str(error).split())}") from None
    if values.ndim != 2 or values.shape[1] != 6 or not np.issubdtype(values.dtype, np.floating):
        raise DataError(f"{path}: latents_values is {values.dtype} of {values.shape}, not N×6 as in dSprites' .npz")
    return values[:, 1:].astype(np.float32)


class SpriteReader:
    """Ascending rows of the file's images, read as a stream: unpacked, all of them are 3 GB."""

    def __init__(self, path: Path, rows: np.ndarray, count: int) -> None:
        self.path, self.rows, self.count = path, rows, count
        self._images = self._read()

    def __call__(self, rows: range) -> Chunk:
        return Chunk(np.stack([next(self._images) for _ in rows]))

    def _read(self) -> Iterator[np.ndarray]:
        pixels = 64 * 64
        with self._stream() as stream:
            position = 0
            for row in self.rows:
                for _ in range(row - position):
                    stream.read(pixels)
                image = np.frombuffer(stream.read(pixels), np.uint8)
                position = row + 1
                if len(image) < pixels or not (image.max() <= 1 or np.isin(image, (0, 255)).all()):
                    raise DataError(f"{self.path}: image {row} is cut off, or has values beside 0 and 1 (or 255)")
                yield (image.reshape(1, 64, 64) > 0) * np.uint8(255)

    @contextmanager
    def _stream(self) -> Iterator[IO[bytes]]:
        """The images' bytes, after a header that is checked."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open("imgs.npy") as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, fortran, dtype = read(stream)
                if shape != (self.count, 64, 64) or fortran or dtype not in (np.uint8, np.bool_):
                    raise DataError(f"{self.path}: imgs is {dtype} of {shape}, not {self.count}×64×64 uint8")
                yield stream
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{self.path} is damaged: {' '.join(str(error).split())}") from None
