"""Weights that change while training."""

from collections.abc import Sequence

import numpy as np


def weight_at(schedule: float | Sequence[Sequence[float]], iteration: int) -> float:
    """The weight of an iteration, counted from 0: a number, or [[iteration, weight], …] with straight lines between,
    constant before and after."""
    if isinstance(schedule, int | float):
        return float(schedule)
    iterations, weights = zip(*schedule, strict=True)
    return float(np.interp(iteration, iterations, weights))
