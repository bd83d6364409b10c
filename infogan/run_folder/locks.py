"""One process at a time in a folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from infogan.errors import RunError


@contextmanager
def held(stream: IO[str], folder: Path) -> Iterator[None]:
    """Claims `folder`, by the lock on an open file in it, until the end or until the process ends, however it ends.

    Raises RunError where another process has it, and names that one. Claims nothing where the system has no such locks.
    """
    owner = folder / ".owner"
    if not _locked(stream):
        with suppress(OSError):  # it has the lock, and may not have written its name yet
            raise RunError(f"{folder}: another process is at work there ({owner.read_text(encoding='utf-8')})")
        raise RunError(f"{folder}: another process is at work there")
    with suppress(OSError):  # a name for people: a full disk is found by what must be written
        owner.write_text(f"pid {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            owner.unlink()


def is_held(file: Path) -> bool:
    """Whether a process, this one included, holds the folder of this file by it; see `held`."""
    try:
        with file.open(encoding="utf-8") as stream:
            return not _locked(stream)
    except OSError:  # there is no such file
        return False


def _locked(stream: IO[str]) -> bool:
    """Locks the file until it is closed; False where another process has. True where the system has no such locks."""
    try:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True
