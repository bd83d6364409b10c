"""The mutual information gap (Chen et al. 2018)."""

import numpy as np

from infogan.metrics.mutual_information import entropies, mutual_information


def mig(codes: np.ndarray, factors: np.ndarray) -> float:
    """Mean over factors of (I₁ - I₂) / H, I₁ and I₂ of the two codes that tell most: (N, D), (N, F) integers → [0, 1].

    With a single code I₂ is 0. Finite samples bias it: an identity code of 10 values gets 0.992 with 3,000 images.
    """
    table = np.sort(mutual_information(codes, factors), axis=0)[::-1]
    second = table[1] if len(table) > 1 else 0.0
    return float(np.mean((table[0] - second) / entropies(factors)))
