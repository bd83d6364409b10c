"""Several runs side by side: their scores, ModelCentrality, and how scores without labels go with those with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from infogan.config.differences import differing_settings, in_order
from infogan.errors import RunError
from infogan.metrics.consensus import partition_agreement
from infogan.metrics.factor_vae import majority_accuracy
from infogan.metrics.model_centrality import centrality, group_votes
from infogan.run_folder.evaluation import flat, read_evaluation
from infogan.run_folder.metrics import INFORMATION, information
from infogan.scoring.against_labels import groups
from infogan.scoring.label_free import label_free
from infogan.scoring.real_images import encode_split
from infogan.trained.inference import encode, generate
from infogan.trained.model import Trained, load_run

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule

GROUPS, GROUP_SIZE = 500, 100
"""InfoGAN-CR's numbers of groups and of images a group."""

LOWER_IS_BETTER = ("distance", "fid", "kid", "path_length")
"""Parts of the names of scores of which a small one is good."""

IMAGES = 10_000
"""Real images, at most, and fresh latents that scores without labels are measured on."""

CRITERIA = ("consensus", "centrality", "label_free/score")
"""Scores that a run can be chosen by without labels; a comparison ranks by the first that all its runs have."""

LABEL_FREE = (*CRITERIA, INFORMATION)
"""Scores, or what their names start with, that no label and no factor was used for; all others are supervised."""


@dataclass(frozen=True)
class Run:
    """A finished run: its model, what was set apart from the others (key → value, the seed aside), its scores."""

    trained: Trained
    settings: Mapping[str, Any]
    scores: dict[str, float]

    @property
    def name(self) -> str:
        return self.trained.folder.name

    @property
    def seed(self) -> int:
        return self.trained.config.seed


def open_runs(folders: Sequence[Path], device: str, notify: Callable[[str], None]) -> list[Run]:
    """The runs that can be compared, by their settings, their models on a device. `notify` hears of each that is left
    out, and why.

    Raises RunError where none is left, or they differ in the data set or the shape of images.
    """
    opened = []
    for folder in folders:
        try:
            trained = load_run(folder, device=device)
            if not trained.is_finished:
                raise RunError(f"{folder} has not finished: python -m infogan.train run={folder} goes on")
            opened.append(trained)
        except RunError as error:
            notify(f"left out: {error}")
    if not opened:
        raise RunError("there is no finished run to compare")
    if len(names := {trained.config.data.name for trained in opened}) > 1:
        raise RunError(f"the runs are of different data sets, {' and '.join(sorted(names))}: one at a time")
    if len({trained.generator.image_shape for trained in opened}) > 1:
        raise RunError("the runs make images of different shapes: they cannot read each other's")
    settings = differing_settings([trained.config for trained in opened])
    runs = [Run(trained, own, known_scores(trained)) for trained, own in zip(opened, settings, strict=True)]
    return sorted(runs, key=lambda run: (in_order(run.settings), run.seed))


def known_scores(trained: Trained) -> dict[str, float]:
    """What the run's summary and, where it is of the same iteration, its evaluation.json hold, by short names."""
    scores: dict[str, float] = {}
    if (summary := trained.summary) is not None:
        for bounds in (summary.information, summary.information_at_mse):
            scores |= {information(name): value for name, value in bounds.items() if value is not None}
        scores |= summary.clustering
    for score, by_code in trained.factors.items():
        for factor in dict.fromkeys(name for row in by_code.values() for name in row if name != "label"):
            scores[f"{score}/{factor}"] = max(row[factor] for row in by_code.values() if factor in row)
    evaluation = read_evaluation(trained.folder)
    if evaluation is not None and evaluation.iterations == trained.iteration:
        shared = ("disentanglement", "image_quality", "label_free")
        rows = flat({name: part for name, part in evaluation.parts.items() if name in shared})
        left_out = (
            "/images",
            "/draws",
            "/consistency/",
            "/usage/",
            "samples",
            "reference",
            "nearest_distance",
            "_images",
        )
        scores |= {name: row[0] for name, row in rows.items() if not any(word in name for word in left_out)}
    return scores


def agreement_matrix(runs: Sequence[Run], seed: int, notify: Callable[[str], None]) -> np.ndarray:
    """(M, M): FactorVAE's score, in-sample, of encoder i on groups of images that model j made with one code shared."""
    table = np.zeros((len(runs), len(runs)))
    for j, generating in enumerate(runs):
        notify(f"  model {j + 1} of {len(runs)}: {generating.name}")
        latents = generating.trained.latents
        fixed = np.arange(GROUPS) % len(latents.codes)
        latent = latents.sample(seed, "centrality", 0, range(GROUPS * GROUP_SIZE))
        grouped = latent.view(GROUPS, GROUP_SIZE, -1).clone()
        for f, code in enumerate(latents.codes):
            groups = torch.from_numpy(np.flatnonzero(fixed == f))
            rows = grouped[groups]
            shared = latents.split(rows[:, 0])[code.name].repeat_interleave(GROUP_SIZE, dim=0)
            grouped[groups] = latents.replaced(rows.flatten(0, 1), code.name, shared).view_as(rows)
        images = generate(generating.trained.generator, grouped.flatten(0, 1))
        for i, reading in enumerate(runs):
            encoder = reading.trained
            low, high = generating.trained.value_range
            own_low, own_high = encoder.value_range
            pixels = own_low + (images - low) * ((own_high - own_low) / (high - low))
            q = encoder.latents.posterior_mean(encode(encoder.discriminator, pixels.split(500)))
            votes = group_votes(q.view(GROUPS, GROUP_SIZE, -1).double().numpy(), fixed, len(latents.codes))
            table[i, j] = majority_accuracy(votes, votes) if votes.any() else 0.0
    return table


def add_label_free(runs: Sequence[Run], data: "ImageDataModule", seed: int) -> None:
    """Writes what needs real images, but no labels, among the scores: each run's own score, for those that were not
    evaluated, and the consensus of their categories."""
    for run in runs:
        if CRITERIA[-1] not in run.scores:
            real = encode_split(run.trained, data, "test", IMAGES, seed)
            run.scores[CRITERIA[-1]] = label_free(run.trained, real, IMAGES, seed)["score"]
    partitions = []
    for run in runs:
        latents = run.trained.latents
        codes = [code for code in latents.codes if code.groups is not None]
        q = encode_split(run.trained, data, "train", IMAGES, seed).q if codes else None
        partitions.append([] if q is None else [groups(latents, q, code) for code in codes])
    if len(runs) > 1 and all(partitions):
        agreement = np.array([[partition_agreement(a, b) for b in partitions] for a in partitions])
        add_agreement(runs, "consensus", agreement)


def add_agreement(runs: Sequence[Run], name: str, agreement: np.ndarray) -> None:
    """Writes how much each run agrees with the others among its scores; see `centrality`."""
    for run, value in zip(runs, centrality(agreement), strict=True):
        run.scores[name] = float(value)
