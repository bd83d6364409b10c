"""Files whose checksum is published: the official ones, and parts of them, which are their owner's."""

import hashlib
from pathlib import Path

from infogan.errors import DataError


def md5_of(path: Path) -> str:
    """In hexadecimal digits. Raises DataError where the file cannot be read."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path} could not be read: {error.strerror or error}") from None
    return digest.hexdigest()


def own(path: Path, found: str, expected: str, count: int, published: int) -> str:
    """In words: a file that is whole, but with another md5 than the official one's, is used as it is.

    Raises DataError where it has as many images as the official one: whether that was changed or is damaged, nothing
    in it tells.
    """
    if count == published:
        raise DataError(
            f"{path} is not the official file (md5 {found}, expected {expected}), but of its length: it was changed or "
            "is damaged; delete it to download it again (images of your own train with data=folder)"
        )
    return f"{path.name} is not the official file: its {count:,} images (of {published:,}) are used as they are"
