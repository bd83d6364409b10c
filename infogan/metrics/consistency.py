"""What can be said of one run without labels: does Q agree with itself, and does it use all categories?"""

import numpy as np


def category_agreement(first: np.ndarray, second: np.ndarray, classes: int) -> float:
    """How often Q reads the same category from two images of one category: two (N,) integers → 0 (chance) to 1.

    Agreement beyond that of `classes` equally likely categories; below 0 where it is worse than chance.
    """
    chance = 1 / classes
    return float((np.mean(first == second) - chance) / (1 - chance))


def value_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """The correlation of what Q reads from two images of one value: two (N,) numbers → [-1, 1]; 0 for a constant."""
    first, second = first - first.mean(), second - second.mean()
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / lengths) if lengths > 0 else 0.0


def usage_entropy(clusters: np.ndarray, classes: int) -> float:
    """The entropy of how often each category is read, in nats: (N,) integers → [0, ln `classes`]."""
    shares = np.bincount(clusters, minlength=classes) / len(clusters)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
