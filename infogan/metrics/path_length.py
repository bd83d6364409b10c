"""Perceptual path length (Karras et al. 2019): how far an image moves for a small step between two latents."""

from collections.abc import Callable

import torch
from torch import Tensor


def path_length(
    image_of: Callable[[Tensor], Tensor],
    starts: Tensor,
    ends: Tensor,
    t: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    epsilon: float = 1e-4,
) -> Tensor:
    """d(G(lerp(a, b, t)), G(lerp(a, b, t + ε))) / ε² of each pair of latents, (N,) float64, ≥ 0.

    starts, ends: (N, width). t: (N,) in [0, 1]. `image_of` gets (N, width) float64; `distance` gets its images of both
    points and gives (N,) squared distances. All of it should run in float64: the two images are nearly the same.
    """
    starts, steps = starts.double(), ends.double() - starts.double()
    t = t.double().unsqueeze(1)
    return distance(image_of(starts + t * steps), image_of(starts + (t + epsilon) * steps)) / epsilon**2


def trimmed_mean(values: Tensor, low: float = 0.01, high: float = 0.99) -> float:
    """The mean of (N,) values without those below the quantile `low` and above the quantile `high`."""
    bounds = torch.quantile(values, torch.tensor([low, high], dtype=values.dtype))
    return values[(values >= bounds[0]) & (values <= bounds[1])].mean().item()
