"""Transforms of images that leave what is on them the same, as pure functions of numbers that were drawn beforehand."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan.config.regularisers import Transforms

AFFINE = ("rotation", "scale", "shear", "shift")
COLOUR = ("brightness", "contrast", "saturation", "hue")
LEAST_BLUR = 1e-3
"""Pixels: the σ of a blur that does nothing."""


def numbers(transforms: Transforms) -> int:
    """How many numbers in [0, 1) `transformed` takes for an image."""
    columns = 5 * any(getattr(transforms, name) for name in AFFINE) + 3 * bool(transforms.crop) + transforms.flip
    columns += sum(bool(getattr(transforms, name)) for name in (*COLOUR, "blur", "noise"))
    return columns + 2 * bool(transforms.cutout)


def transformed(images: Tensor, u: Tensor, transforms: Transforms, value_range: tuple[float, float]) -> Tensor:
    """Each image changed by its own numbers, 0.5 of which is the middle of a range: (N, C, H, W) images in
    `value_range` and (N, `numbers(transforms)`) numbers in [0, 1) → (N, C, H, W), differentiable by the images.
    Values that leave the range are moved to its ends, where they have no gradient: see `unclamped`."""
    changes_values = transforms.noise or any(getattr(transforms, name) for name in COLOUR)
    images = unclamped(images, u, transforms, value_range)
    return images.clamp(*value_range) if changes_values else images


def unclamped(images: Tensor, u: Tensor, transforms: Transforms, value_range: tuple[float, float]) -> Tensor:
    """As `transformed`, but values may leave the range: every pixel keeps its gradient."""
    columns = iter(u.to(images).unbind(dim=1))
    images = _moved(images, columns, transforms)
    low, high = value_range
    for name, change in (("brightness", brighter), ("contrast", contrasted), ("saturation", saturated), ("hue", hued)):
        if amount := getattr(transforms, name):
            images = change(images, amount * (2 * next(columns) - 1) * (high - low if name == "brightness" else 1))
    if transforms.blur:
        images = blurred(images, transforms.blur * next(columns), transforms.blur)
    if transforms.noise:
        images = images + transforms.noise * (high - low) * noise_like(images, next(columns))
    if transforms.cutout:
        images = cut_out(images, next(columns), next(columns), transforms.cutout, (low + high) / 2)
    return images


def _moved(images: Tensor, columns: Iterator[Tensor], transforms: Transforms) -> Tensor:
    """Turned, scaled, sheared, shifted, cut out and mirrored in one bilinear reading; what comes in from outside
    repeats the border."""
    is_affine = any(getattr(transforms, name) for name in AFFINE)
    if not (is_affine or transforms.flip or transforms.crop):
        return images
    ones, zeros = images.new_ones(len(images)), images.new_zeros(len(images))
    # Rows of the map from a pixel of the result to where it comes from, in coordinates from -1 to 1.
    across, along = torch.stack([ones, zeros, zeros], dim=1), torch.stack([zeros, ones, zeros], dim=1)
    if is_affine:
        angle, size, slant, right, down = (2 * next(columns) - 1 for _ in range(5))
        angle = angle * math.radians(transforms.rotation)
        size = 1 + transforms.scale * size
        cosine, sine, slant = angle.cos() * size, angle.sin() * size, transforms.shear * slant
        across = torch.stack([cosine, slant * cosine - sine, 2 * transforms.shift * right], dim=1)
        along = torch.stack([sine, slant * sine + cosine, 2 * transforms.shift * down], dim=1)
    if transforms.crop:
        left, right, down = 1 - transforms.crop * next(columns), 2 * next(columns) - 1, 2 * next(columns) - 1
        across = across * left[:, None] + torch.stack([zeros, zeros, (1 - left) * right], dim=1)
        along = along * left[:, None] + torch.stack([zeros, zeros, (1 - left) * down], dim=1)
    if transforms.flip:
        side = torch.where(next(columns) < 0.5, 1.0, -1.0)
        mirror = torch.stack([side, ones, ones], dim=1)
        across, along = across * mirror, along * mirror
    grid = F.affine_grid(torch.stack([across, along], dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def brighter(images: Tensor, shift: Tensor) -> Tensor:
    """`shift`, (N,), added to every pixel of an image."""
    return images + shift[:, None, None, None]


def contrasted(images: Tensor, change: Tensor) -> Tensor:
    """Distances from the image's mean times 1 + `change`, (N,)."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (1 + change)[:, None, None, None] * (images - mean)


def saturated(images: Tensor, change: Tensor) -> Tensor:
    """Distances from gray times 1 + `change`, (N,); gray images stay as they are."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    gray = 0.299 * red + 0.587 * green + 0.114 * blue  # Rec. 601
    return gray + (1 + change)[:, None, None, None] * (images - gray)


def hued(images: Tensor, degrees: Tensor) -> Tensor:
    """Colours turned about the axis of grays by `degrees`, (N,), their mean kept; gray images stay as they are."""
    if images.shape[1] == 1:
        return images
    angle = torch.deg2rad(degrees)[:, None, None, None]
    mean = images.mean(dim=1, keepdim=True)
    across = (images.roll(1, dims=1) - images.roll(-1, dims=1)) / math.sqrt(3)  # (1, 1, 1) / √3 × (r, g, b)
    return images * angle.cos() + across * angle.sin() + mean * (1 - angle.cos())


def blurred(images: Tensor, sigma: Tensor, most: float) -> Tensor:
    """Smoothed by Gaussians of `sigma`, (N,) pixels from 0 to `most`; the border is repeated."""
    count, channels, *size = images.shape
    radius = math.ceil(3 * most)
    steps = torch.arange(-radius, radius + 1, device=images.device).to(images)
    kernels = torch.exp(-0.5 * (steps / sigma.clamp_min(LEAST_BLUR)[:, None]) ** 2)
    kernels = (kernels / kernels.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)[:, None]
    flat = F.pad(images.reshape(1, count * channels, *size), [radius] * 4, mode="replicate")
    flat = F.conv2d(flat, kernels[:, :, None], groups=count * channels)
    return F.conv2d(flat, kernels[..., None], groups=count * channels).reshape(images.shape)


def cut_out(images: Tensor, across: Tensor, along: Tensor, share: float, value: float) -> Tensor:
    """A rectangle of `share` of the width and height set to `value`; its centre is at `across` and `along`, (N,) in
    [0, 1) of the width and height, and what lies outside of the image is lost. Pixels whose centres it holds."""
    near = [
        (((torch.arange(size, device=images.device) + 0.5) / size - centre[:, None]).abs() < share / 2)
        for size, centre in zip(images.shape[2:], (along, across), strict=True)
    ]
    return torch.where(near[0][:, None, :, None] & near[1][:, None, None, :], value, images)


def noise_like(images: Tensor, u: Tensor) -> Tensor:
    """Normal noise of the images' shape, a function of each image's number `u`, (N,) in [0, 1), alone: the place of a
    pixel and the number are hashed, so that the device needs no generator of its own."""
    places = torch.arange(images[0].numel(), device=images.device)
    key = (u.double() * 2**32).long()[:, None]
    first, second = (_hashed(key ^ _hashed(2 * places + part)).double() / 2**32 for part in (0, 1))
    normal = torch.sqrt(-2 * torch.log1p(-first)) * torch.cos(2 * math.pi * second)  # Box and Muller 1958
    return normal.to(images.dtype).reshape(images.shape)


def _hashed(x: Tensor) -> Tensor:
    """32 bits of integers mixed so that each depends on all, (…) int64 → (…) in [0, 2³²) (the finaliser of
    MurmurHash3)."""
    mask = 2**32 - 1
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> shift)) * factor) & mask
    return x ^ (x >> 16)
