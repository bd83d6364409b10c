"""Mutual information, as pure functions on tensors: the lower bound of Chen et al. 2016, whose numbers are those of its
equations, and that of two partitions of the same images. All values are in nats."""

from torch import Tensor

LEAST_PROBABILITY = 1e-8
"""Of a cell of a joint distribution: the logarithm of 0 has no gradient."""


def information_bound(log_likelihood: Tensor, entropy: float | Tensor) -> Tensor:
    """L_I = E log Q(c|x) + H(c) ≤ I(c; G(z, c)), equation (5): (N,) log-likelihoods under Q and H(c) → scalar.

    At most H(c) for a categorical code; without a ceiling for a continuous one, whose entropy is differential.
    """
    return log_likelihood.mean() + entropy


def joint_of_pairs(first: Tensor, second: Tensor) -> Tensor:
    """The joint distribution of the groups of two views of the same images, made symmetric: P = mean over the images of
    p qᵀ, (N, K) probabilities each → (K, K), its sum 1 (Ji et al. 2019, equation 2)."""
    joint = first.T @ second / len(first)
    return (joint + joint.T) / 2


def information_of_joint(joint: Tensor) -> Tensor:
    """I = Σ P ln(P / (P_i P_j)) of a joint distribution, (K, L) → scalar from 0 to ln min(K, L) (Ji et al. 2019,
    equation 3). Cells below LEAST_PROBABILITY count as that much."""
    joint = joint.clamp_min(LEAST_PROBABILITY)
    independent = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0, keepdim=True)
    return (joint * (joint.log() - independent.log())).sum()


def entropy(probabilities: Tensor) -> Tensor:
    """H = -Σ p ln p of a distribution, (K,) → scalar from 0 to ln K. Probabilities below LEAST_PROBABILITY count as
    that much."""
    probabilities = probabilities.clamp_min(LEAST_PROBABILITY)
    return -(probabilities * probabilities.log()).sum()
