"""Ranges of images made side by side."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, Literal, TypeVar

Made = TypeVar("Made")

Workers = Literal["threads", "processes"]
"""Threads for what computes without Python's lock, as Pillow decodes; processes for the rest."""


def in_order(make: Callable[[range], Made], ranges: Sequence[range], workers: Workers | None) -> Iterator[Made]:
    """`make` of each range, in their order, by all cores where `workers` says how; in this thread where it is None.

    No process runs the caller's script, which would start it once more. Raises BrokenProcessPool where one was killed.
    """
    if workers is None:
        yield from map(make, ranges)
        return
    from joblib.externals.loky import ProcessPoolExecutor, cpu_count

    count = min(cpu_count(), len(ranges))
    if count < 2:
        yield from map(make, ranges)
    elif workers == "threads":
        with ThreadPoolExecutor(count) as pool:
            yield from _results(pool, count, make, ranges)
    else:
        with ProcessPoolExecutor(count, initializer=_receive, initargs=(make, os.getpid())) as pool:
            yield from _results(pool, count, _make, ranges)


def _results(pool: Executor, count: int, make: Callable[[range], Made], ranges: Sequence[range]) -> Iterator[Made]:
    waiting: deque[Future[Made]] = deque()
    try:
        for rows in ranges:
            waiting.append(pool.submit(make, rows))
            if len(waiting) > 2 * count:  # what is done and not yet taken stays small
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


_maker: Callable[[range], Any]


def _receive(make: Callable[[range], Any], caller: int) -> None:
    """In a process: what it has to do, sent once and not with every range. It ends when its caller has been killed."""
    global _maker
    _maker = make
    threading.Thread(target=_end_after, args=(caller,), daemon=True).start()


def _end_after(caller: int) -> None:
    while os.getppid() == caller:
        time.sleep(1)
    os._exit(1)


def _make(rows: range) -> Any:
    return _maker(rows)
