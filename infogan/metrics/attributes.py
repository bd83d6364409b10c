"""How codes that were read from images tell attributes, which an image has or has not: AUROC, linear probe, TAD."""

import numpy as np

CAPTURED = 0.75
"""The AUROC from which on an attribute counts as captured (Yeats et al. 2022)."""

REDUNDANT = 0.2
"""The share of an attribute's entropy that another one takes, above which it is left out (Yeats et al. 2022)."""


def auroc(scores: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """The area under the ROC curve of every score for every attribute: (N, D) numbers, (N, A) of 0 and 1 → (D, A).

    The probability that an image with the attribute scores above one without, ties counting half (Mann-Whitney): 0.5
    for chance, 1 where all are above. NaN for an attribute that all images have, or none.
    """
    from scipy.stats import rankdata

    has = attributes.astype(np.float64)
    positive, negative = has.sum(axis=0), (1 - has).sum(axis=0)
    above = rankdata(scores, axis=0).T @ has - positive * (positive + 1) / 2
    pairs = positive * negative
    return np.divide(above, pairs, out=np.full(above.shape, np.nan), where=pairs > 0)


def either_way(areas: np.ndarray) -> np.ndarray:
    """AUROCs where a score may as well tell the absence: the larger of a and 1 - a, in [0.5, 1]."""
    return np.maximum(areas, 1 - areas)


def best_sums(probabilities: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """The categories whose summed probability tells an attribute best: (N, K), (N, A) of 0 and 1 → (K, A) of 0 and 1.

    Categories join in the order of their likelihood ratio E[p_k | attribute] / E[p_k | none], and the sum of the
    largest AUROC is kept; never none and never all. For sure categories (one-hot rows) no other set does better.
    """
    has = attributes.astype(np.float64)
    with_it = probabilities.T @ has / np.maximum(has.sum(axis=0), 1)
    without = probabilities.T @ (1 - has) / np.maximum((1 - has).sum(axis=0), 1)
    order = np.argsort(-with_it / np.maximum(without, 1e-12), axis=0, kind="stable")
    chosen = np.zeros(order.shape)
    for column, ranking in enumerate(order.T):
        sums = probabilities[:, ranking[:-1]].cumsum(axis=1)
        areas = auroc(sums, attributes[:, [column]])[:, 0]
        chosen[ranking[: 1 + int(np.argmax(areas))], column] = 1
    return chosen


def linear_probe(codes: np.ndarray, attributes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """A logistic regression of each attribute on all codes together, fitted to (N, D) codes and (N, A) of 0 and 1 →
    how sure it is of each attribute for (M, D) `others`: (M, A) log odds. Codes are standardised, with scikit-learn's
    penalty (C = 1). NaN for an attribute that all images have, or none.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1)
    fitted, scored = (codes - mean) / scale, (others - mean) / scale
    odds = np.full((len(others), attributes.shape[1]), np.nan)
    for column, has in enumerate(attributes.T):
        if 0 < has.sum() < len(has):
            odds[:, column] = LogisticRegression(max_iter=1000).fit(fitted, has).decision_function(scored)
    return odds


def entropy_reduction(attributes: np.ndarray) -> np.ndarray:
    """The largest share of an attribute's entropy that one other attribute takes, max_b I(a; b) / H(a): (N, A) of 0
    and 1 → (A,) in [0, 1]; 0 for an attribute that never varies, or where there is but one."""
    has = attributes.astype(np.float64)
    information = np.zeros((has.shape[1], has.shape[1]))
    for left in (has, 1 - has):
        for right in (has, 1 - has):
            joint = left.T @ right / len(has)
            product = np.outer(left.mean(axis=0), right.mean(axis=0))
            logs = np.log(np.divide(joint, product, out=np.ones_like(joint), where=joint > 0))
            information += joint * logs
    entropy = information.diagonal().copy()
    np.fill_diagonal(information, 0)
    return np.divide(information.max(axis=1), entropy, out=np.zeros(len(entropy)), where=entropy > 0).clip(0, 1)


def total_auroc_difference(areas: np.ndarray, attributes: np.ndarray) -> tuple[float, np.ndarray]:
    """TAD, Yeats et al. 2022: by how much one code is ahead of the second, summed over what is captured.

    `areas`: (codes, A) AUROCs in [0.5, 1]; chance stands in for a second code where there is one alone. `attributes`:
    (N, A) of 0 and 1. An attribute is captured where its largest area is at least CAPTURED, and no other one takes
    more than REDUNDANT of its entropy. Returns the sum, 0 at least, and which are captured, (A,) bool.
    """
    ordered = np.sort(np.concatenate([np.full((1, areas.shape[1]), 0.5), areas]), axis=0)
    captured = (ordered[-1] >= CAPTURED) & (entropy_reduction(attributes) <= REDUNDANT)
    return float((ordered[-1] - ordered[-2])[captured].sum()), captured
