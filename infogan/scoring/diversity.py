"""Does the noise do anything? How far images with the same codes are apart, beside real images of one category."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from infogan.codes.code import Code
from infogan.datamodules.store import drawn_rows
from infogan.metrics.diversity import mean_distance, pair_distance
from infogan.scoring.against_labels import groups
from infogan.scoring.extractor import Extractor
from infogan.scoring.image_quality import features
from infogan.scoring.real_images import BATCH_SIZE, encode_split
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule

PAIRS, REAL = 2000, 2000
"""Of generated images, and real images at most, of whose pairs the means are."""

ALL = "all"
"""The name of what is found for a model that has no categories."""

LEAST = 2
"""Real images of a category, and pairs of generated ones, for it to count."""


def diversity(
    trained: Trained, data: "ImageDataModule", extractor: Extractor | None, seed: int
) -> dict[str, dict[str, dict[str, float]]] | str:
    """Pairs of generated images whose codes are all the same and whose noise is not (`generated`), and pairs of real
    images to which Q gives the same category (`real`): mean distances, RMS of pixels in [0, 1] and of the extractor's
    features, and the first as a `share` of the second; by kind and code, means over the categories of a code. A model
    without categories is compared with all real images, as `all`. In words why there is nothing to compare.

    The images are as many as PAIRS and REAL, of the training split, drawn by `seed`.
    """
    latents = trained.latents
    if latents.noise == 0:
        return "the model draws no noise"
    codes, noise = (latents.sample(seed, stream, 0, range(PAIRS)) for stream in ("diversity", "other noise"))
    other = torch.cat([codes[:, : latents.codes_width], noise[:, latents.codes_width :]], dim=1)
    pairs = [torch.from_numpy(trained.images(rows)).permute(0, 3, 1, 2) for rows in (codes, other)]
    split = data.split("train").images
    real = split[drawn_rows(len(split), REAL, seed)]
    q = encode_split(trained, data, "train", REAL, seed).q
    drawn = latents.split(codes)
    kinds = {"pixels": _pixels} | ({} if extractor is None else {"features": _features_of(extractor)})
    sorting = [code for code in latents.codes if code.groups is not None]
    grouped = {code.name: (_groups(code, drawn[code.name]), groups(latents, q, code)) for code in sorting}
    if not sorting:
        grouped[ALL] = (np.zeros(PAIRS, np.int64), np.zeros(len(real), np.int64))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for kind, of in kinds.items():
        distances, points = pair_distance(*map(of, pairs)), of(real)
        scores = {name: within(distances, of_pairs, points, read) for name, (of_pairs, read) in grouped.items()}
        found[kind] = {name: score for name, score in scores.items() if score is not None}
    return found if any(found.values()) else "Q gives no category to two real images that differ"


def within(
    distances: np.ndarray, of_pairs: np.ndarray, points: np.ndarray, of_points: np.ndarray
) -> dict[str, float] | None:
    """Of (N,) distances of pairs and (M, D) points, by their groups, (N,) and (M,) integers: the mean distance over the
    pairs of a group, between its points, and their quotient, each in the mean over the groups that have LEAST of both
    and whose points differ. None where there is no such group."""
    rows = []
    for group in np.intersect1d(of_pairs, of_points):
        generated, real = distances[of_pairs == group], points[of_points == group]
        if min(len(generated), len(real)) >= LEAST and (between := mean_distance(real)) > 0:
            rows.append((generated.mean(), between, generated.mean() / between))
    return (
        None if not rows else dict(zip(("generated", "real", "share"), map(float, np.mean(rows, axis=0)), strict=True))
    )


def _groups(code: Code, rows: torch.Tensor) -> np.ndarray:
    found = code.group(rows)
    assert found is not None
    return found.numpy()


def _pixels(images: torch.Tensor) -> np.ndarray:
    return images.flatten(1).numpy().astype(np.float32) / 255


def _features_of(extractor: Extractor) -> Callable[[torch.Tensor], np.ndarray]:
    return lambda images: features(extractor, images.split(BATCH_SIZE)).numpy()
