"""A layer of a preset → modules: a 4×4 convolution, its transpose or a fully connected map, norm and rectifier."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan.config import Conv, Layer, Linear, Up

Shape = tuple[int, ...]
"""Of one image or feature vector: (channels, height, width) or (features,)."""

KERNEL = 4


class SamePadConv(nn.Conv2d):
    """A 4×4 convolution of stride 1 that keeps the size: TensorFlow's SAME pads 1 before and 2 after."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (1, 2, 1, 2)))


class SamePadUp(nn.ConvTranspose2d):
    """A transposed 4×4 convolution of stride 1 that keeps the size: the transpose of `SamePadConv`."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x)[..., 1:-2, 1:-2]


def stack(layers: Sequence[Layer], shape: Shape, slope: float) -> tuple[nn.Sequential, Shape]:
    """The layers in order, each with batch norm where it asks for it and a (leaky) ReLU of that slope.

    Returns the modules and the shape that comes out. Raises ValueError where a convolution meets a flat vector.
    """
    modules: list[nn.Module] = []
    for layer in layers:
        block, shape = linear_map(layer, shape)
        modules.extend(block)
        if layer.batch_norm:
            modules.append(
                nn.BatchNorm2d(shape[0]) if isinstance(layer, Conv | Up) else nn.BatchNorm1d(math.prod(shape))
            )
        modules.append(nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True))
        if isinstance(layer, Linear) and len(shape) > 1:
            modules.append(nn.Unflatten(1, shape))
    return nn.Sequential(*modules), shape


def linear_map(layer: Layer, shape: Shape) -> tuple[list[nn.Module], Shape]:
    """The layer without norm and rectifier, and the shape that comes out. A bias only where no batch norm follows."""
    bias = not layer.batch_norm
    if isinstance(layer, Linear):
        flat: list[nn.Module] = [nn.Flatten()] if len(shape) > 1 else []
        out = (layer.fc,) if isinstance(layer.fc, int) else tuple(layer.fc)
        return [*flat, nn.Linear(math.prod(shape), math.prod(out), bias=bias)], out
    if len(shape) != 3:
        raise ValueError(f"a convolution needs channels, height and width, and gets {shape}")
    channels, height, width = shape
    if isinstance(layer, Conv):
        if layer.stride == 1:
            return [SamePadConv(channels, layer.conv, KERNEL, bias=bias)], (layer.conv, height, width)
        conv = nn.Conv2d(channels, layer.conv, KERNEL, stride=2, padding=1, bias=bias)
        return [conv], (layer.conv, height // 2, width // 2)
    if layer.stride == 1:
        return [SamePadUp(channels, layer.up, KERNEL, bias=bias)], (layer.up, height, width)
    up = nn.ConvTranspose2d(channels, layer.up, KERNEL, stride=2, padding=1, bias=bias)
    return [up], (layer.up, height * 2, width * 2)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Weights ~ N(0, 0.02) and biases 0 as in the authors' code; batch norms stay at scale 1, shift 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(part.weight, 0.0, 0.02, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
