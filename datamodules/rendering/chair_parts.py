"""The parts of a chair: seats, legs, backs and arms, each a solid that reaches into another."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from infogan.datamodules.rendering.scene import Mesh
from infogan.datamodules.rendering.solids import CIRCLE, SIDES, Point, beam, loft, rod, turned


@dataclass(frozen=True)
class Style:
    """What a chair is made of. Lengths in metres; the front is towards negative y, the floor at z = 0.

    `legs`, `back`, `arms`: keys of LEGS, BACKS, ARMS. `seat`: square, trapezoid or round. `height`: of the seat's lower
    side. `slab`, `cushion`: how thick the seat is; no cushion at 0. `tilt`: of the back, in radians. `pitch`: from one
    slat or rung to the next. `wood`, `cloth`: albedos.
    """

    legs: str
    seat: str
    back: str
    arms: str
    width: float
    depth: float
    height: float
    slab: float
    cushion: float
    radius: float
    back_height: float
    tilt: float
    pitch: float
    arm_height: float
    wood: float
    cloth: float

    @property
    def top(self) -> float:
        """Where one sits."""
        return self.height + self.slab + self.cushion


def parts(s: Style) -> list[Mesh]:
    """Closed solids, in metres; every one reaches into another."""
    return [*LEGS[s.legs](s), *_seat(s), *BACKS[s.back](s), *ARMS[s.arms](s)]


REAR = 0.8
"""Width of a trapezoid seat at its back, as a share of its front's."""


def _outline(s: Style, inset: float) -> np.ndarray:
    """The seat from above, made smaller all round: (n, 2)."""
    x, y = s.width / 2 - inset, s.depth / 2 - inset
    if s.seat == "round":
        return CIRCLE * (x, y)
    rear = REAR * s.width / 2 - inset if s.seat == "trapezoid" else x
    return np.array([(-x, -y), (x, -y), (rear, y), (-rear, y)])


def _prism(s: Style, levels: Sequence[tuple[float, float]], albedo: float) -> Mesh:
    """A solid of the seat's outline; `levels`: (height, inset) from the bottom to the top."""
    rings = [np.column_stack([flat := _outline(s, inset), np.full(len(flat), z)]) for z, inset in levels]
    return loft(np.stack(rings), albedo, around=s.seat == "round")


def _seat(s: Style) -> list[Mesh]:
    top = s.height + s.slab
    if s.cushion == 0:
        return [_prism(s, [(s.height, 0), (top, 0)], s.cloth)]
    levels = [(top - 0.01, 0.012), (s.top - 0.4 * s.cushion, 0.004), (s.top, 0.03)]
    return [_prism(s, [(s.height, 0), (top, 0)], s.wood), _prism(s, levels, s.cloth)]


Parts = Callable[[Style], list[Mesh]]


def _corners(s: Style, inset: float) -> list[tuple[float, float]]:
    """Where something stands below or on the seat's corners: front left, front right, back right, back left."""
    if s.seat == "round":
        x, y = 0.66 * s.width / 2, 0.66 * s.depth / 2
        return [(-x, -y), (x, -y), (x, y), (-x, y)]
    return [(x, y) for x, y in _outline(s, inset)]


def _inside(s: Style) -> float:
    """How high a leg goes: into the seat."""
    return s.height + 0.6 * s.slab


def _straight(s: Style) -> list[Mesh]:
    side = 2.2 * s.radius
    return [beam((x, y, 0), (x, y, _inside(s)), side, side, s.wood) for x, y in _corners(s, side / 2)]


def _tapered(s: Style) -> list[Mesh]:
    thick = 1.5 * s.radius
    return [
        turned((x, y, 0), (x, y, _inside(s)), [(0, 0.5 * thick), (1, thick)], s.wood) for x, y in _corners(s, thick)
    ]


def _splayed(s: Style) -> list[Mesh]:
    out, profile = 0.22 * s.height, [(0, 0.8 * s.radius), (1, 1.3 * s.radius)]
    feet = [(x, y, x + math.copysign(out, x), y + math.copysign(out, y)) for x, y in _corners(s, 0.07)]
    return [turned((fx, fy, 0), (x, y, _inside(s)), profile, s.wood) for x, y, fx, fy in feet]


def _lathed(s: Style) -> list[Mesh]:
    r = 1.7 * s.radius
    shape = [(0, 0.5), (0.06, 0.55), (0.12, 0.95), (0.18, 0.5), (0.26, 0.45), (0.5, 0.85), (0.68, 0.5), (0.74, 1)]
    profile = [(share, r * radius) for share, radius in (*shape, (0.8, 0.55), (0.84, 1), (1, 1))]
    return [turned((x, y, 0), (x, y, _inside(s)), profile, s.wood) for x, y in _corners(s, r)]


def _columns(s: Style) -> list[float]:
    """Where pedestals stand: one, or two below a bench."""
    return [0.0] if s.width < 0.9 else [-s.width / 4, s.width / 4]


def _disc(s: Style) -> list[Mesh]:
    high, foot = _inside(s), min(0.45 * s.depth, 0.21)
    levels = [(0, foot), (0.015, foot), (0.04, 0.25 * foot), (0.07, 1.3 * s.radius), (high, 1.3 * s.radius)]
    profile = [(z / high, radius) for z, radius in levels]
    return [turned((x, 0, 0), (x, 0, high), profile, s.wood) for x in _columns(s)]


def _star(s: Style) -> list[Mesh]:
    made, reach = [], min(0.55 * s.depth, 0.28)
    for x in _columns(s):
        made.append(rod((x, 0, 0.05), (x, 0, _inside(s)), 1.3 * s.radius, s.wood))
        for angle in np.arange(5) * 2 * math.pi / 5 - math.pi / 2:
            tip = (x + reach * math.cos(angle), reach * math.sin(angle), 0.016)
            made.append(turned((x, 0, 0.085), tip, [(0, 0.03), (1, 0.016)], s.wood))
    return made


def _sled(s: Style) -> list[Mesh]:
    r, high = s.radius, _inside(s)
    left_front, right_front, right_back, left_back = _corners(s, r)
    made = [rod((x, y, 0), (x, y, high), r, s.wood) for x, y in (left_front, right_front, right_back, left_back)]
    for (x0, y0), (x1, y1) in ((left_front, left_back), (right_front, right_back)):
        made.append(rod((x0, y0, r), (x1, y1, r), r, s.wood))
    return made


def _cantilever(s: Style) -> list[Mesh]:
    r = s.radius
    (left, front), (right, _), *_ = _corners(s, r)
    back, made = s.depth / 2 - r, []
    for x in (left, right):
        made.append(rod((x, front, 0), (x, front, _inside(s)), r, s.wood))
        made.append(rod((x, front, r), (x, back + r, r), r, s.wood))
    return [*made, rod((left, back, r), (right, back, r), r, s.wood)]


def _box(s: Style) -> list[Mesh]:
    return [_prism(s, [(0, 0.025), (_inside(s), 0.025)], s.wood)]


LEGS: dict[str, Parts] = {
    "straight": _straight,
    "tapered": _tapered,
    "splayed": _splayed,
    "turned": _lathed,
    "disc": _disc,
    "star": _star,
    "sled": _sled,
    "cantilever": _cantilever,
    "box": _box,
}


def _reach(s: Style) -> tuple[float, float]:
    """Half the width of a flat back, and the y of its foot: within the seat."""
    if s.seat == "round":
        return 0.68 * s.width / 2, 0.68 * s.depth / 2
    return (REAR if s.seat == "trapezoid" else 1) * s.width / 2, s.depth / 2 - 0.03


def _leaning(s: Style, x: float, y: float, z: float) -> Point:
    """A point of the back: y where it would be without tilt, z above the seat's lower side."""
    return x, y + math.tan(s.tilt) * z, s.height + z


def _full(s: Style) -> float:
    """The back's upper edge, above the seat's lower side."""
    return s.slab + s.cushion + s.back_height


def _board(s: Style, x0: float, x1: float, z0: float, z1: float, thickness: float, albedo: float) -> Mesh:
    """Of a flat back: from x0 to x1, and from z0 to z1 above the seat's lower side."""
    x, y = (x0 + x1) / 2, _reach(s)[1]
    return beam(_leaning(s, x, y, z0), _leaning(s, x, y, z1), x1 - x0, thickness, albedo)


def _posts(s: Style) -> list[Mesh]:
    """The two uprights of slats, rungs and frames."""
    x = _reach(s)[0]
    return [_board(s, a, b, 0.005, _full(s), 0.036, s.wood) for a, b in ((-x, 0.04 - x), (x - 0.04, x))]


def _panel(s: Style) -> list[Mesh]:
    x = _reach(s)[0]
    return [_board(s, -x, x, 0.005, _full(s), 0.055, s.cloth)]


def _slats(s: Style) -> list[Mesh]:
    x, top = _reach(s)[0] - 0.02, _full(s)
    places = np.linspace(-x, x, max(3, round(2 * x / s.pitch)) + 1)[1:-1]
    rail = _board(s, -x, x, top - 0.06, top, 0.03, s.wood)
    return [*_posts(s), rail, *(_board(s, p - 0.014, p + 0.014, 0.005, top - 0.03, 0.02, s.wood) for p in places)]


def _ladder(s: Style) -> list[Mesh]:
    x, top, foot = _reach(s)[0] - 0.02, _full(s), s.slab + s.cushion
    tops = np.linspace(top, foot, max(2, round(s.back_height / s.pitch)), endpoint=False)
    return [*_posts(s), *(_board(s, -x, x, z - 0.45 * s.pitch, z, 0.024, s.wood) for z in tops)]


def _frame(s: Style) -> list[Mesh]:
    x, top = _reach(s)[0] - 0.02, _full(s)
    low = top - 0.7 * s.back_height
    rails = [_board(s, -x, x, z, z + 0.045, 0.036, s.wood) for z in (low, top - 0.045)]
    return [*_posts(s), *rails, _board(s, -x, x, low + 0.02, top - 0.02, 0.02, s.cloth)]


def _arch(s: Style) -> list[Mesh]:
    (x, y), top = _reach(s), _full(s)
    rise = min(x, 0.6 * s.back_height)
    angles = np.linspace(0, math.pi, SIDES)
    bend = [(x * math.cos(angle), top - rise + rise * math.sin(angle)) for angle in angles]
    outline = [(-x, 0.005), (x, 0.005), *bend]
    rings = [[_leaning(s, px, y + offset, pz) for px, pz in outline] for offset in (0.025, -0.025)]
    return [loft(np.array(rings), s.cloth)]


def _shell(s: Style) -> list[Mesh]:
    """A wall around the back and the sides, lower towards its ends."""
    if s.seat == "round":
        x, y, bend = 0.9 * s.width / 2, 0.9 * s.depth / 2, 0.9 * s.depth / 2
    else:
        (x, y), bend = _reach(s), 0.6 * s.depth
        x -= 0.025
    thick, rings = 0.04, []
    for angle in np.linspace(-1.4, 1.4, 2 * SIDES):
        edge = _full(s) - 0.5 * s.back_height * (angle / 1.4) ** 2
        inner, outer = (
            ((x - inset) * math.sin(angle), y - inset - (bend - inset) * (1 - math.cos(angle)))
            for inset in (thick, 0.0)
        )
        wall = ((inner, 0.005), (outer, 0.005), (outer, edge), (inner, edge))
        rings.append([_leaning(s, *place, z) for place, z in wall])
    return [loft(np.array(rings), s.cloth, along=True)]


BACKS: dict[str, Parts] = {
    "none": lambda s: [],
    "panel": _panel,
    "slats": _slats,
    "ladder": _ladder,
    "frame": _frame,
    "arch": _arch,
    "shell": _shell,
}


def _rests(s: Style) -> list[Mesh]:
    """Bars on two posts each."""
    made, top = [], s.top + s.arm_height
    left_front, right_front, right_back, left_back = _corners(s, 0.022)
    for (x0, y0), (x1, y1) in ((left_front, left_back), (right_front, right_back)):
        made += [beam((x, y, s.height + 0.005), (x, y, top), 0.034, 0.034, s.wood) for x, y in ((x0, y0), (x1, y1))]
        made.append(beam((x0, y0 - 0.03, top), (x1, y1 + 0.03, top), 0.05, 0.03, s.wood))
    return made


def _boxes(s: Style) -> list[Mesh]:
    """Upholstered blocks; on a box, down to the floor."""
    x, y, low = s.width / 2 + 0.045, s.depth / 2, 0.0 if s.legs == "box" else s.height - 0.05
    high = s.top + s.arm_height
    return [beam((side * x, 0.01, low), (side * x, 0.01, high), 0.11, 2 * y + 0.02, s.cloth) for side in (-1, 1)]


ARMS: dict[str, Parts] = {"none": lambda s: [], "rests": _rests, "boxes": _boxes}
