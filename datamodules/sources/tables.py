"""The text files that name images and their values, as CelebA's authors and their copies write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infogan.errors import DataError


@dataclass(frozen=True)
class Table:
    """`rows`: the values of an image, (columns,) int8, by its name without an ending. `header`: the words above them,
    where there are any."""

    path: Path
    header: tuple[str, ...]
    rows: dict[str, np.ndarray]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the values. Raises DataError where the header does not name as many."""
        width = len(next(iter(self.rows.values())))
        if len(self.header) not in (width, width + 1):  # a .csv names the column of the images too
            raise DataError(f"{self.path} is damaged: {width} values a line for {len(self.header)} names")
        return self.header[-width:]

    def remarks(self, images: Sequence[str]) -> list[str]:
        """In words: how many of these images it does not know, and how many others it does.

        Raises DataError where it knows none of them.
        """
        missing, more = [image for image in images if image not in self.rows], len(self.rows.keys() - set(images))
        if len(missing) == len(images):
            raise DataError(f"{self.path} has no line for any of the {len(images):,} images, nor for {images[0]}")
        found = []
        if missing:
            found.append(
                f"{len(missing):,} of {len(images):,} images are left out, since {self.path} has no line for them (the "
                f"first: {missing[0]}); without that file all are used"
            )
        if more:
            found.append(f"{self.path} has lines for {more:,} images that are not there")
        return found


def read_table(path: Path) -> Table:
    """A file of lines: an image's name and whole numbers, between blanks or commas. Above them may stand a count, and a
    line of names. Raises DataError where it is damaged.
    """
    header: list[str] = []
    rows: dict[str, np.ndarray] = {}
    width = 0
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        values = _numbers(words[1:])
        if values is None and not rows:
            header = words
            continue
        width = width or (0 if values is None else len(values))
        if values is None or len(values) != width:
            raise DataError(f"{path} is damaged: line {number:,} is no image's name and {width} whole numbers")
        rows[Path(words[0]).stem] = values
    if not rows:
        raise DataError(f"{path} is damaged: it has no line of an image's name and whole numbers")
    return Table(path, tuple(header), rows)


def _numbers(words: list[str]) -> np.ndarray | None:
    """None where there are none, or not only whole ones of 8 bits."""
    try:
        return np.array(words, np.int8) if words else None
    except (ValueError, OverflowError):
        return None
