"""The ray tracer against closed forms."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from infogan.datamodules.rendering.scene import Light, Mesh, View, camera_rays, direction, join, render, smooth
from infogan.errors import DataError

pytest.importorskip("embreex")

SIZE = 64
NEAR = View(azimuth=0, elevation=0, distance=2, field=3)
FAR = View(azimuth=0, elevation=0, distance=1000, field=2.2)
GLOW = Light(azimuth=0, elevation=0, ambient=1)


def ball(radius=1.0, centre=(0, 0, 0), albedo=1.0, rings=64):
    """Latitudes and longitudes; its image is the same after each turn by 360 / (2 rings) degrees."""
    polar = np.arange(1, rings) * math.pi / rings
    turn = np.arange(2 * rings) * math.pi / rings
    belt = np.stack(
        [
            np.outer(np.sin(polar), np.cos(turn)),
            np.outer(np.sin(polar), np.sin(turn)),
            np.outer(np.cos(polar), np.ones(2 * rings)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    vertices = np.concatenate([belt, [(0, 0, 1), (0, 0, -1)]])
    index = np.arange(len(belt)).reshape(rings - 1, 2 * rings)
    after = np.roll(index, -1, axis=1)
    a, b, c, d = index[:-1].ravel(), index[1:].ravel(), after[1:].ravel(), after[:-1].ravel()
    north, south = np.full(2 * rings, len(belt)), np.full(2 * rings, len(belt) + 1)
    triangles = np.concatenate(
        [
            np.column_stack([a, b, c]),
            np.column_stack([a, c, d]),
            np.column_stack([north, index[0], after[0]]),
            np.column_stack([south, after[-1], index[-1]]),
        ]
    )
    return smooth(radius * vertices + centre, triangles, np.full(len(triangles), albedo))


def plate(x=(-9, 9), y=(-9, 9), z=0.0, albedo=1.0):
    """Level, and looking upwards."""
    corners = np.array([[(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z)]] * 2, float)
    corners[1, 1:] = [(x[1], y[1], z), (x[0], y[1], z)]
    return Mesh(corners, np.full((2, 3, 3), (0.0, 0, 1)), np.full(2, albedo))


def seen(mesh, view=NEAR, light=GLOW, background=0):
    return render(mesh, view, light, SIZE, background).astype(float)


def middle(image):
    """How far right and up of the centre the light of an image lies, in pixels."""
    steps = np.arange(SIZE) - (SIZE - 1) / 2
    return (image * steps).sum() / image.sum(), -(image * steps[:, None]).sum() / image.sum()


@pytest.mark.parametrize("distance", [1.5, 2, 10])
def test_the_silhouette_of_a_ball_is_its_tangent_cone(distance):
    """Of half-angle asin(r / d), so its radius in the plane of the centre is d tan(asin(r / d)) > r."""
    radius = distance * math.tan(math.asin(0.7 / distance))
    area = seen(ball(0.7), replace(NEAR, distance=distance)).sum() / 255
    assert area == pytest.approx(math.pi * (radius * SIZE / 3) ** 2, rel=0.005)


def test_what_is_near_is_larger():
    """A little ball's image shrinks with its distance: 2 - 0.5 in front, 2 + 0.5 behind."""
    near, far = (seen(ball(0.2, (0, y, 0))).sum() for y in (-0.5, 0.5))
    tangent = [math.tan(math.asin(0.2 / distance)) for distance in (1.5, 2.5)]
    assert near / far == pytest.approx((tangent[0] / tangent[1]) ** 2, rel=0.04)


def test_what_is_near_hides_what_is_far():
    near, far = ball(0.3, (0, -0.5, 0)), ball(0.3, (0, 0.5, 0), albedo=0.5)
    for order in ((near, far), (far, near)):
        assert (seen(join(*order)) == seen(near)).all()


def test_rays_leave_the_camera_row_by_row_from_the_top_left():
    eye, rays = camera_rays(replace(NEAR, azimuth=90), 4)
    assert eye == pytest.approx((2, 0, 0), abs=1e-12)
    assert np.linalg.norm(rays, axis=1) == pytest.approx(np.ones(16))
    hits = eye + rays * (-2 / rays[:, :1])
    places = (np.arange(4) + 0.5) / 4 * 3 - 1.5
    expected = [(0, y, z) for z in -places for y in places]
    assert hits == pytest.approx(np.array(expected), abs=1e-12)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [
        (0, 0, (0, -1, 0)),
        (90, 0, (1, 0, 0)),
        (180, 0, (0, 1, 0)),
        (-90, 0, (-1, 0, 0)),
        (0, 90, (0, 0, 1)),
        (30, 60, (0.25, -math.sqrt(3) / 4, math.sqrt(3) / 2)),
    ],
)
def test_directions(azimuth, elevation, expected):
    assert direction(azimuth, elevation) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "place", "right", "up"),
    [
        (0, 0, (0.5, 0, 0), 1, 0),
        (180, 0, (0.5, 0, 0), -1, 0),
        (90, 0, (0, 0.5, 0), 1, 0),
        (90, 0, (0, -0.5, 0), -1, 0),
        (30, 0, (0, -0.5, 0), -1, 0),
        (-30, 0, (0, -0.5, 0), 1, 0),
        (0, 0, (0, 0, 0.5), 0, 1),
        (0, 60, (0, -0.5, 0), 0, -1),
        (0, 60, (0, 0.5, 0), 0, 1),
        (0, -60, (0, 0.5, 0), 0, -1),
    ],
)
def test_where_a_marker_is_seen(azimuth, elevation, place, right, up):
    found = middle(seen(ball(0.1, place), replace(NEAR, azimuth=azimuth, elevation=elevation)))
    for pixels, side in zip(found, (right, up), strict=True):
        assert abs(pixels) < 0.5 if side == 0 else pixels * side > 3


def test_a_marker_moves_by_the_sine_of_the_azimuth():
    """From far away a point at +x lies at x cos(azimuth): the camera moves towards it."""
    for azimuth in (0, 40, 80, 130):
        right, _ = middle(seen(ball(0.1, (0.8, 0, 0)), replace(FAR, azimuth=azimuth)))
        assert right == pytest.approx(0.8 * math.cos(math.radians(azimuth)) * SIZE / 2.2, abs=0.3)


@pytest.mark.parametrize("elevation", [90, 50, 10, -20])
@pytest.mark.parametrize("ambient", [0, 0.3, 1])
def test_the_brightness_of_a_plate(elevation, ambient):
    image = seen(plate(albedo=0.8), replace(NEAR, elevation=90), Light(77, elevation, ambient))
    lit = max(0.0, math.sin(math.radians(elevation)))
    assert (image == round(255 * 0.8 * (ambient + (1 - ambient) * lit))).all()


@pytest.mark.parametrize("angle", [0, 60, -60, 90, 150])
def test_the_brightness_of_a_ball_is_its_phase(angle):
    """Lambert's phase function: lit from an angle φ off the view, the mean is 2/3 (sin φ + (π - φ) cos φ) / π."""
    phi = math.radians(abs(angle))
    phase = 2 / 3 * (math.sin(phi) + (math.pi - phi) * math.cos(phi)) / math.pi
    for ambient in (0, 0.4):
        image = seen(ball(albedo=0.9), FAR, Light(angle, 0, ambient))
        mean = image.sum() / 255 / (math.pi * (SIZE / 2.2) ** 2)
        assert mean == pytest.approx(0.9 * (ambient + (1 - ambient) * phase), abs=0.005)


@pytest.mark.parametrize(("azimuth", "elevation", "right", "up"), [(60, 0, 1, 0), (-60, 0, -1, 0), (0, 60, 0, 1)])
def test_a_lamp_lights_its_side(azimuth, elevation, right, up):
    found = middle(seen(ball(), FAR, Light(azimuth, elevation, 0)))
    for pixels, side in zip(found, (right, up), strict=True):
        assert abs(pixels) < 0.5 if side == 0 else pixels * side > 5


def test_a_lamp_stands_still_or_follows_the_camera():
    front = {azimuth: seen(ball(), FAR, Light(azimuth, 20, 0.1)) for azimuth in (40, -50, 130)}
    from_right = replace(FAR, azimuth=90)
    still = seen(ball(), from_right, Light(40, 20, 0.1))
    follows = seen(ball(), from_right, Light(40, 20, 0.1, follows_camera=True))
    for image, azimuth in ((still, -50), (follows, 40)):
        assert np.abs(image - front[azimuth]).mean() < 0.3
        others = [other for angle, other in front.items() if angle != azimuth]
        assert min(np.abs(image - other).mean() for other in others) > 10


@pytest.mark.parametrize("background", [0, 137, 255])
def test_the_background(background):
    image = seen(ball(0.5), background=background)
    _, rays = camera_rays(NEAR, SIZE)
    angle = np.degrees(np.arccos(rays[:, 1])).reshape(SIZE, SIZE)
    cone = math.degrees(math.asin(0.5 / 2))
    assert (image[angle > cone + 2] == background).all()
    assert (image[angle < cone - 2] == 255).all()


def test_an_edge_takes_one_of_five_levels():
    """Two by two rays a pixel: a plate that ends in the middle of a pixel covers half of it."""
    pixel = 3 / SIZE
    ends_within = seen(plate(x=(-9, 10.5 * pixel)), replace(NEAR, elevation=90))
    assert (ends_within[:, :42] == 255).all()
    assert (ends_within[:, 42] == 128).all()
    assert (ends_within[:, 43:] == 0).all()
    assert set(np.unique(seen(ball()))) == {0, 64, 128, 191, 255}


def test_normals_between_corners_are_mixed_and_of_length_one():
    """From -x at the left end to +z at the right one, under a lamp at -x: (1 - t) / |(1 - t, t)|."""
    mesh = plate(x=(-1.5, 1.5), y=(-1.5, 1.5))
    normals = np.where(mesh.corners[..., :1] < 0, (-1.0, 0, 0), (0, 0, 1.0))
    image = seen(Mesh(mesh.corners, normals, mesh.albedo), replace(NEAR, elevation=90), Light(-90, 0, 0))
    t = (np.arange(2 * SIZE) + 0.5) / (2 * SIZE)
    expected = 255 * ((1 - t) / np.hypot(1 - t, t)).reshape(SIZE, 2).mean(axis=1)
    assert np.abs(image - expected).max() < 0.51


def test_normals_of_a_ball_are_its_radii():
    mesh = ball(3.0, (1, 2, 3))
    radii = (mesh.corners - (1, 2, 3)) / 3
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(np.ones(mesh.normals.shape[:2]))
    assert np.abs(mesh.normals - radii).max() < 0.01


def test_normals_are_weighted_by_area():
    """Two upright triangles at a shared edge, of areas 3 and 1, looking to -y and to +x."""
    vertices = np.array([(0, 0, 0), (0, 0, 1), (-3, 0, 0), (0, 1, 0)], float)
    mesh = smooth(vertices, np.array([(2, 0, 1), (0, 3, 1)]), np.array([0.1, 0.2]))
    shared = np.array((1, -3, 0)) / math.sqrt(10)
    assert mesh.normals == pytest.approx(np.array([[(0, -1, 0), shared, shared], [shared, (1, 0, 0), shared]]))
    assert mesh.albedo.tolist() == [0.1, 0.2]


def test_joined_meshes_keep_their_triangles():
    meshes = ball(rings=4), plate(albedo=0.3), ball(2, rings=3, albedo=0.5)
    whole = join(*meshes)
    first = 0
    for mesh in meshes:
        rows = slice(first, first + len(mesh.corners))
        for part in ("corners", "normals", "albedo"):
            assert (getattr(whole, part)[rows] == getattr(mesh, part)).all()
        first = rows.stop
    assert first == len(whole.corners) == len(whole.normals) == len(whole.albedo)


def test_the_same_scene_gives_the_same_bytes():
    lamp = Light(30, 40, 0.2)
    assert (seen(ball(), NEAR, lamp) == seen(ball(), NEAR, lamp)).all()


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "embreex", None)
    with pytest.raises(DataError, match=r"infogan-lab\[rendering\]"):
        seen(ball(rings=4))
