"""What Q reads from the images of a data set, against what is known of them: labels and factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from infogan.codes.code import Code
from infogan.codes.latents import Latents
from infogan.datamodules.store import Split
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


def groups(latents: Latents, q: Tensor, code: Code) -> np.ndarray:
    """The group of a code that Q thinks most likely, (N, outputs) → (N,) integers. The code has groups."""
    found = code.group(code.mean(latents.split_posterior(q)[code.name]))
    assert found is not None
    return found.numpy()


def cluster_scores(
    clusters: Mapping[Split, np.ndarray], labels: Mapping[Split, np.ndarray], classes: int
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


def factor_scores(
    latents: Latents, q: Tensor, data: "ImageDataModule", rows: Tensor | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """How each code goes with each label and known factor: score → code → factor → value.

    `q`: Q's output for the test split, or for these `rows` of it. nmi: codes with groups against the labels and against
    factors of at most FACTOR_LEVELS different values. spearman: absolute, of the other codes, see `metrics.factors`.
    rotation: the same codes with angles over the full turn. Of several columns the best. Empty where the data set has
    neither labels nor factors.
    """
    test, chosen = data.split("test"), slice(None) if rows is None else rows
    factors = None if test.factors is None else test.factors[chosen].numpy()
    columns = {} if factors is None else dict(zip(data.factor_names, factors.T, strict=True))
    if test.labels is not None:
        columns = {"label": test.labels[chosen].numpy(), **columns}
    if not columns:
        return {}
    means = latents.split(latents.posterior_mean(q))
    found: dict[str, dict[str, dict[str, float]]] = {"spearman": {}, "rotation": {}, "nmi": {}}
    for code in latents.codes:
        mean = means[code.name]
        grouped = code.group(mean)
        if grouped is not None:
            levels = {name: np.unique(values, return_inverse=True) for name, values in columns.items()}
            found["nmi"][code.name] = {
                name: normalised_mutual_information(grouped.numpy(), index)
                for name, (values, index) in levels.items()
                if len(values) <= FACTOR_LEVELS
            }
            continue
        if factors is not None:
            table = spearman(code.columns(mean).numpy(), factors).max(axis=0)
            found["spearman"][code.name] = dict(zip(data.factor_names, table.tolist(), strict=True))
        unit = code.unit(code.values(mean))
        if unit is not None:
            found["rotation"][code.name] = {
                name: max(rotation_score(part, np.deg2rad(columns[name])) for part in unit.numpy().T)
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
