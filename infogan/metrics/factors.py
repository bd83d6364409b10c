"""Which code follows which factor: how the codes that Q reads from images go with the factors that made the images."""

import numpy as np


def spearman(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Absolute rank correlation of every code with every factor: (N, D), (N, F) → (D, F) in [0, 1]; 0 for a constant.

    A factor without an order (an identity) gives a number without a meaning.
    """
    from scipy.stats import rankdata

    def standardised(values: np.ndarray) -> np.ndarray:
        ranks = rankdata(values, axis=0)
        ranks = ranks - ranks.mean(axis=0)
        length = np.linalg.norm(ranks, axis=0)
        return ranks / np.where(length > 0, length, 1)

    return np.abs(standardised(codes).T @ standardised(factors))


def rotation_score(code: np.ndarray, angle: np.ndarray) -> float:
    """How well a code that is uniform on [-1, 1] tells an angle over the full turn: (N,), (N,) radians → [0, 1].

    |mean exp(i(θ ∓ πc))|, the better direction: 1 for a code that is linear in the angle, wherever it starts. A linear
    correlation would stop at 0.78 for that code.
    """
    return float(max(np.abs(np.mean(np.exp(1j * (angle - sign * np.pi * code)))) for sign in (1, -1)))
