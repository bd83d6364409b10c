"""SAP (Kumar et al. 2018): the separated attribute predictability of single codes."""

from collections.abc import Sequence

import numpy as np

Split = tuple[np.ndarray, np.ndarray]
"""(N, D) codes and (N, F) integer factors."""


def sap(fitted: Split, scored: Split) -> float:
    """As disentanglement_lib with discrete factors: mean over factors of best minus second-best code → [0, 1].

    A code's score is how often a linear SVM (C = 0.01, balanced classes) that sees it alone names the factor's value on
    `scored`. A factor of many ordered values cannot score high: only its extremes are linearly separable.
    """
    (train_codes, train_factors), (test_codes, test_factors) = fitted, scored
    table = np.array(
        [
            [
                _svm_accuracy((train_codes[:, [d]], train_factors[:, f]), (test_codes[:, [d]], test_factors[:, f]))
                for f in range(train_factors.shape[1])
            ]
            for d in range(train_codes.shape[1])
        ]
    )
    return gap(table)


def sap_in_sample(codes: np.ndarray, factors: np.ndarray, ordered: Sequence[bool]) -> float:
    """As InfoGAN-CR: the squared correlation for `ordered` factors, for the others the SVM's accuracy on what it was
    fitted to; mean over factors of best minus second-best code → [0, 1].
    """
    table = np.zeros((codes.shape[1], factors.shape[1]))
    for d, code in enumerate(codes.T):
        for f, factor in enumerate(factors.T):
            points = (code[:, None], factor)
            table[d, f] = _squared_correlation(code, factor) if ordered[f] else _svm_accuracy(points, points)
    return gap(table)


def gap(table: np.ndarray) -> float:
    """(D, F) scores of single codes → mean over factors of best minus second best; with one code: of its score."""
    best = np.sort(table, axis=0)[::-1]
    return float(np.mean(best[0] - (best[1] if len(best) > 1 else 0.0)))


def _svm_accuracy(fitted: Split, scored: Split) -> float:
    from sklearn.svm import LinearSVC

    if np.ptp(fitted[0]) == 0:  # a constant code names the same value for all: it tells nothing
        return 0.0
    classifier = LinearSVC(C=0.01, class_weight="balanced", dual=False).fit(*fitted)
    return float(classifier.score(*scored))


def _squared_correlation(code: np.ndarray, factor: np.ndarray) -> float:
    covariance = np.cov(code, factor)
    variances = covariance[0, 0] * covariance[1, 1]
    return float(covariance[0, 1] ** 2 / variances) if variances > 0 else 0.0
