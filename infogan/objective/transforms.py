"""Transforms of images that leave what is on them the same, as pure functions of numbers that were drawn beforehand."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

AFFINE = 5
"""How many numbers `affine` takes for an image."""


def affine(images: Tensor, u: Tensor, rotation: float, scale: float, shear: float, shift: float) -> Tensor:
    """Each image turned by up to ±`rotation` degrees, enlarged or reduced by up to ±`scale`, sheared by up to ±`shear`
    and shifted by up to ±`shift` of its width and height, about its centre, bilinear; what comes in from outside
    repeats the border.

    (N, C, H, W) images and (N, AFFINE) numbers in [0, 1), of which 0.5 changes nothing → (N, C, H, W).
    """
    angle, size, slant, right, down = (2 * u.to(images) - 1).unbind(dim=1)
    angle = angle * math.radians(rotation)
    size = 1 + scale * size
    cosine, sine, slant = angle.cos() * size, angle.sin() * size, shear * slant
    # Rows of the map from a pixel of the result to where it comes from, in coordinates from -1 to 1.
    across = torch.stack([cosine, slant * cosine - sine, 2 * shift * right], dim=1)
    along = torch.stack([sine, slant * sine + cosine, 2 * shift * down], dim=1)
    grid = F.affine_grid(torch.stack([across, along], dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
