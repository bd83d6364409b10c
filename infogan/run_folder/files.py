"""Files and folders that are whole or not there: atomic writes."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from infogan.errors import RunError
from infogan.run_folder.staging import remove, staged_name

if TYPE_CHECKING:
    from PIL.Image import Image


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` on a name beside `path`, flushes to the disk, then moves it into place.

    A crash leaves the old file or the new one, never a part. Raises RunError where the folder cannot be written.
    """
    staged = staged_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(staged)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        raise RunError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        remove(staged)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder beside `folder`, which takes that name when the block has ended well, and goes else.

    Raises RunError where `folder` holds something already, or cannot be written.
    """
    folder = folder.resolve()
    staged = staged_name(folder)
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise RunError(f"{folder} exists and is not an empty folder: name another one")
        staged.mkdir(parents=True)
        yield staged
        staged.replace(folder)
    except OSError as error:
        raise RunError(f"{folder} could not be written: {error.strerror or error}") from error
    finally:
        remove(staged)


def unused(path: Path) -> Path:
    """`path`, or with -2, -3 … at the end of its stem where that is taken."""
    taken = (path.with_stem(f"{path.stem}-{attempt}") for attempt in count(2))
    return next(candidate for candidate in chain([path], taken) if not candidate.exists())


def append(path: Path, text: str) -> None:
    """Adds to the end of a file, of which a crash may leave a part. Raises RunError where it cannot be written."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RunError(f"{path} could not be written: {error.strerror or error}") from error


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON; NaN and infinities are refused (ValueError), since JSON has none."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda staged: staged.write_text(text, encoding="utf-8"))


def save_picture(path: Path, picture: "Image") -> None:
    """As PNG, whole or not at all."""
    write_atomically(path, lambda staged: picture.save(staged, format="PNG"))


def read_picture(path: Path) -> "tuple[bytes, Image]":
    """A PNG file as it is, and the picture that it holds. Raises RunError where it is missing, or damaged."""
    from io import BytesIO

    from PIL import Image

    try:
        data = path.read_bytes()
        with Image.open(BytesIO(data), formats=["PNG"]) as picture:
            picture.load()
            return data, picture
    except FileNotFoundError:
        raise RunError(f"There is no picture {path.name}.") from None
    except (OSError, SyntaxError) as error:  # Pillow's word for a broken chunk is SyntaxError
        raise RunError(f"The picture {path.name} is damaged: {error}.") from None
