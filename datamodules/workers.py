"""Ranges of images, made side by side by processes that never run the caller's script.

A worker imports no more than what it makes images with: PyTorch here would cost each of them seconds.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chunk:
    """Images just made: (n, C, H, W) uint8. `rows`: which of those asked for they are, None for all of them: broken
    originals may be left out. `factors`: (n, F) where they become known with the images.
    """

    images: np.ndarray
    rows: np.ndarray | None = None
    factors: np.ndarray | None = None


Make = Callable[[range], Chunk]


def made_in_order(make: Make, ranges: Sequence[range]) -> Iterator[Chunk]:
    """`make` of each range, in their order, by all cores. Raises BrokenProcessPool where a process was killed."""
    from joblib.externals.loky import ProcessPoolExecutor, cpu_count

    workers = min(cpu_count(), len(ranges))
    if workers < 2:
        yield from map(make, ranges)
        return
    with ProcessPoolExecutor(workers, initializer=_receive, initargs=(make, os.getpid())) as pool:
        waiting: deque[Future[Chunk]] = deque()
        try:
            for rows in ranges:
                waiting.append(pool.submit(_make, rows))
                if len(waiting) > 2 * workers:  # what is done and not yet written stays small
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_maker: Make


def _receive(make: Make, caller: int) -> None:
    """In a worker: what it has to do, sent once and not with every range. It ends when its caller has been killed."""
    global _maker
    _maker = make
    threading.Thread(target=_end_after, args=(caller,), daemon=True).start()


def _end_after(caller: int) -> None:
    while os.getppid() == caller:
        time.sleep(1)
    os._exit(1)


def _make(rows: range) -> Chunk:
    return _maker(rows)
