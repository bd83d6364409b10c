"""The mutual information lower bound, as pure functions. Numbers refer to Chen et al. 2016; values are in nats."""

from collections.abc import Mapping

import torch
from torch import Tensor


def information_bound(log_likelihood: Tensor, entropy: float) -> Tensor:
    """L_I = E log Q(c|x) + H(c) ≤ I(c; G(z, c)), equation (5): (N,) log-likelihoods under Q and H(c) → scalar.

    At most H(c) for a categorical code; without a ceiling for a continuous one, whose entropy is differential.
    """
    return log_likelihood.mean() + entropy


def weighted_information(information: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ_j λ_j L_j over the codes by name, the regulariser of equation (6) → scalar; codes of weight 0 take no part."""
    terms = [weights[name] * bound for name, bound in information.items() if weights[name] != 0]
    return torch.stack(terms).sum() if terms else torch.zeros(())
