"""The ray tracer, against closed forms."""

import math

import numpy as np
import pytest

from datamodules.rendering.scene import Light, Mesh, View, camera_rays, direction, join, render, smooth


def sphere(radius=1.0, centre=(0, 0, 0), albedo=1.0, rings=60):
    """A ball of triangles, counter-clockwise from outside."""
    theta, phi = np.meshgrid(np.linspace(0, math.pi, rings + 1), np.linspace(0, 2 * math.pi, 2 * rings, endpoint=False))
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    after = np.roll(index, -1, axis=0)
    quads = np.stack([index[:, :-1], index[:, 1:], after[:, 1:], after[:, :-1]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    vertices = points.reshape(-1, 3) * radius + np.array(centre)
    return smooth(vertices, triangles, np.full(len(triangles), albedo))


FRONT = View(azimuth=0, elevation=0, distance=5, field=3)
EVEN = Light(azimuth=0, elevation=0, ambient=1.0)
SIZE = 64


def test_the_silhouette_of_a_sphere():
    """Seen from distance d, a ball of radius r covers a disc of radius d tan(asin(r/d)) in the plane of its centre."""
    image = render(sphere(), FRONT, EVEN, SIZE, 0)
    radius = 5 * math.tan(math.asin(1 / 5))
    assert image.astype(float).sum() / 255 == pytest.approx(math.pi * (radius * SIZE / 3) ** 2, rel=0.01)


def test_the_brightness_of_a_sphere():
    """Lambert: at the image's centre the normal looks at the camera, and the lamp stands at angle α from it."""
    for angle in (0, 30, 60, 80, 120):
        image = render(sphere(albedo=0.8), FRONT, Light(angle, 0, ambient=0.25), SIZE, 0)
        expected = 0.8 * (0.25 + 0.75 * max(0, math.cos(math.radians(angle))))
        middle = image[SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1].mean()
        assert middle == pytest.approx(255 * expected, abs=4)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [(0, 0, (0, -1, 0)), (90, 0, (1, 0, 0)), (-90, 0, (-1, 0, 0)), (180, 0, (0, 1, 0)), (45, 90, (0, 0, 1))],
)
def test_directions(azimuth, elevation, expected):
    assert direction(azimuth, elevation) == pytest.approx(expected, abs=1e-12)


def centre_of(image):
    y, x = np.indices(image.shape)
    return (x * image).sum() / image.sum() - (SIZE - 1) / 2, (y * image).sum() / image.sum() - (SIZE - 1) / 2


@pytest.mark.parametrize(
    ("view", "centre", "x", "y"),
    [
        (View(0, 0, 5, 3), (0.8, 0, 0), 1, 0),
        (View(0, 0, 5, 3), (0, 0, 0.8), 0, -1),
        (View(90, 0, 5, 3), (0, 0.8, 0), 1, 0),
        (View(180, 0, 5, 3), (0.8, 0, 0), -1, 0),
        (View(45, 0, 5, 3), (0, -0.8, 0), -1, 0),
        (View(0, 40, 5, 3), (0, -0.8, 0), 0, 1),
        (View(0, -40, 5, 3), (0, -0.8, 0), 0, -1),
    ],
)
def test_where_a_thing_appears(view, centre, x, y):
    """A camera that moves towards +x sees what lies in front of the object move to the left."""
    found = centre_of(render(sphere(0.2, centre), view, EVEN, SIZE, 0).astype(float))
    for measured, expected in zip(found, (x, y), strict=True):
        assert (measured > 3, measured < -3) == (expected > 0, expected < 0)


def test_what_is_near_is_larger():
    near, far = (render(sphere(0.3, (0, y, 0)), FRONT, EVEN, SIZE, 0).sum() for y in (-1, 1))
    assert near / far == pytest.approx((6 / 4) ** 2, rel=0.05)


def test_what_is_in_front_hides_what_is_behind():
    both = render(join(sphere(0.3, (0, -1, 0), albedo=1.0), sphere(0.3, (0, 1, 0), albedo=0.2)), FRONT, EVEN, SIZE, 0)
    assert (both == render(sphere(0.3, (0, -1, 0)), FRONT, EVEN, SIZE, 0)).all()


@pytest.mark.parametrize("azimuth", [0, 90])
def test_a_lamp_on_the_right_lights_the_right(azimuth):
    """A lamp at +x, seen from the front and, if it follows the camera, from any side."""
    view = View(azimuth, 0, 5, 3)
    image = render(sphere(), view, Light(70, 0, 0.1, follows_camera=azimuth != 0), SIZE, 0).astype(float)
    assert image[:, SIZE // 2 :].sum() > 2 * image[:, : SIZE // 2].sum()


def test_a_lamp_that_stays_is_seen_from_behind():
    image = render(sphere(), View(180, 0, 5, 3), Light(0, 0, 0.1), SIZE, 0)
    assert 20 <= image[SIZE // 2, SIZE // 2] <= 30, "the glow alone"


@pytest.mark.parametrize("background", [0, 99, 255])
def test_the_background(background):
    image = render(sphere(0.1), FRONT, EVEN, SIZE, background)
    assert image[0, 0] == image[-1, -1] == background


def test_edges_are_mixed():
    image = render(sphere(), FRONT, EVEN, SIZE, 0)
    levels = {*np.unique(image).tolist()}
    assert levels <= {0, 64, 128, 191, 255}, "four rays a pixel"
    assert len(levels) > 2


def test_the_same_scene_gives_the_same_bytes():
    assert (render(sphere(), FRONT, EVEN, SIZE, 9) == render(sphere(), FRONT, EVEN, SIZE, 9)).all()


def test_normals_of_a_sphere_are_its_radii():
    mesh = sphere(2.0)
    radii = mesh.corners / 2
    inner = np.abs(mesh.corners[..., 2]) < 1.9
    assert np.abs(mesh.normals - radii)[inner].max() < 0.02
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(np.ones(mesh.normals.shape[:2]), abs=1e-6)


def test_joined_meshes():
    one, two = sphere(1, rings=4), sphere(2, rings=5, albedo=0.3)
    whole = join(one, two)
    assert isinstance(whole, Mesh)
    assert (whole.corners[len(one.corners) :] == two.corners).all()
    assert (whole.normals[: len(one.corners)] == one.normals).all()
    assert whole.albedo.tolist() == [*one.albedo, *two.albedo]


def test_rays_of_a_camera():
    eye, rays = camera_rays(View(90, 0, 4, 2), 2)
    assert eye == pytest.approx((4, 0, 0), abs=1e-12)
    expected = np.array([[-4, y, z] for z in (0.5, -0.5) for y in (-0.5, 0.5)])
    assert rays == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-12)
