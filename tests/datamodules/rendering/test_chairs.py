import numpy as np
import pytest

from datamodules.rendering.chairs import (
    ARMS,
    BACKS,
    DISTANCE,
    FIELD,
    LAMP,
    LEGS,
    beam,
    box,
    chair,
    lathe,
    render_chairs,
    rod,
    style,
)
from datamodules.rendering.scene import View, join, render

SIZE = 64


def seen(model, azimuth, elevation=20, size=SIZE):
    return render(chair(model, 0), View(azimuth, elevation, DISTANCE, FIELD), LAMP, size, 255)


def test_the_views_are_aubrys():
    images, factors = render_chairs(range(3, 5), 0, 16)
    assert (images.shape, images.dtype) == ((124, 1, 16, 16), np.uint8)
    assert (factors.shape, factors.dtype) == ((124, 3), np.float32)
    azimuths = [int(360 * k / 31) for k in range(31)]
    assert azimuths[:3] == [0, 11, 23]
    assert azimuths[-1] == 348
    assert factors.tolist() == [[m, a, e] for m in (3, 4) for e in (20, 30) for a in azimuths]


def test_a_view_is_a_function_of_model_seed_and_size():
    both, _ = render_chairs(range(6, 8), 0, 16)
    second, _ = render_chairs(range(7, 8), 0, 16)
    assert (both[62:] == second).all()
    other, _ = render_chairs(range(7, 8), 1, 16)
    assert (other != second).mean() > 0.1
    assert (seen(7, 0, size=16) == second[0, 0]).all()


def test_styles_differ():
    images = np.array([seen(model, 35, size=32) for model in range(40)]).reshape(40, -1).astype(float)
    distance = np.abs(images[:, None] - images[None]).mean(axis=2) + 1e9 * np.eye(40)
    assert distance.min() > 2


def test_every_kind_of_part_occurs():
    styles = [style(model, 0) for model in range(300)]
    for part, kinds in (("legs", LEGS), ("back", BACKS), ("arms", ARMS)):
        counts = {kind: sum(getattr(s, part) == kind for s in styles) for kind in kinds}
        assert min(counts.values()) >= 3, counts
    assert {s.seat for s in styles} == {"slab", "cushion", "trapezoid", "round"}
    widths, heights = np.array([s.width for s in styles]), np.array([s.height for s in styles])
    assert widths.min() < 0.42
    assert 1.0 < widths.max() <= 1.1
    assert heights.min() < 0.3
    assert 0.7 < heights.max() <= 0.75
    assert abs(np.corrcoef(widths, heights)[0, 1]) < 0.2, "drawn independently"
    assert sum(s.back == "none" for s in styles) < 30, "without a back there is little rotation to see"


def test_a_chair_stays_in_the_picture_from_all_sides():
    for model in range(40):
        for azimuth in (0, 45, 90, 200, 300):
            image = seen(model, azimuth, 30)
            edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
            assert edge.min() == 255, (model, azimuth)
            assert image.min() < 200, "and can be told from the paper"
            rows = np.flatnonzero((image < 255).any(axis=1))
            columns = np.flatnonzero((image < 255).any(axis=0))
            assert max(np.ptp(rows), np.ptp(columns)) > 0.55 * SIZE, "it fills it"


def test_a_chair_fills_the_unit_ball_and_stands_on_the_floor():
    for model in range(30):
        corners = chair(model, 0).corners
        assert np.linalg.norm(corners, axis=2).max() == pytest.approx(1, abs=1e-5)
        floor = corners[..., 2].min()
        assert (corners[..., 2] < floor + 0.02).sum() >= 6, "on more than a corner"


PARTS = {
    "box": (box((-1, -2, -3), (1, 2, 3), 0.5), 2 * 4 * 6),
    "beam": (beam((0, 0, 0), (1, 0, 2), (1, 1), (2, 2), 0.5), 4),
    "rod": (rod((1, 2, 3), (1, 4, 3), 0.5, 0.5, 0.5), 2 * 0.25 * 14 / 2 * np.sin(2 * np.pi / 14)),
    "lathe": (lathe([(1, 0), (1, 1), (2, 1), (2, 3)], 5, 5, 0.5), (1 + 8) * 14 / 2 * np.sin(2 * np.pi / 14)),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_closed_and_look_outward(name):
    """The volume below all triangles, counted with the sign of their order, is that of the solid."""
    mesh, volume = PARTS[name]
    a, b, c = np.moveaxis(mesh.corners.astype(float), 1, 0)
    assert (np.cross(a, b) * c).sum() / 6 == pytest.approx(volume, rel=1e-6)
    faces = np.cross(b - a, c - a)
    area = np.linalg.norm(faces, axis=1) > 1e-12
    assert ((faces[:, None] * mesh.normals).sum(axis=2)[area] > 0).all(), "normals look the way the triangles do"
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(np.ones(mesh.normals.shape[:2]), abs=1e-6)


def test_every_part_of_every_style_looks_outward():
    for kinds in (LEGS, BACKS, ARMS):
        for make in kinds.values():
            parts = make(style(0, 0))
            if not parts:
                continue
            mesh = join(*parts)
            faces = np.cross(mesh.corners[:, 1] - mesh.corners[:, 0], mesh.corners[:, 2] - mesh.corners[:, 0])
            inside = ((faces[:, None] * mesh.normals).sum(axis=2) < -1e-12).mean()
            assert inside == 0


def test_the_back_is_behind():
    """Half a turn shows the back of a chair with a panel, which hides what is below and before it."""
    model = next(m for m in range(200) if style(m, 0).back == "panel" and style(m, 0).arms == "none")
    corners = chair(model, 0).corners
    high = corners[corners[..., 2] > 0.6 * corners[..., 2].max()]
    assert high[:, 1].min() > 0, "the backrest is at +y, and the camera of azimuth 0 at -y"
    side = seen(model, 90) < 255
    top = side[: SIZE // 3].any(axis=0)
    columns = np.flatnonzero(top)
    assert columns.mean() > SIZE / 2, "seen from +x, +y is to the right"
