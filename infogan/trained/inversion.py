"""From an image back to the noise: which z, beside codes that are given, makes the generator draw it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

POOR = 0.5
"""A reconstruction that keeps more than this share of the error that images with other noise have is a poor one."""


@dataclass(frozen=True)
class Inversion:
    """`latent`: (1, width), the given codes and the noise that was found. `error`: of its image, the root of the mean
    squared difference of pixels. `error_before`: the mean of the same over the random starts, which is what images of
    these codes are off by when nobody looks for the noise."""

    latent: Tensor
    error: float
    error_before: float

    @property
    def poor(self) -> bool:
        """Whether the search has come less than half the way from random images of these codes to the image."""
        return self.error > POOR * self.error_before


def invert(
    generator: Callable[[Tensor], Tensor],
    image: Tensor,
    starts: Tensor,
    codes_width: int,
    reach: float,
    iterations: int,
    learning_rate: float,
    advance: Callable[[int], object],
) -> Inversion:
    """Looks for the noise whose image is nearest to `image` in mean squared error, by Adam from all starts at once.

    generator: (R, width) latents → (R, C, H, W). image: (C, H, W). starts: (R, width) latents; the first `codes_width`
    columns are the codes and stay. `reach`: the noise is kept within [-reach, reach], where the generator was trained
    (inf: it goes anywhere). The learning rate falls to 0 along half a cosine. The best that was seen is taken.
    `advance` hears of each iteration.
    """
    codes, noise = starts[:, :codes_width], starts[:, codes_width:].clone().requires_grad_()
    optimizer = torch.optim.Adam([noise], learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
    best, least, initial = starts[:1], math.inf, math.nan
    for iteration in range(iterations + 1):
        errors = (generator(torch.cat([codes, noise], dim=1)) - image).square().flatten(1).mean(dim=1)
        if iteration == 0:
            initial = errors.detach().sqrt().mean().item()
        k = int(errors.argmin())
        if errors[k].item() < least:
            least, best = errors[k].item(), torch.cat([codes, noise.detach()], dim=1)[k : k + 1]
        if iteration < iterations:
            optimizer.zero_grad()
            errors.sum().backward()  # each start has its own error: none feels the others
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                noise.clamp_(-reach, reach)
            advance(1)
    return Inversion(best, math.sqrt(least), initial)
