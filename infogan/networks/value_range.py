"""Images as they are stored, uint8, and as the networks see them, float32 in the generator's range."""

import numpy as np
import torch
from torch import Tensor

from infogan.config.networks import GeneratorConfig


def value_range(config: GeneratorConfig) -> tuple[float, float]:
    """The range of the generator's images, into which real images are scaled: [0, 1] or [-1, 1]."""
    return (0.0, 1.0) if config.output == "sigmoid" else (-1.0, 1.0)


def scaled(images: Tensor, value_range: tuple[float, float]) -> Tensor:
    """uint8 images → float32 in `value_range`, channels last: (N, C, H, W), on the device where they are."""
    low, high = value_range
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return images.mul_((high - low) / 255).add_(low)


def to_uint8(images: Tensor, value_range: tuple[float, float]) -> np.ndarray:
    """The way back: images in `value_range` → (N, H, W, C) uint8 on the CPU, for figures."""
    low, high = value_range
    pixels = ((images.float() - low) * (255 / (high - low))).round_().clamp_(0, 255).to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()
