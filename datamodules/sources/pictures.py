"""Image files, loose, in a zip or in a tar, decoded to one size. Nothing is unpacked to the disk."""

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from infogan.datamodules.build_store import Chunk
from infogan.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
"""What Pillow may take a file for, whatever its name: it hands PostScript to another program."""

LARGEST = 200 * 2**20
"""Bytes of one picture: more is a mistake or a bomb."""


@dataclass(frozen=True)
class Picture:
    """Where the bytes of one image lie: a file, or a member of an archive. `offset`: where a tar holds it."""

    name: str
    size: int
    offset: int = 0


@dataclass(frozen=True)
class Pictures:
    """The images in a folder, a zip or an uncompressed tar, sorted by name."""

    place: Path
    kind: Literal["folder", "zip", "tar"]
    entries: tuple[Picture, ...]

    def read(self, entry: Picture) -> bytes:
        """The bytes of one image. Raises DataError where they cannot be read."""
        try:
            if self.kind == "folder":
                path = self.place / entry.name
                if path.exists() and not path.is_file():  # a pipe would be waited for
                    raise OSError("it is no file but a device or a pipe")
                if path.stat().st_size > LARGEST:
                    raise OSError(f"{path.stat().st_size:,} bytes are too many for a picture")
                return path.read_bytes()
            if self.kind == "zip":
                with _open_zip(self.place).open(entry.name) as stream:
                    return stream.read(entry.size)  # without a size it would unpack all that the stream holds
            with self.place.open("rb") as file:
                file.seek(entry.offset)
                return file.read(entry.size)
        except Exception as error:  # zipfile lets the errors of every kind of packing through
            raise DataError(f"{self.where(entry)} could not be read: {' '.join(str(error).split())}") from None

    def where(self, entry: Picture) -> str:
        """How a person finds the image."""
        return _shown(str(self.place / entry.name) if self.kind == "folder" else f"{entry.name} in {self.place}")

    def only(self, rows: Sequence[int] | np.ndarray) -> "Pictures":
        """Some of them, in that order."""
        return Pictures(self.place, self.kind, tuple(self.entries[row] for row in rows))


@dataclass(frozen=True)
class Decoder:
    """A range of the pictures → (n, channels, size, size) uint8, 1 (gray) or 3: turned as their EXIF says, the largest
    central square cut out, and resized with antialiasing. What is transparent becomes white.

    `crops`: the side of the square, in pixels, for pictures of certain (width, height). Raises DataError that names the
    first broken picture, or leaves broken ones out where `skip_broken`.
    """

    pictures: Pictures
    size: int
    channels: int
    skip_broken: bool
    crops: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def __call__(self, rows: range) -> Chunk:
        images, kept = [], []
        for k, row in enumerate(rows):
            entry = self.pictures.entries[row]
            try:
                images.append(self.decode(entry))
                kept.append(k)
            except DataError:
                if not self.skip_broken:
                    raise
        pixels = np.array(images, np.uint8).reshape(-1, self.size, self.size, self.channels).transpose(0, 3, 1, 2)
        return Chunk(pixels, np.array(kept, np.int64))

    def decode(self, entry: Picture) -> np.ndarray:
        """One picture as (size, size) or (size, size, 3) uint8."""
        return decoded(self.pictures.read(entry), self.pictures.where(entry), self.size, self.channels, self.crops)


def decoded(
    contents: bytes,
    where: str,
    size: int,
    channels: int,
    crops: Mapping[tuple[int, int], int] = MappingProxyType({}),
) -> np.ndarray:
    """The bytes of an image file → (size, size) or (size, size, 3) uint8; see `Decoder`. Raises DataError that names
    `where` they came from."""
    if not contents:
        raise DataError(f"{where} is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(contents), formats=FORMATS) as picture:
                if picture.mode.startswith("I") or picture.mode == "F":
                    raise DataError(f"{where} has more than 8 bits a channel: convert it to 8 bits")
                return _fitted(picture, size, channels, crops)
    except UnidentifiedImageError:
        raise DataError(f"{where} is not an image that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{where} has too many pixels to be a picture of a data set") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, MemoryError) as error:
        raise DataError(f"{where} is damaged: {' '.join(str(error).split())}") from None


def _fitted(picture: Image.Image, size: int, channels: int, crops: Mapping[tuple[int, int], int]) -> np.ndarray:
    upright = ImageOps.exif_transpose(picture)
    if "A" in upright.getbands() or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    converted = upright.convert("L" if channels == 1 else "RGB")
    side = crops.get(converted.size, min(converted.size))
    left, top = (converted.width - side) // 2, (converted.height - side) // 2
    square = converted.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


@lru_cache(maxsize=4)
def _open_zip(path: Path) -> zipfile.ZipFile:
    """Opened once a process."""
    return zipfile.ZipFile(path)


def pictures_in(place: Path) -> Pictures:
    """Every image in a folder (sub-folders too), a zip or a tar. Raises DataError where there are none, where an
    archive is damaged, or where a member's name would lead out of it.
    """
    if place.is_dir():
        paths = ((path.relative_to(place).as_posix(), path) for path in place.rglob("*"))
        names = sorted(name for name, path in paths if _is_picture(name) and not path.is_dir())
        found = Pictures(place, "folder", tuple(Picture(name, 0) for name in names))
    elif zipfile.is_zipfile(place):
        found = Pictures(place, "zip", tuple(_zip_entries(place)))
    elif place.is_file():
        found = Pictures(place, "tar", tuple(_tar_entries(place)))
    else:
        raise DataError(f"{place} does not exist")
    if not found.entries:
        raise DataError(f"{place} holds no images ({', '.join(SUFFIXES)})")
    return found


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.rsplit("/", 1)[-1].startswith(".") and "__MACOSX" not in name


def _zip_entries(place: Path) -> list[Picture]:
    try:
        members = _open_zip(place).infolist()
    except Exception as error:  # zipfile lets many kinds of errors of damaged files through
        raise DataError(f"{place} is damaged: {' '.join(str(error).split())}") from None
    for member in members:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(f"{place} holds {_shown(member.filename)}, which is a link or a device: refused")
        _refuse_unsafe(place, member.filename, member.file_size)
    kept = [member for member in members if _is_picture(member.filename) and not member.is_dir()]
    return [Picture(member.filename, member.file_size) for member in sorted(kept, key=lambda m: m.filename)]


def _tar_entries(place: Path) -> list[Picture]:
    try:
        with tarfile.open(place, "r:") as archive:
            members = archive.getmembers()
        with place.open("rb") as file:  # tarfile takes the end of the file, or a damaged header, for the archive's end
            file.seek(archive.offset)
            whole = file.read(tarfile.BLOCKSIZE) == tarfile.NUL * tarfile.BLOCKSIZE
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise DataError(f"{place} is no uncompressed tar, or is damaged: {error}") from None
    if not whole:
        raise DataError(f"{place} is cut off or damaged after {len(members):,} members")
    for member in members:
        if not (member.isfile() or member.isdir()) or member.issparse():
            raise DataError(f"{place} holds {_shown(member.name)}, which is a link, a device or sparse: refused")
        _refuse_unsafe(place, member.name, member.size)
    kept = [member for member in members if member.isfile() and _is_picture(member.name)]
    return [Picture(m.name, m.size, m.offset_data) for m in sorted(kept, key=lambda m: m.name)]


def _refuse_unsafe(place: Path, name: str, size: int) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise DataError(f"{place} holds {_shown(name)}, which leads out of it: refused")
    if size > LARGEST and _is_picture(name):
        raise DataError(f"{place} holds {_shown(name)}, {size:,} bytes large: refused")


def _shown(name: str) -> str:
    """On one line, and without what would steer a terminal: names come from anywhere."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def files_of(place: Path) -> list[Path]:
    """The files that make up a folder or an archive; none where it does not exist."""
    if place.is_dir():
        return [path for path in place.rglob("*") if path.is_file()]
    return [place] if place.is_file() else []
