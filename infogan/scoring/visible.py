"""What of the codes is drawn, and not hidden: how much Q reads from images that have lost what nobody sees."""

from torch import Tensor

from infogan.objective.transforms import blurred

BLUR = 1 / 64
"""σ of the blur as a part of the image's width: half a pixel of 32."""


def seen(images: Tensor, value_range: tuple[float, float]) -> Tensor:
    """Images as they are saved in 8 bits, lightly blurred, and saved again: (N, C, H, W) in `value_range`, likewise.

    A blur and no JPEG: it is the same for gray and colour, needs no codec, and its one number says what goes: rasters
    of a few pixels. Rounding takes patterns of less than a level.
    """
    sigma = BLUR * images.shape[3]
    blurry = blurred(in_8_bits(images, value_range), images.new_full((len(images),), sigma), sigma)
    return in_8_bits(blurry, value_range)


def in_8_bits(images: Tensor, value_range: tuple[float, float]) -> Tensor:
    """The nearest of 256 levels of the range, in the images' own type and shape."""
    low, high = value_range
    step = (high - low) / 255
    return ((images - low) / step).round().clamp(0, 255) * step + low
