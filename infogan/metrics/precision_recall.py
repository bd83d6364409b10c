"""Improved precision and recall (Kynkäänniemi et al. 2019): are samples real, and is all that is real sampled?"""

from collections.abc import Iterator

import numpy as np

CHUNK = 1000
"""Rows whose distances to all others are held at once."""

ROUNDING = 1e-10
"""A squared distance below this share of the two squared lengths is what rounding leaves of 0."""


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> tuple[float, float]:
    """(N, D) and (M, D) features → precision and recall, both in [0, 1].

    A set covers all points that are no farther from one of its members than that member's `k`-th neighbour in the set.
    Precision is the share of `fake` that `real` covers, recall the share of `real` that `fake` covers.
    Raises ValueError where a set has no more than `k` members.
    """
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"each set needs more than k={k} members, not {len(real)} and {len(fake)}")
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    return covered(fake, real, k), covered(real, fake, k)


def covered(points: np.ndarray, members: np.ndarray, k: int) -> float:
    """The share of (N, D) points that the set of (M, D) members covers; see `precision_recall`."""
    nearest = [np.partition(part, k, axis=1)[:, k] for part in squared_distances(members, members)]  # 0 is itself
    radii = np.concatenate(nearest)
    inside = [(part <= radii).any(axis=1) for part in squared_distances(points, members)]
    return float(np.concatenate(inside).mean())


def squared_distances(rows: np.ndarray, others: np.ndarray) -> Iterator[np.ndarray]:
    """(N, D) and (M, D) float64 → squared distances in chunks of (≤ CHUNK, M), exactly 0 between equal rows."""
    of_others = np.square(others).sum(axis=1)
    for first in range(0, len(rows), CHUNK):
        part = rows[first : first + CHUNK]
        lengths = np.square(part).sum(axis=1)[:, None] + of_others
        squared = lengths - 2 * part @ others.T
        squared[squared < ROUNDING * lengths] = 0
        yield squared
