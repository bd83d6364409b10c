"""House numbers as a street camera crops them: a digit of a free font, its neighbours cut off at the sides."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FACTORS = ("font", "digit_hue", "ground_hue", "contrast", "lighting", "direction", "neighbours", "blur")
"""Number of the font; hues of the digit and of the ground, in degrees; how much lighter the digit is than the ground,
of the range of gray, negative for a darker one; how bright the light is, from -1 (dusk) to 1 (glare); the side that it
comes from, in degrees from the right edge over the upper one; 0 no neighbour, 1 a left one, 2 a right one, 3 both; the
blur's σ in pixels."""

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-BoldOblique", "DejaVuSerif", "DejaVuSerif-Bold"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralBolIta", "cmr10", "cmb10", "cmss10", "cmtt10"),
    "Aileron",
)
"""The last is Pillow's own, the others lie in matplotlib: all free."""

SIZE = 32
FINE = 2
"""Points to a pixel, along each side, while shapes are drawn."""

GLYPH = 56
"""Points that a zero is high before it is scaled, its line left out."""

LINES = 4
"""Points that a digit's outline is thickened by, at most, to each side."""

CONTRASTS, BLURS, HEIGHTS = (0.2, 0.75), (0.3, 1.3), (0.72, 0.98)
"""Absolute; in pixels; of a digit, in sides of the picture."""

MIDDLE, STOPS = 0.8, 0.9
"""The light at lighting 0, and by how many powers of two it changes from there to either end."""


@dataclass(frozen=True)
class Scene:
    """What is on one picture: the digit, FACTORS by name, and what is not told.

    `left`, `right`: the neighbours' digits, where they are there. `weight`: points by which lines are thickened.
    `height` in sides of the picture, `width` of a digit in parts of what the font has, `gap` between digits in parts of
    their height. `tilt` in degrees, `shear` a slope, `keystone` by how much nearer one side is than the other, across
    and down. `shift` in sides of the picture. `digit_chroma`, `ground_chroma`: how colourful, 0 is gray. `slope` of
    the light from the middle to the edge that it comes from. `shadow` of the digits, 0 for none. `band`: where another
    ground begins below (above, where negative), in sides from the middle, and how much darker it is. `grain`: draws the
    ground's stains and the camera's noise, of these two sizes.
    """

    digit: int
    font: int
    digit_hue: float
    ground_hue: float
    contrast: float
    lighting: float
    direction: float
    neighbours: int
    blur: float
    left: int
    right: int
    weight: int
    height: float
    width: float
    gap: float
    tilt: float
    shear: float
    keystone: tuple[float, float]
    shift: tuple[float, float]
    digit_chroma: float
    ground_chroma: float
    slope: float
    shadow: float
    band: tuple[float, float]
    grain: int
    stains: float
    noise: float


def render_house_numbers(rows: range, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 3, 32, 32) uint8, and their factors (n, 8) float32 in the order of FACTORS, each drawn uniformly and
    independently of the digit and of the others. Row i is a function of (i, seed) alone."""
    scenes = [scene(row, seed) for row in rows]
    factors = [[getattr(found, name) for name in FACTORS] for found in scenes]
    images = np.array([draw(found) for found in scenes], np.uint8).reshape(-1, 3, SIZE, SIZE)
    return images, np.array(factors, np.float32).reshape(-1, len(FACTORS))


def digits(rows: range, seed: int) -> np.ndarray:
    """The digits of these rows, (n,) int64, without drawing them."""
    return np.array([_random(row, seed)[1] for row in rows], np.int64)


def _random(row: int, seed: int) -> tuple[np.random.Generator, int]:
    """The random numbers of a row, of which the digit takes the first."""
    random = np.random.default_rng((seed, row))
    return random, int(random.integers(10))


def scene(row: int, seed: int) -> Scene:
    """What is on the picture of a row."""
    random, digit = _random(row, seed)

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    return Scene(
        digit=digit,
        font=int(random.integers(len(FONTS))),
        digit_hue=between(0, 360),
        ground_hue=between(0, 360),
        contrast=between(*CONTRASTS) * int(random.choice([-1, 1])),
        lighting=between(-1, 1),
        direction=between(0, 360),
        neighbours=int(random.integers(4)),
        blur=between(*BLURS),
        left=int(random.integers(10)),
        right=int(random.integers(10)),
        weight=int(random.integers(LINES + 1)),
        height=between(*HEIGHTS),
        width=between(0.75, 1.15),
        gap=between(0.04, 0.2),
        tilt=float(random.normal(0, 4)),
        shear=float(random.normal(0, 0.08)),
        keystone=(between(-0.2, 0.2), between(-0.1, 0.1)),
        shift=(between(-0.05, 0.05), between(-0.03, 0.03)),
        digit_chroma=between(0.05, 0.32),
        ground_chroma=between(0.05, 0.24),
        slope=between(0.15, 0.5),
        shadow=float(random.choice([0, 1], p=[0.6, 0.4])) * between(0.3, 0.8),
        band=(between(0.36, 0.75) * int(random.choice([-1, 1])), between(-0.2, 0.3)),
        grain=int(random.integers(2**32)),
        stains=between(0, 0.06),
        noise=between(0.004, 0.03),
    )


def draw(scene: Scene) -> np.ndarray:
    """The picture, (3, 32, 32) uint8: colours times the light that falls on them, then the camera's noise."""
    random = np.random.default_rng(scene.grain)
    digits = _seen(_shapes(scene), scene)
    angle = np.deg2rad(scene.direction)
    right, up = float(np.cos(angle)), float(np.sin(angle))
    level = 0.5 - scene.contrast / 2
    ground = np.full((SIZE, SIZE), level)
    place, darker = scene.band
    rows = np.arange(SIZE) / SIZE - 0.5
    ground[rows > place if place > 0 else rows < place] -= darker * level
    ground += scene.stains * _stains(random)
    if scene.shadow:
        moved = Image.fromarray(digits).transform(
            (SIZE, SIZE), Image.Transform.AFFINE, (1, 0, 2.2 * right, 0, 1, -2.2 * up), Image.Resampling.BILINEAR
        )
        ground *= 1 - scene.shadow * np.asarray(moved)
    under = ground + scene.ground_chroma * min(level, 1 - level) * 2 * hue_of(scene.ground_hue)
    bright = level + scene.contrast
    over = bright + scene.digit_chroma * min(bright, 1 - bright) * 2 * hue_of(scene.digit_hue)
    colours = np.clip(under + digits * (over - under), 0, 1)
    x = (np.arange(SIZE) + 0.5) * 2 / SIZE - 1
    light = MIDDLE * 2 ** (STOPS * scene.lighting) * (1 + scene.slope * (right * x[None, :] - up * x[:, None]))
    seen = colours * light + scene.noise * random.standard_normal((3, SIZE, SIZE))
    return np.clip(np.rint(255 * seen), 0, 255).astype(np.uint8)


def hue_of(degrees: float) -> np.ndarray:
    """(3, 1, 1) shares of red, green and blue that add up to 0: a gray to which they are added keeps its mean."""
    return np.cos(np.deg2rad(degrees - np.array([0.0, 120.0, 240.0])))[:, None, None]


def _shapes(scene: Scene) -> Image.Image:
    """The digit in the middle of a canvas, between its neighbours: white on black, upright."""
    middle = _glyph(scene.font, scene.digit, scene.weight)
    canvas = Image.new("L", (5 * GLYPH, 2 * GLYPH))
    gap = scene.gap * GLYPH
    left = (canvas.width - middle.width) // 2
    canvas.paste(middle, (left, (canvas.height - middle.height) // 2))
    if scene.neighbours & 1:
        other = _glyph(scene.font, scene.left, scene.weight)
        canvas.paste(other, (round(left - gap - other.width), (canvas.height - other.height) // 2))
    if scene.neighbours & 2:
        other = _glyph(scene.font, scene.right, scene.weight)
        canvas.paste(other, (round(left + middle.width + gap), (canvas.height - other.height) // 2))
    return canvas


def _seen(shapes: Image.Image, scene: Scene) -> np.ndarray:
    """The canvas from where the camera stands, out of focus: (32, 32) float32, the share of digits in each pixel."""
    side = FINE * SIZE
    scale = (GLYPH + 2 * scene.weight) / (scene.height * side)
    tilt = np.deg2rad(scene.tilt)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    back = scale * np.diag([1 / scene.width, 1]) @ np.array([[1, scene.shear], [0, 1]]) @ turn
    # A point (u, v) from the picture's middle is that of the canvas at (back (u, v) + shift) / (1 + keystone · (u, v)).
    near = np.array(scene.keystone) / side
    to_middle = np.eye(3)
    to_middle[:2, 2] = -side / 2
    across = np.eye(3)
    across[:2, :2], across[:2, 2], across[2, :2] = back, scale * side * np.array(scene.shift), near
    from_middle = np.eye(3)
    from_middle[:2, 2] = shapes.width / 2, shapes.height / 2
    whole = from_middle @ across @ to_middle
    whole /= whole[2, 2]
    seen = shapes.transform(
        (side, side), Image.Transform.PERSPECTIVE, tuple(whole.ravel()[:8]), Image.Resampling.BILINEAR
    )
    soft = seen.filter(ImageFilter.GaussianBlur(FINE * scene.blur)).resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(soft, np.float32) / 255


def _stains(random: np.random.Generator) -> np.ndarray:
    """A smooth surface of standard deviation 1 at its knots, (32, 32) float32."""
    knots = Image.fromarray(random.standard_normal((5, 5)).astype(np.float32))
    return np.asarray(knots.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


@cache
def _font(number: int) -> ImageFont.FreeTypeFont:
    """A font in the size that makes its zero GLYPH points high."""
    tried = _sized(number, 100)
    _, top, _, bottom = tried.getbbox("0")
    return _sized(number, round(100 * GLYPH / (bottom - top)))


def _sized(number: int, size: int) -> ImageFont.FreeTypeFont:
    name = FONTS[number]
    if name == "Aileron":
        found = ImageFont.load_default(size)
        assert isinstance(found, ImageFont.FreeTypeFont)
        return found
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", size)


@cache
def _glyph(number: int, digit: int, weight: int) -> Image.Image:
    """A digit, cut to its edges: white on black."""
    font, text = _font(number), str(digit)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text, stroke_width=weight))
    glyph = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(glyph).text((-left, -top), text, 255, font, stroke_width=weight)
    return glyph
