"""The interventional robustness score (Suter et al. 2019): does a code stay where its factor holds it?"""

import numpy as np


def irs(codes: np.ndarray, factors: np.ndarray, percentile: float = 99.0) -> float:
    """(N, D) codes, (N, F) integer factors → [0, 1].

    Per code and factor: the percentile of the distance from the mean of the images that share the factor's value, mean
    over values, against the code's largest distance from its own mean; per code the best factor; codes are weighted by
    that largest distance. Codes that do not vary take no part; where there is no other, the score is 0.
    """
    codes = codes[:, codes.var(axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    deviation = np.zeros((codes.shape[1], factors.shape[1]))
    for f, factor in enumerate(factors.T):
        groups = [codes[factor == value] for value in np.unique(factor)]
        spreads = [np.percentile(np.abs(group - group.mean(axis=0)), percentile, axis=0) for group in groups]
        deviation[:, f] = np.mean(spreads, axis=0)
    robustness = 1 - deviation / largest[:, None]
    return float(np.average(robustness.max(axis=1), weights=largest))
