"""Do two models put the same images into the same categories? What many find is in the data; errors are their own."""

from collections.abc import Sequence

import numpy as np

from infogan.metrics.clustering import normalised_mutual_information


def partition_agreement(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> tuple[float, float]:
    """How well the categories of one model tell those of another on the same N images, and the other way about, both in
    [0, 1].

    first, second: (N,) integers for each categorical code, one or more. The NMI of each of `first` with the one of
    `second` that is most like it, in the mean, then of each of `second`; the order of codes and of categories does not
    matter.
    """
    alike = np.array([[normalised_mutual_information(a, b) for b in second] for a in first])
    return float(alike.max(axis=1).mean()), float(alike.max(axis=0).mean())
