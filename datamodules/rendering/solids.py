"""Closed solids through rings: bars, rods, and what is turned on a lathe."""

import math
from collections.abc import Sequence

import numpy as np

from infogan.datamodules.rendering.scene import Mesh

SIDES = 16
"""Of what is round."""


Point = tuple[float, float, float]


def loft(rings: np.ndarray, albedo: float, around: bool = False, along: bool = False) -> Mesh:
    """The closed solid through rings, (L, n, 3): convex, counter-clockwise as seen from beyond the last one.

    Shading is smooth `around` the rings, or `along` from ring to ring; flat elsewhere and at both ends.
    """
    edges = np.roll(rings, -1, axis=1) - rings
    here = edges + np.roll(edges, 1, axis=1) if around else edges
    following = np.roll(here, -1, axis=1) if around else edges
    slopes = np.gradient(rings, axis=0) if along else None
    corners, normals = [], []
    for i in range(len(rings) - 1):
        low, high = rings[i], rings[i + 1]
        a, b, c, d = low, np.roll(low, -1, axis=0), np.roll(high, -1, axis=0), high
        up, up_after = ((high - low),) * 2 if slopes is None else (slopes[i], slopes[i + 1])
        here_i, following_i = here[i] + here[i + 1], following[i] + following[i + 1]
        na, nb = np.cross(here_i, up), np.cross(following_i, np.roll(up, -1, axis=0))
        nd, nc = np.cross(here_i, up_after), np.cross(following_i, np.roll(up_after, -1, axis=0))
        corners += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
        normals += [np.stack([na, nb, nc], axis=1), np.stack([na, nc, nd], axis=1)]
    for ring in (rings[0, ::-1], rings[-1]):
        fan = np.stack([np.broadcast_to(ring[0], ring[2:].shape), ring[1:-1], ring[2:]], axis=1)
        normal = np.cross(fan[:, 1] - fan[:, 0], fan[:, 2] - fan[:, 0]).sum(axis=0)
        corners.append(fan)
        normals.append(np.broadcast_to(normal, fan.shape))
    every = np.concatenate(normals)
    return Mesh(
        np.concatenate(corners),
        every / np.linalg.norm(every, axis=2, keepdims=True),
        np.full(len(every), albedo),
    )


def _swept(start: Point, end: Point, shares: Sequence[float], outlines: np.ndarray) -> np.ndarray:
    """Rings from outlines, (L, n, 2), at shares of the way: level in what leads upwards, upright in what lies."""
    way = np.subtract(end, start)
    if way[2] > 0.7 * np.linalg.norm(way):
        first, second = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    else:
        first, second = np.array([way[1], -way[0], 0]) / math.hypot(way[0], way[1]), np.array([0, 0, -1.0])
    middles = np.asarray(start) + np.asarray(shares)[:, None] * way
    return middles[:, None] + outlines[..., :1] * first + outlines[..., 1:] * second


def beam(start: Point, end: Point, width: float, depth: float, albedo: float) -> Mesh:
    """A bar of a rectangular section, `width` across and `depth` to the back (upright) or from top to bottom (lying).
    What is upright starts at its lower end.
    """
    flat = np.array([(-width, -depth), (width, -depth), (width, depth), (-width, depth)]) / 2
    return loft(_swept(start, end, (0, 1), np.stack([flat, flat])), albedo)


def turned(start: Point, end: Point, profile: Sequence[tuple[float, float]], albedo: float) -> Mesh:
    """A round bar; `profile`: (share of the way, radius) from `start`, the lower end of what is upright, to `end`."""
    shares, radii = zip(*profile, strict=True)
    return loft(_swept(start, end, shares, np.array(radii)[:, None, None] * CIRCLE), albedo, around=True)


def rod(start: Point, end: Point, radius: float, albedo: float) -> Mesh:
    """A round bar of one thickness."""
    return turned(start, end, [(0, radius), (1, radius)], albedo)


CIRCLE = np.column_stack([f(np.arange(SIDES) * 2 * math.pi / SIDES) for f in (np.cos, np.sin)])
