"""All disentanglement scores of one set of images, under both protocols that the literature uses."""

from collections.abc import Callable, Sequence

import numpy as np

from infogan.metrics.beta_vae import beta_vae, beta_vae_in_sample
from infogan.metrics.dci import completeness, disentanglement, importances
from infogan.metrics.explicitness import explicitness
from infogan.metrics.factor_vae import factor_vae, factor_vae_in_sample
from infogan.metrics.irs import irs
from infogan.metrics.mig import mig
from infogan.metrics.modularity import modularity
from infogan.metrics.sap import sap, sap_in_sample

FITTED, SCORED = 10_000, 5_000
"""Images that classifiers are fitted to, and those that they are scored on."""


def dlib_scores(full: np.ndarray, single: np.ndarray, factors: np.ndarray, seed: int, jobs: int) -> dict[str, float]:
    """disentanglement_lib's protocol, one draw of images and groups by `seed`: every score by name.

    full: (N, D) codes, categoricals as their probabilities. single: (N, codes), one column a code, categoricals as the
    likeliest category, for MIG, SAP and completeness. factors: (N, F) integers from 0. Classifiers are fitted to 10,000
    images and scored on 5,000 others, or two thirds and a third where there are fewer.
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(len(full))[: FITTED + SCORED]
    fitted, scored = np.split(rows, [round(len(rows) * FITTED / (FITTED + SCORED))])
    of_full = (full[fitted], factors[fitted]), (full[scored], factors[scored])
    of_single = (single[fitted], factors[fitted]), (single[scored], factors[scored])
    trees = importances(*of_full, seed, jobs)
    one_column = trees if full.shape == single.shape else importances(*of_single, seed, jobs)
    return {
        "factor_vae": factor_vae(full, factors, random),
        "beta_vae": beta_vae(full, factors, random),
        "mig": mig(*of_single[0]),
        "sap": sap(*of_single),
        "dci_disentanglement": disentanglement(trees.table),
        "dci_completeness": completeness(one_column.table),
        "dci_informativeness": float(trees.accuracy.mean()),
        "modularity": modularity(*of_full[0]),
        "explicitness": explicitness(*of_full),
        "irs": irs(*of_full[0]),
    }


def infogan_cr_scores(
    full: np.ndarray, single: np.ndarray, factors: np.ndarray, ordered: Sequence[bool], seed: int
) -> dict[str, float]:
    """InfoGAN-CR's protocol, scored on what was fitted: the scores that it defines otherwise than disentanglement_lib.

    Arguments as in `dlib_scores`; `ordered`: factors whose larger numbers mean more (SAP takes a correlation there).
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(len(full))[:FITTED]
    return {
        "factor_vae": factor_vae_in_sample(full, factors, random),
        "beta_vae": beta_vae_in_sample(full, factors, random),
        "sap": sap_in_sample(single[rows], factors[rows], ordered),
    }


def over_draws(score: Callable[[int], dict[str, float]], seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """`score(seed)` for every seed: by name the mean, and the lowest and highest draw."""
    draws = [score(seed) for seed in seeds]
    return {
        name: {
            "mean": float(np.mean([draw[name] for draw in draws])),
            "low": min(draw[name] for draw in draws),
            "high": max(draw[name] for draw in draws),
        }
        for name in draws[0]
    }
