"""What of the codes is drawn, and not hidden: how much Q reads from images that have lost what nobody sees."""

from torch import Tensor

from infogan.objective.transforms import blurred

BLUR = 1 / 48
"""σ of the blur as a part of the image's width: two thirds of a pixel of 32, which leave less than a quarter of a
raster of every second pixel."""


def seen(images: Tensor, value_range: tuple[float, float]) -> Tensor:
    """Images as they are saved in 8 bits, and lightly blurred: (N, C, H, W) in `value_range`, likewise.

    A blur and no JPEG: it is the same for gray and colour, needs no codec, and its one number says what goes: rasters
    of a few pixels. Rounding comes first and takes patterns of less than a level; after the blur it could sharpen them.
    """
    sigma = BLUR * images.shape[3]
    return blurred(in_8_bits(images, value_range), images.new_full((len(images),), sigma), sigma)


def in_8_bits(images: Tensor, value_range: tuple[float, float]) -> Tensor:
    """The nearest of 256 levels of the range, in the images' own type and shape."""
    low, high = value_range
    step = (high - low) / 255
    return ((images - low) / step).round().clamp(0, 255) * step + low
