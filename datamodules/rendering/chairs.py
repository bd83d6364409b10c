"""Parametric chairs from boxes, rods and lathes, seen as Aubry et al. 2014 show theirs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from datamodules.rendering.scene import Light, Mesh, View, join, render

ELEVATIONS = (20, 30)
AZIMUTHS = tuple(int(angle) for angle in np.linspace(0, 360, 32)[:31])
"""Degrees; Aubry's files have the same 62 views."""

LAMP = Light(azimuth=-35, elevation=50, ambient=0.35, follows_camera=True)
DISTANCE, FIELD = 5.0, 2.1
"""Of the camera, where a chair fills a ball of radius 1."""

SIDES = 14
"""Of what is round."""

Point = Sequence[float]


def render_chairs(models: range, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """All 62 views of every model: images (62 n, 1, size, size) uint8 on white, and factors (62 n, 3) float32: the
    model's number, azimuth and elevation in degrees. A function of (model, view, seed, size) alone.
    """
    images, factors = [], []
    for model in models:
        mesh = chair(model, seed)
        for elevation in ELEVATIONS:
            for azimuth in AZIMUTHS:
                images.append(render(mesh, View(azimuth, elevation, DISTANCE, FIELD), LAMP, size, 255))
                factors.append((model, azimuth, elevation))
    return np.array(images)[:, None], np.array(factors, np.float32)


@dataclass(frozen=True)
class Style:
    """What a chair is made of. Lengths in metres; the front is towards negative y. Albedos in [0, 1]."""

    legs: str
    seat: str
    back: str
    arms: str
    width: float
    depth: float
    height: float
    thickness: float
    back_height: float
    tilt: float
    wood: float
    cloth: float
    leg_radius: float
    bars: int


def style(model: int, seed: int) -> Style:
    """The style of a model's number. Width, height and kinds of parts are drawn independently."""
    rng = np.random.default_rng((seed, model))
    legs, seat = str(rng.choice(list(LEGS))), str(rng.choice(["slab", "cushion", "trapezoid", "round"]))
    back = str(rng.choice(list(BACKS), p=[0.04, 0.24, 0.18, 0.18, 0.18, 0.18]))
    arms = str(rng.choice(list(ARMS), p=[0.5, 0.3, 0.2]))
    width, depth = math.exp(rng.uniform(math.log(0.38), math.log(1.1))), rng.uniform(0.4, 0.55)
    height = rng.choice([rng.uniform(0.26, 0.36), rng.uniform(0.4, 0.5), rng.uniform(0.6, 0.75)], p=[0.25, 0.6, 0.15])
    return Style(
        legs=legs,
        seat=seat,
        back=back,
        arms=arms,
        width=width,
        depth=depth,
        height=float(height),
        thickness=rng.uniform(0.03, 0.07),
        back_height=rng.uniform(0.28, 0.65),
        tilt=math.radians(rng.uniform(2, 16)),
        wood=rng.uniform(0.25, 0.7),
        cloth=rng.uniform(0.2, 0.75),
        leg_radius=rng.uniform(0.014, 0.03),
        bars=int(rng.integers(3, 6)),
    )


def chair(model: int, seed: int) -> Mesh:
    """The mesh of a model, scaled to fill the ball of radius 1 around the origin."""
    s = style(model, seed)
    parts = [*LEGS[s.legs](s), *_seat(s), *BACKS[s.back](s), *ARMS[s.arms](s)]
    whole = join(*parts)
    low, high = whole.corners.min(axis=(0, 1)), whole.corners.max(axis=(0, 1))
    centred = whole.corners - (low + high) / 2
    radius = np.linalg.norm(centred, axis=2).max()
    return Mesh((centred / radius).astype(np.float32), whole.normals, whole.albedo)


def _solid(corners: np.ndarray, albedo: float) -> Mesh:
    """A block of six flat sides: (8, 3) corners, the bottom four counter-clockwise from above, then the top four."""
    faces = ((3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
    triangles = np.array([t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))])
    points = corners[triangles]
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(points, np.repeat(normals[:, None], 3, axis=1), np.full(len(points), albedo))


def box(low: Point, high: Point, albedo: float) -> Mesh:
    """An upright box between two opposite corners."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    flat = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return _solid(np.array([(x, y, z) for z in (z0, z1) for x, y in flat]), albedo)


def beam(start: Point, end: Point, width: Point, depth: Point, albedo: float) -> Mesh:
    """A block from `start` up to `end`, with a level rectangle of width × depth at either end."""
    corners = [
        (x + sx * w / 2, y + sy * d / 2, z)
        for (x, y, z), w, d in zip((start, end), width, depth, strict=True)
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return _solid(np.array(corners), albedo)


def rod(start: Point, end: Point, radius_start: float, radius_end: float, albedo: float) -> Mesh:
    """A round bar between two points, closed at its ends."""
    axis = np.subtract(end, start)
    length = float(np.linalg.norm(axis))
    profile = [(radius_start, 0.0), (radius_end, length)]
    return _turned(profile, albedo, np.asarray(start, float), axis / length)


def lathe(profile: Sequence[tuple[float, float]], x: float, y: float, albedo: float) -> Mesh:
    """A solid of revolution about the vertical through (x, y): (radius, height) from the bottom to the top."""
    return _turned(profile, albedo, np.array([x, y, 0.0]), np.array([0.0, 0.0, 1.0]))


def _turned(profile: Sequence[tuple[float, float]], albedo: float, origin: np.ndarray, axis: np.ndarray) -> Mesh:
    """Revolves (radius, length along the axis) about the axis, with a flat disc at either end."""
    side = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    angles = np.linspace(0, 2 * math.pi, SIDES, endpoint=False)
    around = np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other
    after = np.roll(around, -1, axis=0)
    corners, normals = [], []
    for (r0, z0), (r1, z1) in pairwise(profile):
        a, b, c, d = (origin + z * axis + r * ring for z, r, ring in
                      ((z0, r0, around), (z0, r0, after), (z1, r1, after), (z1, r1, around)))  # fmt: skip
        tilt = np.array([z1 - z0, r0 - r1]) / max(math.hypot(z1 - z0, r0 - r1), 1e-9)
        here, there = (tilt[0] * ring + tilt[1] * axis for ring in (around, after))
        corners += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
        normals += [np.stack([here, there, there], axis=1), np.stack([here, there, here], axis=1)]
    for (radius, z), up in ((profile[0], -1), (profile[-1], 1)):
        centre = np.broadcast_to(origin + z * axis, around.shape)
        ring = [centre, *(centre + radius * r for r in ((around, after) if up > 0 else (after, around)))]
        corners.append(np.stack(ring, axis=1))
        normals.append(np.broadcast_to(up * axis, (SIDES, 3, 3)))
    whole = np.concatenate(corners)
    return Mesh(whole, np.concatenate(normals), np.full(len(whole), albedo))


Parts = Callable[[Style], list[Mesh]]


def _feet(s: Style, inset: float) -> list[tuple[float, float]]:
    """Where four legs meet the seat: below its corners, or further in where it has none."""
    within = 0.75 if s.seat in ("round", "trapezoid") else 1.0
    x, y = within * s.width / 2 - inset, within * s.depth / 2 - inset
    return [(-x, -y), (x, -y), (x, y), (-x, y)]


def _straight(s: Style) -> list[Mesh]:
    r = 1.2 * s.leg_radius
    return [box((x - r, y - r, 0), (x + r, y + r, s.height), s.wood) for x, y in _feet(s, r)]


def _tapered(s: Style) -> list[Mesh]:
    r = 1.5 * s.leg_radius
    return [rod((x, y, 0), (x, y, s.height), 0.5 * r, r, s.wood) for x, y in _feet(s, r)]


def _splayed(s: Style) -> list[Mesh]:
    r = s.leg_radius
    return [rod((1.15 * x, 1.2 * y, 0), (0.8 * x, 0.8 * y, s.height), r, 1.2 * r, s.wood) for x, y in _feet(s, r)]


def _turned_legs(s: Style) -> list[Mesh]:
    r, h = 1.5 * s.leg_radius, s.height
    profile = [(0.6, 0), (0.6, 0.08), (1, 0.16), (0.5, 0.26), (0.9, 0.5), (0.5, 0.72), (1, 0.82), (1, 1)]
    turned = [(r * radius, h * z) for radius, z in profile]
    return [lathe(turned, x, y, s.wood) for x, y in _feet(s, r)]


def _disc(s: Style) -> list[Mesh]:
    r = 0.45 * max(s.depth, min(s.width, 0.7))
    profile = [(r, 0), (r, 0.02), (0.2 * r, 0.05), (0.03, 0.08), (0.03, s.height)]
    return [lathe(profile, x, 0, s.wood) for x in _columns(s)]


def _star(s: Style) -> list[Mesh]:
    reach, parts = 0.55 * max(s.depth, min(s.width, 0.6)), []
    for x in _columns(s):
        parts.append(lathe([(0.035, 0.05), (0.035, 0.14), (0.025, 0.14), (0.025, s.height)], x, 0, s.wood))
        for angle in np.linspace(0, 2 * math.pi, 5, endpoint=False) + math.pi / 2:
            tip = (x + reach * math.cos(angle), reach * math.sin(angle), 0.025)
            parts.append(rod((x, 0, 0.1), tip, 0.03, 0.018, s.wood))
    return parts


def _columns(s: Style) -> list[float]:
    """One pedestal, or two below a bench."""
    return [0.0] if s.width < 0.75 else [-s.width / 4, s.width / 4]


def _sled(s: Style) -> list[Mesh]:
    r, parts = s.leg_radius, []
    for side in (-1, 1):
        x, y = side * (s.width / 2 - r), s.depth / 2 - r
        parts.append(rod((x, -y, r), (x, y, r), r, r, s.wood))
        parts += [rod((x, end * y, 0.0), (x, end * y, s.height), r, r, s.wood) for end in (-1, 1)]
    return parts


def _cantilever(s: Style) -> list[Mesh]:
    r, parts = s.leg_radius, []
    y = s.depth / 2 - r
    for side in (-1, 1):
        x = side * (s.width / 2 - r)
        parts.append(rod((x, -y, r), (x, y, r), r, r, s.wood))
        parts.append(rod((x, -y, 0.0), (x, -y, s.height), r, r, s.wood))
    return [*parts, rod((r - s.width / 2, y, r), (s.width / 2 - r, y, r), r, r, s.wood)]


def _plinth(s: Style) -> list[Mesh]:
    x, y = 0.46 * s.width, 0.46 * s.depth
    return [box((-x, -y, 0), (x, y, s.height), s.cloth)]


LEGS: dict[str, Parts] = {
    "straight": _straight,
    "tapered": _tapered,
    "splayed": _splayed,
    "turned": _turned_legs,
    "disc": _disc,
    "star": _star,
    "sled": _sled,
    "cantilever": _cantilever,
    "plinth": _plinth,
}


def _seat(s: Style) -> list[Mesh]:
    x, y, low, high = s.width / 2, s.depth / 2, s.height - 0.005, s.height + s.thickness
    if s.seat == "round":
        wide = max(1.0, s.width / s.depth)
        disc = lathe([(1.25 * y, low), (1.25 * y, high)], 0, 0, s.cloth)
        stretch = np.array([wide, 1, 1])
        normals = disc.normals / stretch
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        return [Mesh(disc.corners * stretch, normals, disc.albedo)]
    if s.seat == "trapezoid":
        flat = [(-1.08 * x, -y), (1.08 * x, -y), (0.95 * x, y), (-0.95 * x, y)]
        return [_solid(np.array([(px, py, z) for z in (low, high) for px, py in flat]), s.cloth)]
    slab = box((-x, -y, low), (x, y, high), s.wood if s.seat == "cushion" else s.cloth)
    if s.seat == "slab":
        return [slab]
    cushion = beam((0, 0, high), (0, 0, high + 0.09), (1.9 * x, 1.8 * x), (1.9 * y, 1.8 * y), s.cloth)
    return [slab, cushion]


def _upright(s: Style, x: float, z: float, forward: float = 0.0) -> tuple[float, float, float]:
    """A point of the back: x across, z above the seat along the tilt, `forward` of its middle plane."""
    top = s.height + s.thickness - 0.01
    return (x, s.depth / 2 - 0.03 + z * math.sin(s.tilt) - forward, top + z * math.cos(s.tilt))


def _board(s: Style, x0: float, x1: float, z0: float, z1: float, thickness: float, albedo: float) -> Mesh:
    """A board of the back, across from x0 to x1 and up from z0 to z1."""
    middle, width = (x0 + x1) / 2, x1 - x0
    ends = (_upright(s, middle, z0), _upright(s, middle, z1))
    return beam(*ends, (width, width), (thickness, thickness), albedo)


def _posts(s: Style) -> list[Mesh]:
    """The two uprights that hold slats, rungs and frames."""
    x, r = s.width / 2 - 0.02, 0.02
    return [_board(s, side * x - r, side * x + r, 0, s.back_height, 0.035, s.wood) for side in (-1, 1)]


def _panel(s: Style) -> list[Mesh]:
    return [_board(s, -s.width / 2, s.width / 2, 0, s.back_height, 0.06, s.cloth)]


def _slats(s: Style) -> list[Mesh]:
    x, h = s.width / 2 - 0.02, s.back_height
    across = [_board(s, -x, x, h - 0.07, h, 0.03, s.wood)]
    places = np.linspace(-x, x, s.bars + 2)[1:-1]
    return [*_posts(s), *across, *(_board(s, p - 0.018, p + 0.018, 0, h - 0.03, 0.02, s.wood) for p in places)]


def _ladder(s: Style) -> list[Mesh]:
    x, h = s.width / 2 - 0.02, s.back_height
    tops = np.linspace(0.3 * h, h, s.bars)
    return [*_posts(s), *(_board(s, -x, x, top - 0.6 * h / s.bars / 1.6, top, 0.025, s.wood) for top in tops)]


def _frame(s: Style) -> list[Mesh]:
    x, h = s.width / 2 - 0.02, s.back_height
    return [*_posts(s), _board(s, -x, x, 0.55 * h, h, 0.045, s.cloth)]


def _rounded(s: Style) -> list[Mesh]:
    """A shell that bends forward at its sides."""
    edges, bend = np.linspace(-s.width / 2, s.width / 2, 9), 0.35 * min(s.width, 0.7)
    parts = []
    for x0, x1 in pairwise(edges):
        corners = []
        for share in (0.0, 1.0):
            for x, thickness in ((x0, 0.02), (x1, 0.02), (x1, -0.02), (x0, -0.02)):
                side = (2 * x / s.width) ** 2
                corners.append(_upright(s, x, share * s.back_height * (1 - 0.3 * side), bend * side + thickness))
        parts.append(_solid(np.array(corners), s.cloth))
    return parts


BACKS: dict[str, Parts] = {
    "none": lambda s: [],
    "panel": _panel,
    "slats": _slats,
    "ladder": _ladder,
    "frame": _frame,
    "rounded": _rounded,
}


def _rests(s: Style) -> list[Mesh]:
    parts, top, y = [], s.height + s.thickness + 0.2, s.depth / 2 - 0.05
    for side in (-1, 1):
        x = side * s.width / 2
        parts.append(box((x - 0.025, -y - 0.02, top), (x + 0.025, y + 0.06, top + 0.03), s.wood))
        parts += [box((x - 0.018, end * y - 0.018, s.height - 0.02), (x + 0.018, end * y + 0.018, top), s.wood)
                  for end in (-1, 1)]  # fmt: skip
    return parts


def _blocks(s: Style) -> list[Mesh]:
    x, y, low = s.width / 2, s.depth / 2, max(0.04, s.height - 0.14)
    top = s.height + s.thickness + 0.2
    return [box((side * x - 0.06, -y, low), (side * x + 0.06, y + 0.02, top), s.cloth) for side in (-1, 1)]


ARMS: dict[str, Parts] = {"none": lambda s: [], "rests": _rests, "blocks": _blocks}
