"""β-VAE's score (Higgins et al. 2017): can a linear classifier tell which factor two images share?"""

import numpy as np

from infogan.metrics.groups import sharing


def pair_differences(
    codes: np.ndarray, factors: np.ndarray, random: np.random.Generator, groups: int, pairs: int, one_value: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) codes, (N, F) integer factors → (groups, D) mean absolute differences and (groups,) the shared factor.

    Each group has `pairs` pairs that share one factor, drawn evenly; with `one_value` all pairs of a group have one
    value of it, else each pair its own.
    """
    names = np.sort(random.integers(factors.shape[1], size=groups))
    parts = []
    for f, count in enumerate(np.bincount(names, minlength=factors.shape[1])):
        column = factors[:, f]
        if one_value:
            first = sharing(column, random.integers(len(codes), size=count), pairs, random)
        else:
            first = random.integers(len(codes), size=(count, pairs))
        second = sharing(column, first.ravel(), 1, random).reshape(first.shape)
        parts.append(np.abs(codes[first] - codes[second]).mean(axis=1))
    return np.concatenate(parts), names


def beta_vae(codes: np.ndarray, factors: np.ndarray, random: np.random.Generator) -> float:
    """As disentanglement_lib: 64 pairs, 10,000 points to fit a logistic regression and 5,000 to score it → [0, 1]."""
    from sklearn.linear_model import LogisticRegression

    fitted = pair_differences(codes, factors, random, groups=10_000, pairs=64, one_value=False)
    scored = pair_differences(codes, factors, random, groups=5_000, pairs=64, one_value=False)
    return float(LogisticRegression(max_iter=1000).fit(*fitted).score(*scored))


def beta_vae_in_sample(codes: np.ndarray, factors: np.ndarray, random: np.random.Generator) -> float:
    """As InfoGAN-CR: 500 groups of 50 pairs that all have one value, scored on what was fitted → [0, 1]."""
    from sklearn.linear_model import LogisticRegression

    points = pair_differences(codes, factors, random, groups=500, pairs=50, one_value=True)
    return float(LogisticRegression(max_iter=1000).fit(*points).score(*points))
