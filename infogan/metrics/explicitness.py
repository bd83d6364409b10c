"""Explicitness (Ridgeway and Mozer 2018): is every value of every factor easily read from all codes together?"""

import numpy as np

Split = tuple[np.ndarray, np.ndarray]
"""(N, D) codes and (N, F) integer factors."""


def explicitness(fitted: Split, scored: Split) -> float:
    """The area under the ROC curve of a logistic regression, one value against the rest, on `scored`: mean over values,
    then over factors → [0, 1]; chance is 0.5.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    (train_codes, train_factors), (test_codes, test_factors) = fitted, scored
    areas = []
    for train, test in zip(train_factors.T, test_factors.T, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # what separates the values well needs no last digit
            regression = LogisticRegression(max_iter=1000).fit(train_codes, train)
        probabilities = regression.predict_proba(test_codes)  # not the logits: of those only the extremes stand out
        of_values = [
            roc_auc_score(test == value, probabilities[:, k])
            for k, value in enumerate(regression.classes_)
            if 0 < (test == value).sum() < len(test)
        ]
        areas.append(np.mean(of_values))
    return float(np.mean(areas))
