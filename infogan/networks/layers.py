"""A layer of a preset → modules: a 4×4 convolution, its transpose or a fully connected map, norm and rectifier."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from infogan.config.networks import Conv, Layer, Linear, Up

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


class Flatten(nn.Flatten):
    """Hands its gradient on in channels last, the order of the activations before it: what works element by element
    takes five times as long where two orders meet."""

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad and not torch.compiler.is_compiling():
            x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
        return super().forward(x)


def blocks(
    layers: Sequence[Layer], shape: Shape, slope: float, norm_last: bool = False
) -> tuple[list[list[nn.Module]], Shape]:
    """The layers in order, each with batch norm where it asks for it and a (leaky) ReLU, of `slope` unless it sets its
    own; with `norm_last` the rectifier comes first.

    Returns the modules of each layer and the shape that comes out. Raises ValueError where a convolution meets a flat
    vector.
    """
    built: list[list[nn.Module]] = []
    for layer in layers:
        block, shape = linear_map(layer, shape, bias=norm_last or not layer.batch_norm)
        own = slope if layer.slope is None else layer.slope
        then: list[nn.Module] = [nn.LeakyReLU(own, inplace=True) if own else nn.ReLU(inplace=True)]
        if layer.batch_norm:
            norm = nn.BatchNorm2d(shape[0]) if isinstance(layer, Conv | Up) else nn.BatchNorm1d(math.prod(shape))
            then.insert(len(then) if norm_last else 0, norm)
        if isinstance(layer, Linear) and len(shape) > 1:
            then.append(nn.Unflatten(1, shape))
        built.append([*block, *then])
    return built, shape


def linear_map(layer: Layer, shape: Shape, bias: bool = True) -> tuple[list[nn.Module], Shape]:
    """The layer without norm and rectifier, and the shape that comes out. A batch norm that follows needs no bias."""
    if isinstance(layer, Linear):
        flat: list[nn.Module] = [Flatten()] if len(shape) > 1 else []
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


def spectrally_normalised(module: nn.Module) -> None:
    """Divides every weight by its largest singular value, one step of the power method a forward in train mode."""
    for part in list(_weighted(module)):
        spectral_norm(part)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Weights ~ N(0, 0.02) and biases 0 as in the authors' code; batch norms stay at scale 1, shift 0. A network with
    an `initialise` of its own does it so."""
    if (own := getattr(type(module), "initialise", None)) is not None:
        own(module, generator)
        return
    for part in _weighted(module):
        weight = part.parametrizations.weight.original if is_parametrized(part) else part.weight
        nn.init.normal_(weight, 0.0, 0.02, generator=generator)
        if part.bias is not None:
            nn.init.zeros_(part.bias)


def _weighted(module: nn.Module) -> Iterator[Any]:
    return (part for part in module.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear))
