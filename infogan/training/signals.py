"""Signals that ask a process to end: Ctrl-C, a scheduler's SIGTERM, and SIGUSR1, Slurm's word of the time limit."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from infogan.errors import Stopped

ASKING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]


class StopSignals:
    """While entered, a signal raises Stopped where the process is; after `hold_back` it is kept in `asked` instead, for
    the training loop to see between two iterations.

    The first decides. Those that follow it, as SIGTERM does SIGUSR1, change nothing, but a second SIGINT ends the
    process at once, as kill -9 would.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self._held_back = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers in no other
            self._before = {number: signal.getsignal(number) for number in ASKING}
            self._install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold_back(self) -> None:
        """From now on a signal waits for `release`. Replaces Lightning's own handlers, which would raise SystemExit."""
        self._held_back = True
        self._install()

    def release(self) -> None:
        """From now on a signal raises at once; one that waited does so here."""
        self._held_back = False
        if self.asked is not None:
            raise Stopped(self.asked)

    def _install(self) -> None:
        for number in self._before:
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            if number == signal.SIGINT:
                os._exit(Stopped(number).exit_code)
            return
        self.asked = number
        if not self._held_back:
            raise Stopped(number)
