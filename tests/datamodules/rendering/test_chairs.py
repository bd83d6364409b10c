"""Parametric chairs: closed solids that hang together, seen from Aubry's views, of styles that differ."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from infogan.datamodules.rendering.chair_parts import ARMS, BACKS, LEGS, parts
from infogan.datamodules.rendering.chairs import (
    AZIMUTHS,
    DISTANCE,
    ELEVATIONS,
    FIELD,
    FILLED,
    LAMP,
    chair,
    render_chairs,
    style,
)
from infogan.datamodules.rendering.scene import Light, View, camera_rays, join, render
from infogan.datamodules.rendering.solids import beam, loft, rod, turned

pytest.importorskip("embreex")

MODELS = range(40)
FEW = 16
STYLES = [style(model, 0) for model in range(200)]
EVERY_KIND = [
    replace(STYLES[k % 7], legs=legs, seat=seat, back=back, arms=arms)
    for k, (legs, seat, back, arms) in enumerate(
        (legs, seat, back, arms)
        for seat in ("square", "trapezoid", "round")
        for legs, back in zip([*LEGS], [*BACKS, "shell", "ladder"], strict=True)
        for arms in ARMS
        if arms != "boxes" or seat == "square"
    )
]


@pytest.fixture(scope="module")
def rendered():
    """All views of the first models, small: (FEW, 62, 32, 32)."""
    images, _ = render_chairs(range(FEW), 0, 32)
    return images.reshape(FEW, 62, 32, 32)


def front(mesh, azimuth, light=LAMP, size=64, background=255):
    return render(mesh, View(azimuth, 20, DISTANCE, FIELD), light, size, background)


def test_the_views_are_aubrys():
    images, factors = render_chairs(range(3, 5), 0, 16)
    azimuths = [0, 11, 23, 34, 46, 58, 69, 81, 92, 104, 116, 127, 139, 150, 162, 174]
    azimuths += [185, 197, 209, 220, 232, 243, 255, 267, 278, 290, 301, 313, 325, 336, 348]
    assert (images.shape, images.dtype) == ((124, 1, 16, 16), np.uint8)
    assert factors.dtype == np.float32
    assert factors.tolist() == [[m, a, e] for m in (3, 4) for e in (20, 30) for a in azimuths]


def test_no_models_no_images():
    images, factors = render_chairs(range(0), 0, 16)
    assert (images.shape, factors.shape) == ((0, 1, 16, 16), (0, 3))


def test_an_image_is_what_its_factors_say():
    images, factors = render_chairs(range(5, 6), 0, 32)
    for row in (0, 7, 31, 50):
        model, azimuth, elevation = factors[row].tolist()
        view = View(azimuth, elevation, DISTANCE, FIELD)
        assert (images[row, 0] == render(chair(int(model), 0), view, LAMP, 32, 255)).all()


def test_a_model_is_the_same_in_every_range():
    whole, _ = render_chairs(range(6, 9), 0, 16)
    for k in range(3):
        alone, _ = render_chairs(range(6 + k, 7 + k), 0, 16)
        assert (whole[62 * k : 62 * (k + 1)] == alone).all()


def test_seeds_and_models_are_not_confused():
    styles = {style(model, seed) for model in range(30) for seed in range(30)}
    assert len(styles) == 900
    assert style(3, 4) == style(3, 4)


def test_models_differ():
    views = np.array([front(chair(model, 0), 35, size=32) for model in MODELS]).reshape(40, -1).astype(float)
    apart = np.abs(views[:, None] - views[None]).mean(axis=2)[np.triu_indices(40, 1)]
    assert apart.min() > 3
    assert 15 < apart.mean() < 100


def test_all_views_are_whole_and_fill_the_frame(rendered):
    ink = rendered < 255
    assert ink[..., 1:-1, 1:-1].sum() == ink.sum(), "a white border of one pixel"
    rows, columns = ink.any(axis=3), ink.any(axis=2)
    extents = np.array(
        [[np.ptp(np.flatnonzero(line)) + 1 for line in lines.reshape(-1, 32)] for lines in (rows, columns)]
    )
    largest = extents.max(axis=0).reshape(FEW, 62)
    assert largest.max(axis=1).min() >= 25, "of the 30 that are allowed"
    assert largest.min() >= 13
    assert ink.mean(axis=(2, 3)).min() > 0.05


@pytest.mark.parametrize("model", MODELS)
def test_the_scale_is_the_largest_that_fits(model):
    """The corner farthest out in any of the 62 views, by the camera's own rays, is at FILLED of half the frame."""
    assert (1 - FILLED) * 64 / 2 > 1, "a pixel's border"
    points, most = chair(model, 0).corners.reshape(-1, 3), 0.0
    for elevation in ELEVATIONS:
        for azimuth in AZIMUTHS:
            eye, rays = camera_rays(View(azimuth, elevation, DISTANCE, FIELD), 2)
            right, up, ahead = rays[1] - rays[0], rays[0] - rays[2], rays[1] + rays[2]
            right, up, ahead = (axis / np.linalg.norm(axis) for axis in (right, up, ahead))
            away = (points - eye) @ np.column_stack([right, up, ahead])
            most = max(most, float(np.abs(away[:, :2] / away[:, 2:]).max()))
    assert most * DISTANCE / (FIELD / 2) == pytest.approx(FILLED)


def volume(mesh):
    a, b, c = np.moveaxis(mesh.corners, 1, 0)
    return float((np.cross(a, b) * c).sum() / 6)


def assert_closed_and_outward(mesh):
    """Every edge is walked once each way, the volume is positive, and shading looks where the triangles look."""
    edges = Counter()
    for triangle in np.round(mesh.corners, 7).tolist():
        corners = [tuple(corner) for corner in triangle]
        edges.update(zip(corners, corners[1:] + corners[:1], strict=True))
    assert all(count == 1 and edges[end, start] == 1 for (start, end), count in edges.items())
    assert volume(mesh) > 0
    a, b, c = np.moveaxis(mesh.corners, 1, 0)
    outward = np.cross(b - a, c - a)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert np.einsum("ti,tci->tc", outward, mesh.normals).min() > 0.7
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(np.ones(mesh.normals.shape[:2]))
    assert ((mesh.albedo >= 0.2) & (mesh.albedo <= 0.8)).all()


DISC = 8 * math.sin(math.pi / 8)
"""Area of a regular 16-gon of radius 1."""

SOLIDS = {
    "upright beam": (beam((1, 2, 3), (1, 2, 5), 3, 4, 0.5), 24),
    "leaning beam": (beam((0, 0, 0), (0.5, 0.5, 2), 3, 4, 0.5), 24),
    "lying beam": (beam((0, 0, 1), (0, 2, 1), 3, 4, 0.5), 24),
    "beam backwards": (beam((2, 0, 1), (0, 0, 1), 3, 4, 0.5), 24),
    "rod": (rod((1, 2, 3), (1, 2, 5), 3, 0.5), 18 * DISC),
    "lying rod": (rod((3, 0, 0), (0, 4, 0), 2, 0.5), 20 * DISC),
    "cone": (turned((0, 0, 0), (0, 0, 3), [(0, 1), (1, 2)], 0.5), 7 * DISC),
    "step": (turned((0, 0, 0), (0, 0, 2), [(0, 1), (0.5, 1), (0.5, 2), (1, 2)], 0.5), 5 * DISC),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_solids(name):
    mesh, expected = SOLIDS[name]
    assert_closed_and_outward(mesh)
    assert volume(mesh) == pytest.approx(expected)


def test_beams_measure_across_and_to_the_back():
    for start, end, size in (
        ((0, 0, 0), (0, 0, 5), (3, 4, 5)),
        ((0, 0, 0), (0, 5, 0), (3, 5, 4)),
        ((0, 0, 0), (5, 0, 0), (5, 3, 4)),
    ):
        assert np.ptp(beam(start, end, 3, 4, 0.5).corners, axis=(0, 1)) == pytest.approx(size)


def test_smooth_shading_around_a_rod_is_radial():
    mesh = rod((0, 0, 0), (0, 0, 2), 0.5, 0.5)
    wall = np.abs(mesh.normals[..., 2]) < 0.5
    assert wall.sum() == 16 * 2 * 3
    assert mesh.normals[wall][:, :2] == pytest.approx(mesh.corners[wall][:, :2] / 0.5)
    assert (np.abs(mesh.normals[~wall]) == [0, 0, 1]).all()


def test_smooth_shading_along_a_bend_is_radial():
    angles = np.linspace(0, math.pi, 9)
    section = [(2, -1), (3, -1), (3, 1), (2, 1)]
    rings = np.array([[(r * math.sin(a), r * math.cos(a), z) for r, z in section] for a in angles])
    mesh = loft(rings, 0.5, along=True)
    assert_closed_and_outward(mesh)
    outer = (np.hypot(mesh.corners[..., 0], mesh.corners[..., 1]) > 2.9) & (np.abs(mesh.normals[..., 2]) < 0.1)
    bend = outer & (np.abs(mesh.corners[..., 0]) > 0.5)
    assert bend.sum() > 20
    assert mesh.normals[bend] == pytest.approx(mesh.corners[bend] * (1 / 3, 1 / 3, 0), abs=1e-6)


@pytest.mark.parametrize("s", EVERY_KIND, ids=lambda s: f"{s.legs}-{s.seat}-{s.back}-{s.arms}")
def test_parts_are_closed_and_hang_together(s):
    solids = parts(s)
    for solid in solids:
        assert_closed_and_outward(solid)
    touching = [[first is second or reaches(first, second) for second in solids] for first in solids]
    count, _ = connected_components(np.array(touching), directed=False)
    assert count == 1


@pytest.mark.parametrize("s", EVERY_KIND, ids=lambda s: f"{s.legs}-{s.seat}-{s.back}-{s.arms}")
def test_parts_measure_what_the_style_says(s):
    seat = join(*seat_of(s)).corners
    assert np.ptp(seat, axis=(0, 1)) == pytest.approx((s.width, s.depth, s.slab + s.cushion))
    assert seat[..., 2].max() == pytest.approx(s.top)
    for make, height in ((BACKS[s.back], s.top + s.back_height), (ARMS[s.arms], s.top + s.arm_height)):
        if made := make(s):
            assert join(*made).corners[..., 2].max() == pytest.approx(height, abs=0.016)
    if s.back != "none":
        behind = join(*BACKS[s.back](s)).corners
        assert behind[behind[..., 2] > s.top + 0.9 * s.back_height][:, 1].min() > 0


@pytest.mark.parametrize(("legs", "low"), [("box", 0), ("straight", -0.05)])
def test_block_arms_reach_below_the_seat_and_on_a_box_to_the_floor(legs, low):
    s = replace(STYLES[0], legs=legs, seat="square", arms="boxes")
    expected = low if legs == "box" else s.height + low
    assert [arm.corners[..., 2].min() for arm in ARMS["boxes"](s)] == pytest.approx([expected] * 2)


def seat_of(s):
    """The solids of the seat, which come between legs and back."""
    behind = len(BACKS[s.back](s)) + len(ARMS[s.arms](s))
    return parts(s)[len(LEGS[s.legs](s)) : len(parts(s)) - behind]


def reaches(first, second):
    """Whether an edge of the first solid runs within the second: some point of it has the winding number 1."""
    low, high = second.corners.min(axis=(0, 1)), second.corners.max(axis=(0, 1))
    starts, ends = first.corners, np.roll(first.corners, -1, axis=1)
    shares = np.linspace(0, 1, 9)[:, None, None, None]
    points = ((1 - shares) * starts + shares * ends).reshape(-1, 3)
    points = points[((points > low) & (points < high)).all(axis=1)]
    return len(points) > 0 and bool((winding(points, second) > 0.5).any())


def winding(points, mesh):
    """How often a closed surface goes around each point: the sum of its triangles' solid angles over 4 π."""
    a, b, c = (mesh.corners[None, :, corner] - points[:, None] for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
    triple = (a * np.cross(b, c)).sum(axis=2)
    dots = (a * b).sum(axis=2) * lc + (b * c).sum(axis=2) * la + (c * a).sum(axis=2) * lb
    return np.arctan2(triple, la * lb * lc + dots).sum(axis=1) / (2 * math.pi)


def test_the_winding_number_tells_inside_from_outside():
    block = beam((0, 0, 0), (0, 0, 1), 1, 1, 0.5)
    assert winding(np.array([(0, 0, 0.5), (0.4, 0.4, 0.9), (0.6, 0, 0.5), (0, 0, -0.1)]), block) == pytest.approx(
        [1, 1, 0, 0], abs=1e-9
    )
    assert reaches(beam((0, 0, 0.9), (0, 0, 2), 0.1, 0.1, 0.5), block)
    assert not reaches(beam((0, 0, 1.01), (0, 0, 2), 0.1, 0.1, 0.5), block)


@pytest.mark.parametrize(
    ("legs", "feet"),
    [*zip(LEGS, (4, 4, 4, 4, 1, 5, 6, 5, 1), strict=True)],
)
@pytest.mark.parametrize("width", [0.4, 1.3])
@pytest.mark.parametrize("seat", ["square", "trapezoid", "round"])
def test_a_chair_stands_on_the_floor(legs, feet, width, seat):
    s = replace(STYLES[0], legs=legs, width=width, seat=seat)
    lowest = np.array([solid.corners[..., 2].min() for solid in parts(s)])
    assert lowest.min() == pytest.approx(0, abs=1e-9)
    columns = 2 if legs in ("disc", "star") and width > 1 else 1
    assert (lowest < 1e-9).sum() == feet * columns, "parts that touch it"
    corners = join(*parts(s)).corners.reshape(-1, 3)
    stands = corners[corners[:, 2] < 1e-9, :2]
    for axis in range(2):
        assert stands[:, axis].min() < -0.1
        assert stands[:, axis].max() > 0.1


def test_every_kind_occurs_about_as_often_as_drawn():
    for part, kinds, low, high in (
        ("legs", LEGS, 0.05, 0.2),
        ("back", BACKS, 0.02, 0.25),
        ("arms", ARMS, 0.1, 0.65),
        ("seat", ("square", "trapezoid", "round"), 0.12, 0.7),
    ):
        shares = {kind: np.mean([getattr(s, part) == kind for s in STYLES]) for kind in kinds}
        assert sum(shares.values()) == pytest.approx(1)
        assert low < min(shares.values()) <= max(shares.values()) < high, shares
    assert 0.35 < np.mean([s.cushion > 0 for s in STYLES]) < 0.65


def test_what_is_measured_goes_from_small_to_large():
    for name, low, high in (
        ("width", 0.38, 1.4),
        ("height", 0.24, 0.75),
        ("back_height", 0.3, 0.75),
        ("wood", 0.25, 0.75),
        ("cloth", 0.25, 0.8),
    ):
        values = np.array([getattr(s, name) for s in STYLES])
        rim = 0.05 * (high - low)
        assert low <= values.min() < low + rim, name
        assert high - rim < values.max() <= high, name


def test_width_depends_on_nothing_else():
    widths = np.log([s.width for s in STYLES])
    assert widths.mean() == pytest.approx((math.log(0.38) + math.log(1.4)) / 2, abs=4 * widths.std() / math.sqrt(200))
    for name in ("depth", "height", "slab", "cushion", "radius", "back_height", "tilt", "pitch", "wood", "cloth"):
        assert abs(np.corrcoef(widths, [getattr(s, name) for s in STYLES])[0, 1]) < 0.25, name
    for name in ("legs", "seat", "back", "arms"):
        for kind in {getattr(s, name) for s in STYLES}:
            some = widths[[getattr(s, name) == kind for s in STYLES]]
            assert abs(some.mean() - widths.mean()) < 4 * widths.std() / math.sqrt(len(some)), kind


def test_width_is_seen(rendered):
    """From the front, how wide the image is for its height follows the style's width for its height."""
    ink = rendered[:, 0] < 255
    seen = ink.any(axis=1).sum(axis=1) / ink.any(axis=2).sum(axis=1)
    wanted = [s.width / (s.top + (s.back != "none") * s.back_height) for s in STYLES[:FEW]]
    assert np.corrcoef(seen, wanted)[0, 1] > 0.9
    assert seen.min() < 0.6
    assert seen.max() > 1.3


def upward_seat(s, azimuth):
    """Pixels in which the seat's upper side is seen: all else is black, or not lit from above."""
    rest = join(*LEGS[s.legs](s), *BACKS[s.back](s), *ARMS[s.arms](s))
    seat = join(*seat_of(s))
    mesh = join(replace(rest, albedo=0 * rest.albedo), replace(seat, albedo=0 * seat.albedo + 1))
    centred = replace(mesh, corners=mesh.corners - (0, 0, 0.5))
    return (front(centred, azimuth, Light(0, 90, 0), background=0) > 100).sum()


@pytest.mark.parametrize("back", ["panel", "arch"])
def test_the_back_hides_the_seat_from_behind(back):
    s = replace(STYLES[0], back=back, arms="none", seat="square", back_height=0.6, tilt=0.1)
    before, behind = upward_seat(s, 0), upward_seat(s, 180)
    assert before > 100
    assert behind <= 0.1 * before


@pytest.mark.parametrize(("azimuth", "side"), [(90, 1), (270, -1)])
def test_the_back_is_on_the_right_of_what_is_seen_from_the_right(azimuth, side):
    for model in (m for m in MODELS if STYLES[m].back == "panel"):
        upper = front(chair(model, 0), azimuth)[:20] < 255
        assert side * (np.nonzero(upper)[1].mean() - 31.5) > 2


def test_no_two_sides_of_a_box_are_equally_bright():
    """From azimuth 35: top, front and right side, each at ambient + (1 - ambient) cos(angle to the lamp)."""
    image = front(beam((0, 0, -0.4), (0, 0, 0.4), 0.8, 0.8, 0.5), 35, size=128)
    azimuth, elevation = math.radians(LAMP.azimuth + 35), math.radians(LAMP.elevation)
    top, ahead = math.sin(elevation), math.cos(azimuth) * math.cos(elevation)
    right = max(0.0, math.sin(azimuth) * math.cos(elevation))
    expected = [round(127.5 * (LAMP.ambient + (1 - LAMP.ambient) * lit)) for lit in (right, ahead, top)]
    values, counts = np.unique(image[image < 255], return_counts=True)
    assert sorted(values[np.argsort(counts)[-3:]].tolist()) == expected
    assert np.diff(expected).min() >= 12


def test_chairs_are_darker_than_the_paper():
    for model in MODELS:
        image = front(chair(model, 0), 340, background=0)
        assert 60 < image.max() <= 204
