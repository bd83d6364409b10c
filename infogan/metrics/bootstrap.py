"""How far a mean could be off with so few samples."""

import numpy as np


def bootstrap_interval(
    values: np.ndarray, seed: int, level: float = 0.95, resamples: int = 1000
) -> tuple[float, float]:
    """The percentile interval of the mean of (N,) values: its ends, in the values' unit.

    It is about the sampling of these values alone, not of another training.
    """
    from scipy.stats import bootstrap

    if np.ptp(values) == 0:  # SciPy gives NaN for a constant
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,), np.mean, n_resamples=resamples, batch=50, confidence_level=level, method="percentile", rng=seed
    ).confidence_interval
    return float(found.low), float(found.high)
