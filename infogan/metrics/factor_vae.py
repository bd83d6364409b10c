"""FactorVAE's score (Kim and Mnih 2018): does each code stand still when one factor does?"""

import numpy as np

from infogan.metrics.groups import sharing


def factor_vae_votes(
    codes: np.ndarray,
    factors: np.ndarray,
    random: np.random.Generator,
    groups: int,
    group_size: int,
    least_deviation: float,
) -> np.ndarray:
    """(N, D) codes, (N, F) integer factors → (D, F) votes: how often code d varied least when factor f was fixed.

    In each of `groups` groups of `group_size` images one factor, drawn evenly, has one value; a code's variance there
    is divided by its variance over all N (ddof 1). Codes whose standard deviation over all N is below
    `least_deviation` do not vote; where there are none left, all votes go to code 0.
    """
    variance = codes.var(axis=0, ddof=1)
    active = np.flatnonzero((np.sqrt(variance) >= least_deviation) & (variance > 0))
    votes = np.zeros((codes.shape[1], factors.shape[1]), np.int64)
    for f, count in enumerate(np.bincount(random.integers(factors.shape[1], size=groups), minlength=factors.shape[1])):
        rows = sharing(factors[:, f], random.integers(len(codes), size=count), group_size, random)
        winner = np.zeros(count, np.int64)
        if len(active):
            winner = active[(codes[rows][..., active].var(axis=1, ddof=1) / variance[active]).argmin(axis=1)]
        votes[:, f] = np.bincount(winner, minlength=len(votes))
    return votes


def majority_accuracy(fitted: np.ndarray, scored: np.ndarray) -> float:
    """Each code stands for the factor that it got most votes for in `fitted`; the share of `scored` votes that agree.

    Two (D, F) tables of votes → [0, 1]; twice the same table is the in-sample score.
    """
    return float(scored[np.arange(len(fitted)), fitted.argmax(axis=1)].sum() / scored.sum())


def factor_vae(codes: np.ndarray, factors: np.ndarray, random: np.random.Generator) -> float:
    """As disentanglement_lib: groups of 64, 10,000 votes to fit and 5,000 to score, codes below 0.05 dropped → [0, 1].

    Chance is about 1 / F.
    """
    fitted = factor_vae_votes(codes, factors, random, groups=10_000, group_size=64, least_deviation=0.05)
    return majority_accuracy(
        fitted, factor_vae_votes(codes, factors, random, groups=5_000, group_size=64, least_deviation=0.05)
    )


def factor_vae_in_sample(codes: np.ndarray, factors: np.ndarray, random: np.random.Generator) -> float:
    """As InfoGAN-CR: 500 groups of 100, scored on the votes that were fitted, no code dropped → [0, 1].

    A random code gets about 0.25 for five factors.
    """
    votes = factor_vae_votes(codes, factors, random, groups=500, group_size=100, least_deviation=0.0)
    return majority_accuracy(votes, votes)
