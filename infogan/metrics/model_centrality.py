"""ModelCentrality (Lin et al. 2020): the model that most others agree with, found without labels."""

import numpy as np


def centrality(agreement: np.ndarray) -> np.ndarray:
    """(M, M) scores of encoder i on groups that model j generated → (M,): the mean of the other models' entries after
    A and its transpose were averaged, in the scores' range. The highest is the model to choose; two models tie.

    NaN where two models were not compared: the mean is over those that were.
    Raises ValueError for fewer than two models, or a model that was compared with none.
    """
    symmetric = (agreement + agreement.T) / 2
    known = ~np.isnan(symmetric) & ~np.eye(len(agreement), dtype=bool)
    if not known.any(axis=1).all() or len(agreement) < 2:
        raise ValueError("centrality needs two models or more, each compared with another")
    return np.where(known, symmetric, 0.0).sum(axis=1) / known.sum(axis=1)


def group_votes(codes: np.ndarray, fixed: np.ndarray, n_fixed: int) -> np.ndarray:
    """(groups, size, D) readings of images and which code of their generator each group shares, (groups,) integers →
    (D, n_fixed) votes: how often reading d varied least, against its variance over all images, when code f was shared.

    Readings that never vary get no vote.
    """
    variance = codes.reshape(-1, codes.shape[-1]).var(axis=0, ddof=1)
    votes = np.zeros((codes.shape[-1], n_fixed), np.int64)
    active = np.flatnonzero(variance > 0)
    if len(active):
        winner = active[(codes[..., active].var(axis=1, ddof=1) / variance[active]).argmin(axis=1)]
        np.add.at(votes, (winner, fixed), 1)
    return votes
