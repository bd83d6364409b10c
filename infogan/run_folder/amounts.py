"""What is about to be written: refused where the disk has no room, and without `yes` where it is very much."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from infogan.config.asking import AskingConfig
from infogan.errors import ConfigError, RunError
from infogan.terminal import age

BLOCK = 4096
"""Bytes of which most disks give whole numbers to a file."""


@dataclass(frozen=True)
class Amount:
    """So many bytes on the disk in so many files, made in about so many seconds, None where that is not known."""

    bytes: int
    files: int = 1
    seconds: float | None = None

    def __rmul__(self, times: int) -> "Amount":
        return Amount(times * self.bytes, times * self.files, None if self.seconds is None else times * self.seconds)

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        span = "" if self.seconds is None else f", about {age(self.seconds)}" if self.seconds >= 1 else ", under 1 s"
        return f"{files}, {in_bytes(self.bytes)}{span}"


def in_bytes(number: float) -> str:
    """A size in its largest unit: `512 B`, `3.2 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} PB"


def on_disk(size: int) -> int:
    """Bytes that a file of this size takes."""
    return -(-size // BLOCK) * BLOCK


_asking: ContextVar[AskingConfig | None] = ContextVar("asking", default=None)


@contextmanager
def asking(config: AskingConfig) -> Iterator[None]:
    """Inside, `allow` asks as the command's configuration says. Outside of all commands nobody is asked."""
    token = _asking.set(config)
    try:
        yield
    finally:
        _asking.reset(token)


def allow(what: str, amount: Amount, place: Path, runs: int = 1) -> None:
    """Comes back where this may be written at `place`. `what`: the arguments that ask for it, as they were typed.
    `runs`: of a sweep or search, which is measured by their number.

    Raises RunError where the disk has no room, and ConfigError where it is above `ask_above` and `yes` was not said.
    """
    folder = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
    free, names = _free(folder)
    if amount.bytes > free or amount.files > names:
        left = in_bytes(free) if amount.bytes > free else f"{names:,} files"
        raise RunError(f"{what} takes {amount}: the disk of {folder} has room for {left}, with yes=true too")
    config = _asking.get()
    if config is None or config.yes:
        return
    limits = config.ask_above
    if runs > limits.runs:
        most = f"{limits.runs:,} runs"
    elif runs == 1 and (amount.bytes > limits.gigabytes * 1e9 or amount.files > limits.files):
        most = f"{limits.gigabytes:g} GB, {limits.files:,} files"
    else:
        return
    raise ConfigError(f"{what} takes {amount}: more than ask_above has ({most}); yes=true does it")


def _free(folder: Path) -> tuple[int, float]:
    """Bytes and names of files that this user can still write there; infinite where the file system does not count."""
    free, names = shutil.disk_usage(folder).free, float("inf")
    if hasattr(os, "statvfs") and (state := os.statvfs(folder)).f_files:
        names = state.f_favail
    return free, names
