"""One process at a time in a folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from infogan.errors import RunError

LOG = "log.txt"
"""What a run says while it trains, and what its folder is held by."""

OWNER = ".owner"
"""Who holds a folder. It is locked in its turn, so that whoever asks need not touch the lock that a start must get at
once: a start waits the moment that an asker has this one."""


@contextmanager
def claimed(folder: Path) -> Iterator[IO[str]]:
    """Holds a run folder, and yields its log, open at its end. Raises RunError where another process holds it, or where
    the log cannot be written."""
    try:
        stream = (folder / LOG).open("a", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder / LOG} could not be written: {error.strerror}") from None
    try:
        with held(stream, folder):
            yield stream
    finally:
        with suppress(OSError):  # the lines that a full disk did not take
            stream.close()


@contextmanager
def held(stream: IO[str], folder: Path) -> Iterator[None]:
    """Claims `folder`, by the lock on an open file in it, until the end or until the process ends, however it ends.

    Raises RunError where another process has it, and names that one. Claims nothing where the system has no such locks.
    """
    owner, name = folder / OWNER, ""
    if not _locked(stream, "alone"):
        with suppress(OSError):  # it has the lock, and may not have written its name yet
            name = owner.read_text(encoding="utf-8")
        raise RunError(f"{folder}: another process is at work there{f' ({name})' if name else ''}")
    with ExitStack() as stack:
        with suppress(OSError):  # a full disk is found by what must be written
            file = stack.enter_context(owner.open("ab", buffering=0))
            _locked(file, "alone, after whoever is asking")
            file.truncate(0)
            file.write(f"pid {os.getpid()} on {socket.gethostname()}".encode())
        try:
            yield
        finally:
            with suppress(OSError):
                owner.unlink()


def is_held(folder: Path) -> bool:
    """Whether a process, this one included, holds the folder; see `held`. Asking hinders nobody."""
    try:
        with (folder / OWNER).open("rb") as file:
            return not _locked(file, "beside others")
    except OSError:  # there is no such file
        return False


def _locked(file: IO[Any], how: str) -> bool:
    """Locks the file until it is closed; False where another process has it. True where there are no such locks."""
    try:
        import fcntl

        ways = {
            "alone": fcntl.LOCK_EX | fcntl.LOCK_NB,
            "alone, after whoever is asking": fcntl.LOCK_EX,
            "beside others": fcntl.LOCK_SH | fcntl.LOCK_NB,
        }
        fcntl.flock(file, ways[how])
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True
