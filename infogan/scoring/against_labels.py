"""What Q reads from the images of a data set, against what is known of them: labels and factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Code, Latents
from infogan.metrics.clustering import (
    accuracy,
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
    one_to_one_matching,
)
from infogan.metrics.factors import rotation_score, spearman
from infogan.metrics.groups import FACTOR_LEVELS

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule


@dataclass(frozen=True)
class ClusterScores:
    """Scores of the test split; `matching[k]` is the label of category k, fitted on the training split."""

    acc: float
    nmi: float
    ari: float
    matching: list[int]


def scored_code(latents: Latents, data: "ImageDataModule") -> Code | None:
    """The first code with as many categories as the data set has classes; a one-to-one ACC needs one."""
    return next((code for code in latents.codes if code.classes == data.classes), None)


def categories(latents: Latents, q: Tensor, code: Code) -> np.ndarray:
    """The category that Q thinks most likely, (N, outputs) → (N,) integers."""
    return latents.split_posterior(q)[code.name].argmax(dim=1).numpy()


def cluster_scores(
    clusters: Mapping[Literal["train", "test"], np.ndarray],
    labels: Mapping[Literal["train", "test"], np.ndarray],
    classes: int,
) -> ClusterScores:
    """ACC, NMI and ARI of categories against as many labels, both (N,) integers by split."""
    table = contingency(clusters["train"], labels["train"], classes, classes)
    matching = one_to_one_matching(table)
    return ClusterScores(
        accuracy(clusters["test"], labels["test"], matching),
        normalised_mutual_information(clusters["test"], labels["test"]),
        adjusted_rand_index(clusters["test"], labels["test"]),
        matching.tolist(),
    )


def factor_scores(latents: Latents, q: Tensor, data: "ImageDataModule") -> dict[str, dict[str, dict[str, float]]]:
    """How each code goes with each label and known factor: score → code → factor → value.

    `q`: Q's output for the whole test split. spearman: absolute, continuous codes, see `metrics.factors`. rotation: the
    same codes with angles over the full turn. nmi: categorical codes with the labels and with factors of at most
    FACTOR_LEVELS different values. Empty where the data set has neither labels nor factors.
    """
    test = data.split("test")
    columns = {} if test.factors is None else dict(zip(data.factor_names, test.factors.numpy().T, strict=True))
    if test.labels is not None:
        columns = {"label": test.labels.numpy(), **columns}
    if not columns:
        return {}
    means = latents.split(latents.posterior_mean(q))
    found: dict[str, dict[str, dict[str, float]]] = {"spearman": {}, "rotation": {}, "nmi": {}}
    for code in latents.codes:
        mean = means[code.name].numpy()
        if isinstance(code, Categorical):
            levels = {name: np.unique(values, return_inverse=True) for name, values in columns.items()}
            found["nmi"][code.name] = {
                name: normalised_mutual_information(mean.argmax(axis=1), index)
                for name, (values, index) in levels.items()
                if len(values) <= FACTOR_LEVELS
            }
            continue
        if test.factors is not None:
            table = spearman(mean, test.factors.numpy())[0]
            found["spearman"][code.name] = dict(zip(data.factor_names, table.tolist(), strict=True))
        found["rotation"][code.name] = {
            name: rotation_score(code.unit(mean[:, 0]), np.deg2rad(columns[name]))
            for name in data.full_turns
            if name in columns
        }
    return {score: by_code for score, by_code in found.items() if any(by_code.values())}


def most_followed(factors: Mapping[str, Mapping[str, Mapping[str, float]]], code: str) -> str:
    """The label or factor that a code goes with most, and by which score; empty where none is known."""
    values = [
        (by_code[code][name], score, name) for score, by_code in factors.items() for name in by_code.get(code, {})
    ]
    return "" if not values else "{2} ({1} {0:.2f})".format(*max(values))
