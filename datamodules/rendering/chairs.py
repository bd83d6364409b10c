"""Parametric chairs, seen from all around as Aubry et al. 2014 show theirs."""

import math
from collections.abc import Sequence

import numpy as np

from infogan.datamodules.rendering.chair_parts import ARMS, BACKS, LEGS, Style, parts
from infogan.datamodules.rendering.scene import Light, Mesh, View, direction, join, render

ELEVATIONS = (20, 30)
AZIMUTHS = tuple(int(angle) for angle in np.linspace(0, 360, 32)[:31])
"""Degrees; Aubry's files have the same 62 views."""

LAMP = Light(azimuth=-40, elevation=60, ambient=0.4, follows_camera=True)
"""Upper sides are brightest, then what is turned to the left, then what is turned to the right."""

DISTANCE, FIELD = 5.0, 2.0
FILLED = 0.93
"""Share of the frame that a chair takes up, in the view where it takes up most."""


def render_chairs(models: range, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """All 62 views of every model: images (62 n, 1, size, size) uint8 on white, and factors (62 n, 3) float32: the
    model's number, azimuth and elevation in degrees. An image is a function of (model, view, seed, size) alone.
    """
    images, factors = [], []
    for model in models:
        mesh = chair(model, seed)
        for elevation in ELEVATIONS:
            for azimuth in AZIMUTHS:
                images.append(render(mesh, View(azimuth, elevation, DISTANCE, FIELD), LAMP, size, 255))
                factors.append((model, azimuth, elevation))
    return np.array(images, np.uint8).reshape(-1, 1, size, size), np.array(factors, np.float32).reshape(-1, 3)


def style(model: int, seed: int) -> Style:
    """The style of a model's number. Width, the seat's height and the tones are independent of the kinds of parts."""
    rng = np.random.default_rng((seed, model))

    def one_of(kinds: Sequence[str], shares: Sequence[float] | None = None) -> str:
        return str(rng.choice(list(kinds), p=shares))

    legs, seat = one_of(list(LEGS)), one_of(["square", "trapezoid", "round"], [0.5, 0.25, 0.25])
    back = one_of(list(BACKS), [0.07, *[0.155] * 6])
    arms = one_of(list(ARMS), [0.45, 0.3, 0.25]) if back != "none" else "none"
    low, high = ((0.24, 0.34), (0.38, 0.46), (0.6, 0.75))[rng.choice(3, p=[0.3, 0.5, 0.2])]
    if arms == "boxes":
        seat, arms = ("square", "boxes") if high < 0.5 else (seat, "rests")  # an armchair on stilts looks broken
    return Style(
        legs=legs,
        seat=seat,
        back=back,
        arms=arms,
        width=math.exp(rng.uniform(math.log(0.38), math.log(1.4))),
        depth=rng.uniform(0.4, 0.56),
        height=rng.uniform(low, high),
        slab=rng.uniform(0.025, 0.05),
        cushion=rng.choice([0, 1]) * rng.uniform(0.06, 0.12),
        radius=rng.uniform(0.014, 0.026),
        back_height=rng.uniform(0.3, 0.75),
        tilt=math.radians(rng.uniform(2, 16)),
        pitch=rng.uniform(0.09, 0.15),
        arm_height=rng.uniform(0.16, 0.24),
        wood=rng.uniform(0.25, 0.75),
        cloth=rng.uniform(0.25, 0.8),
    )


def chair(model: int, seed: int) -> Mesh:
    """The mesh of a model, around the origin, as large as fits into the frame of all 62 views."""
    whole = join(*parts(style(model, seed)))
    middle = (whole.corners.min(axis=(0, 1)) + whole.corners.max(axis=(0, 1))) / 2
    points = (whole.corners - middle).reshape(-1, 3)
    half = FILLED * FIELD / 2
    most = 0.0
    for elevation in ELEVATIONS:
        for azimuth in AZIMUTHS:
            back, right = direction(azimuth, elevation), direction(azimuth + 90, 0)
            across = np.abs(points @ np.column_stack([right, np.cross(back, right)])).max(axis=1)
            # A point, scaled by k, is seen at k across / (1 - k (point · back) / DISTANCE): at most half.
            most = max(most, float((across / half + points @ back / DISTANCE).max()))
    return Mesh((points / most).reshape(-1, 3, 3), whole.normals, whole.albedo)
