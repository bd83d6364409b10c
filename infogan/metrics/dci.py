"""DCI (Eastwood and Williams 2018): disentanglement, completeness, informativeness."""

from typing import NamedTuple

import numpy as np

Split = tuple[np.ndarray, np.ndarray]
"""(N, D) codes and (N, F) integer factors."""


class Importances(NamedTuple):
    """`table`: (D, F), how much each code helps to name each factor's value; a column sums to 1. `accuracy`: (F,), the
    share of values named rightly on images that were not fitted."""

    table: np.ndarray
    accuracy: np.ndarray


def importances(fitted: Split, scored: Split, seed: int, jobs: int) -> Importances:
    """Gradient-boosted trees (scikit-learn's defaults, as disentanglement_lib) for each factor, in `jobs` processes."""
    from joblib import Parallel, delayed

    (train_codes, train_factors), (test_codes, test_factors) = fitted, scored
    values = [len(np.unique(factor)) for factor in train_factors.T]
    longest_first = np.argsort(values)[::-1]  # a tree for each value of the factor
    found = Parallel(n_jobs=jobs)(
        delayed(_boosted_trees)((train_codes, train_factors[:, f]), (test_codes, test_factors[:, f]), seed)
        for f in longest_first
    )
    back = np.argsort(longest_first)
    return Importances(np.column_stack([found[k][0] for k in back]), np.array([found[k][1] for k in back]))


def _boosted_trees(fitted: Split, scored: Split, seed: int) -> tuple[np.ndarray, float]:
    from sklearn.ensemble import GradientBoostingClassifier

    trees = GradientBoostingClassifier(random_state=seed).fit(*fitted)
    return trees.feature_importances_, float(trees.score(*scored))


def disentanglement(table: np.ndarray) -> float:
    """Is each code important for one factor only? (D, F) importances → [0, 1].

    1 - the entropy of each code's row (base F), weighted by the code's share of all importance.
    """
    return _concentration(table)


def completeness(table: np.ndarray) -> float:
    """Does each factor follow from one code only? (D, F) importances → [0, 1]: `disentanglement` of the columns.

    A factor that follows from two copies of a code, of D in all, gets 1 - ln 2 / ln D.
    """
    return _concentration(table.T)


def _concentration(table: np.ndarray) -> float:
    total = table.sum()
    if total == 0 or table.shape[1] == 1:
        return float(total > 0)
    rows = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, rows, out=np.zeros_like(table), where=rows > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -(shares * logs).sum(axis=1) / np.log(table.shape[1])
    return float(((1 - entropy) * rows[:, 0]).sum() / total)
