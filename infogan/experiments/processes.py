"""The processes of one run: what is said where another one has ended."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infogan.errors import RunError
from infogan.run_folder.ranks import is_rank_zero

if TYPE_CHECKING:
    import lightning as L

PATIENCE = 2.0
"""Seconds that a process is given to end, once its connections have. Lightning kills the first process 5 s after
another has failed, so it must have said why by then."""


@contextmanager
def ended_ones_named(trainer: "L.Trainer") -> Iterator[None]:
    """Raises RunError for whatever error comes of another process having ended: of a broken connection there is no
    type, and each backend has words of its own. Other errors pass."""
    parent = os.getppid()
    try:
        yield
    except RuntimeError as error:
        if not another_has_ended(trainer, parent):
            raise
        reason = " ".join(str(error).split())
        raise RunError(f"another of the {trainer.world_size} processes of this run has ended: {reason}") from error


def another_has_ended(trainer: "L.Trainer", parent: int) -> bool:
    """Asked by the first process: whether one that it started has; by one of those: whether the first has, `parent`."""
    children = getattr(trainer.strategy.launcher, "procs", [])
    if trainer.world_size == 1:
        return False
    end = time.monotonic() + PATIENCE
    while True:
        if any(child.poll() is not None for child in children) or (not is_rank_zero() and os.getppid() != parent):
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
