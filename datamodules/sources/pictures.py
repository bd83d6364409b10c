"""Image files, loose, in a zip or in a tar, decoded to one size. Nothing is unpacked to the disk."""

import io
import os
import stat
import tarfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from infogan.datamodules.sources.formats import eight_bits, readable, suffixes
from infogan.datamodules.workers import Chunk
from infogan.errors import DataError

LARGEST = 200 * 2**20
"""Bytes of one picture: more is a mistake or a bomb."""

SHOWN = 5
"""Names in one line."""

READER = 2
"""Counts up when the same files come to give other images: stores made before are then made again."""

DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
)
"""What Pillow's readers raise for damaged files."""

KEPT_BY_MACHINES = ("__MACOSX", "@eaDir")
"""Folders that a Mac puts into archives, and a network storage into folders; what else is hidden begins with a dot."""


@dataclass(frozen=True)
class Picture:
    """Where the bytes of one image lie: a file, or a member of an archive. `offset`: where a tar holds it."""

    name: str
    size: int
    offset: int = 0


@dataclass(frozen=True)
class Pictures:
    """The images in a folder, a zip or an uncompressed tar, sorted by name. What is hidden is not among them.

    `others`: names of files that are not read. `empty`: folders without an image in them or below, the upper ones.
    """

    place: Path
    kind: Literal["folder", "zip", "tar"]
    entries: tuple[Picture, ...]
    others: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

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
        return shown(str(self.place / entry.name) if self.kind == "folder" else f"{entry.name} in {self.place}")

    def only(self, rows: Sequence[int] | np.ndarray) -> "Pictures":
        """Some of them, in that order."""
        return Pictures(self.place, self.kind, tuple(self.entries[row] for row in rows))

    def remarks(self, known: tuple[str, ...] = ()) -> list[str]:
        """In words: which files are not read, those aside whose names end as in `known`."""
        endings = [PurePosixPath(name).suffix.lower() for name in self.others]
        counts = Counter(ending for ending in endings if ending not in known)
        found = some([f"{count:,} {ending or 'without an ending'}" for ending, count in counts.most_common()])
        return [f"files in {self.place} that are not read as images: {found}"] if counts else []


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
            with Image.open(io.BytesIO(contents), formats=readable()) as picture:
                return _fitted(picture, size, channels, crops, where)
    except UnidentifiedImageError:
        raise DataError(f"{where} is not an image that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{where} has too many pixels to be a picture of a data set") from None
    except DAMAGED as error:
        raise DataError(f"{where} is damaged: {' '.join(str(error).split())}") from None


def _fitted(
    picture: Image.Image, size: int, channels: int, crops: Mapping[tuple[int, int], int], where: str
) -> np.ndarray:
    converted = eight_bits(ImageOps.exif_transpose(picture), picture, channels, where)
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
    kind: Literal["folder", "zip", "tar"]
    if place.is_dir():
        kind, (files, folders) = "folder", _in_folder(place)
    elif zipfile.is_zipfile(place):
        kind, (files, folders) = "zip", _in_zip(place)
    elif place.is_file():
        kind, (files, folders) = "tar", _in_tar(place)
    else:
        raise DataError(f"{place} does not exist")
    entries = sorted((file for file in files if _is_picture(file.name)), key=lambda entry: entry.name)
    others = tuple(sorted(file.name for file in files if not _is_picture(file.name)))
    found = Pictures(place, kind, tuple(entries), others, _empty(entries, files, folders))
    if not entries:
        raise DataError("; ".join([f"{place} holds no images ({', '.join(readable())})", *found.remarks()]))
    return found


Listing = tuple[list[Picture], list[str]]
"""The files of a place, and the names of its folders: those that are not hidden."""


def _in_folder(place: Path) -> Listing:
    files, folders = [], []
    for path, below, names in os.walk(place):
        below[:] = [name for name in below if _is_visible(name)]
        inside = Path(path).relative_to(place)
        folders += [(inside / name).as_posix() for name in below]
        files += [Picture((inside / name).as_posix(), 0) for name in names if _is_visible(name)]
    return files, folders


def _in_zip(place: Path) -> Listing:
    try:
        members = _open_zip(place).infolist()
    except Exception as error:  # zipfile lets many kinds of errors of damaged files through
        raise DataError(f"{place} is damaged: {' '.join(str(error).split())}") from None
    for member in members:
        _refuse_unsafe(place, member.filename, member.file_size)
    visible = [member for member in members if _is_visible(member.filename)]
    for member in visible:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(f"{place} holds {shown(member.filename)}, which is a link or a device: refused")
    files = [Picture(member.filename, member.file_size) for member in visible if not member.is_dir()]
    return files, [member.filename for member in visible if member.is_dir()]


def _in_tar(place: Path) -> Listing:
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
        _refuse_unsafe(place, member.name, member.size)
    visible = [member for member in members if _is_visible(member.name)]
    for member in visible:
        if not (member.isfile() or member.isdir()) or member.issparse():
            raise DataError(f"{place} holds {shown(member.name)}, which is a link, a device or sparse: refused")
    files = [Picture(member.name, member.size, member.offset_data) for member in visible if member.isfile()]
    return files, [member.name for member in visible if member.isdir()]


def _is_visible(name: str) -> bool:
    return not any(part in KEPT_BY_MACHINES or (part.startswith(".") and part != ".") for part in name.split("/"))


def _is_picture(name: str) -> bool:
    return name.lower().endswith(suffixes())


def _empty(images: list[Picture], files: list[Picture], folders: list[str]) -> tuple[str, ...]:
    """Folders that hold none of the images, without those within one of them."""

    def places(entries: list[Picture]) -> set[PurePosixPath]:
        found = {PurePosixPath(folder) for folder in {entry.name.rpartition("/")[0] for entry in entries}}
        return found | {parent for folder in found for parent in folder.parents}

    empty = (places(files) | {PurePosixPath(folder) for folder in folders}) - places(images)
    return tuple(sorted(str(folder) for folder in empty if folder.parent not in empty))


def _refuse_unsafe(place: Path, name: str, size: int) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise DataError(f"{place} holds {shown(name)}, which leads out of it: refused")
    if size > LARGEST and _is_visible(name) and _is_picture(name):
        raise DataError(f"{place} holds {shown(name)}, {size:,} bytes large: refused")


def shown(name: str) -> str:
    """On one line, and without what would steer a terminal: names come from anywhere."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def some(names: Sequence[str]) -> str:
    """The first of them in a line, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(shown(name) for name in names[:SHOWN]) + more


def files_of(place: Path) -> list[Path]:
    """The files that make up a folder, hidden ones aside, or an archive; none where it does not exist."""
    if place.is_dir():
        return [path for file in _in_folder(place)[0] if (path := place / file.name).is_file()]
    return [place] if place.is_file() else []
