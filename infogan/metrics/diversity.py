"""How far images of one kind are apart."""

import numpy as np

ROWS = 500
"""Whose distances to all others are held at once."""


def pair_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The root mean square of the differences of each pair, (N, D) and (N, D) → (N,), in the unit of the values."""
    return np.sqrt(np.square(first.astype(np.float64) - second).mean(axis=1))


def mean_distance(points: np.ndarray) -> float:
    """The mean of `pair_distance` over all pairs of different rows of (N, D). Raises ValueError for fewer than two."""
    count, width = points.shape
    if count < 2:
        raise ValueError(f"a distance needs two, not {count}")
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    squares = np.square(centred).sum(axis=1)
    total = 0.0
    for start in range(0, count, ROWS):
        part = slice(start, start + ROWS)
        squared = squares[part, None] + squares - 2 * centred[part] @ centred.T
        squared[np.arange(len(squared)), np.arange(start, start + len(squared))] = 0  # to itself, but for rounding
        total += np.sqrt(squared.clip(min=0) / width).sum()
    return float(total / (count * (count - 1)))
