"""Ranges of images made side by side."""

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
    from joblib.externals.loky import ProcessPoolExecutor, cpu_count

    count = min(cpu_count(), len(ranges))
    if workers is None or count < 2:
        yield from map(make, ranges)
    elif workers == "threads":
        with ThreadPoolExecutor(count) as pool:
            yield from _results(pool, count, make, ranges)
    else:
        with ProcessPoolExecutor(count, initializer=_receive, initargs=(make,)) as pool:
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


def _receive(make: Callable[[range], Any]) -> None:
    """In a process: what it has to do, sent once and not with every range."""
    global _maker
    _maker = make


def _make(rows: range) -> Any:
    return _maker(rows)
