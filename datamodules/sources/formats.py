"""Which image files are read: what Pillow opens, and turns into 8 bits of gray or RGB without loss of meaning."""

from functools import cache

import numpy as np
from PIL import Image

from infogan.errors import DataError

FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "AVIF",
    "JPEG2000",
    "GIF",
    "BMP",
    "DIB",
    "TIFF",
    "PPM",
    "ICO",
    "ICNS",
    "PCX",
    "SGI",
    "QOI",
    "TGA",
)
"""What Pillow may take a file for, whatever its name. Not among them: what it hands to another program (PostScript),
what it only recognises (HDF5), films, and formats that nobody keeps images in. TGA has no mark of its own: the last."""

UNSIGNED = ("I;16", "I;16L", "I;16B")
"""Pillow's modes of up to 16 bits of gray. It calls them I, too, in formats that hold no more: IN_32_BITS."""

IN_32_BITS = ("PNG", "PPM")

TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")

PHOTOMETRIC, BITS = 262, 258
"""Numbers of TIFF's tags: whether 0 is white, and how many bits a pixel has."""


@cache
def readable() -> tuple[str, ...]:
    """Those of FORMATS that this build of Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@cache
def suffixes() -> tuple[str, ...]:
    """How the names of such files end, in small letters."""
    return tuple(suffix for suffix, name in Image.registered_extensions().items() if name in readable())


def eight_bits(upright: Image.Image, opened: Image.Image, channels: int, where: str) -> Image.Image:
    """A picture as gray (channels 1) or RGB (3), 8 bits each; transparency becomes white. `opened`: the file that it
    was read from. Raises DataError that names `where` that is, where the pixels have no range that is known.
    """
    if upright.mode in UNSIGNED or (upright.mode == "I" and opened.format in IN_32_BITS):
        upright = _scaled(upright, opened)
    elif upright.mode.startswith("I") or upright.mode == "F":
        raise DataError(f"{where} has numbers of 32 bits, of no range that is known: convert it to 8 or 16 bits")
    if upright.mode in TRANSPARENT or "transparency" in upright.info:
        rgba = upright.convert("LA" if upright.mode == "La" else "RGBA").convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if upright.mode == "LAB":  # of which Pillow makes only RGB
        upright = upright.convert("RGB")
    return upright.convert("L" if channels == 1 else "RGB")


def _scaled(gray: Image.Image, opened: Image.Image) -> Image.Image:
    """Up to 16 bits of gray, scaled to 8."""
    tags = getattr(opened, "tag_v2", {})
    values = np.asarray(gray)
    scaled = np.rint(values * (255 / (2 ** tags.get(BITS, (16,))[0] - 1))).clip(0, 255).astype(np.uint8)
    if tags.get(PHOTOMETRIC) == 0:  # Pillow turns white and black round where there are 8 bits, and not where 16
        scaled = 255 - scaled
    if "transparency" in gray.info:
        scaled[values == gray.info["transparency"]] = 255
    return Image.fromarray(scaled)
