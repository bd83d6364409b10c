"""How much each code tells about each factor, from histograms: what MIG and modularity are made from."""

import numpy as np

BINS = 20


def mutual_information(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(N, D) codes, cut into 20 equal bins from smallest to largest, (N, F) integer factors → (D, F) in nats, ≥ 0."""
    from sklearn.metrics import mutual_info_score

    bins = np.column_stack([binned(code) for code in codes.T])
    return np.array([[mutual_info_score(factor, code) for factor in factors.T] for code in bins.T])


def binned(code: np.ndarray) -> np.ndarray:
    """(N,) → (N,) integers: which of 20 equal bins between its extremes."""
    return np.digitize(code, np.histogram_bin_edges(code, BINS)[1:-1])


def entropies(factors: np.ndarray) -> np.ndarray:
    """(N, F) integers → H of each factor as it occurs, (F,) in nats."""
    shares = [np.bincount(factor) / len(factors) for factor in factors.T]
    return np.array([-(p[p > 0] * np.log(p[p > 0])).sum() for p in shares])
