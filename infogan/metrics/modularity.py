"""Modularity (Ridgeway and Mozer 2018): does each code tell about one factor only?"""

import numpy as np

from infogan.metrics.mutual_information import mutual_information


def modularity(codes: np.ndarray, factors: np.ndarray) -> float:
    """Mean over codes of 1 - Σ_{j≠max} m_j² / (m_max² (F - 1)): (N, D), (N, F) integers → [0, 1].

    m is the mutual information with each factor; a code that tells nothing counts 0. A code of noise can score high:
    modularity does not ask how much.
    """
    squares = mutual_information(codes, factors) ** 2
    largest = squares.max(axis=1)
    informed = largest > 0
    rest = (squares.sum(axis=1) - largest)[informed] / (largest[informed] * (factors.shape[1] - 1))
    return float((1 - rest).sum() / len(squares))
