"""The names under which files and folders are made before they take their own, and what killed processes left there."""

import os
import re
import shutil
import socket
import zlib
from contextlib import suppress
from pathlib import Path

MACHINE = f"{zlib.crc32(socket.gethostname().encode()):08x}"
"""Folders may be shared: whether a process is gone can only be said on its own machine."""

STAGED = re.compile(r"\..+\.(?P<process>\d{1,7})-(?P<machine>[0-9a-f]{8})\.staged")


def staged_name(path: Path) -> Path:
    """The name beside `path` under which this process makes it. What processes that are gone have left beside it is
    removed."""
    staged = path.with_name(f".{path.name}.{os.getpid()}-{MACHINE}.staged")
    with suppress(OSError):  # there is no such folder yet, or it is closed: whoever writes there says so
        for entry in [*os.scandir(path.parent)]:
            if entry.name == staged.name or _is_left_behind(entry.name):  # the first: numbers of processes come back
                remove(Path(entry.path))
    return staged


def remove(staged: Path) -> None:
    """A file, link or folder, as far as that can be."""
    if staged.is_dir() and not staged.is_symlink():
        shutil.rmtree(staged, ignore_errors=True)
    else:
        with suppress(OSError):
            staged.unlink()


def _is_left_behind(name: str) -> bool:
    found = STAGED.fullmatch(name)
    if found is None or found["machine"] != MACHINE or os.name != "posix":  # elsewhere signal 0 ends a process
        return False
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # that of another user
        return False
    return False
