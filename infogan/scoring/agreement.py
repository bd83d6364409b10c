"""How well runs agree with each other, without labels: ModelCentrality of encoders on generated images, and the
consensus of categories on real ones."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from infogan.codes.latents import Latents
from infogan.metrics.consensus import partition_agreement
from infogan.metrics.factor_vae import majority_accuracy
from infogan.metrics.model_centrality import centrality, group_votes
from infogan.scoring.against_labels import groups
from infogan.scoring.label_free import IMAGES, label_free, real_information
from infogan.scoring.many_runs import Run
from infogan.scoring.real_images import MILD, encode_split
from infogan.terminal import progress
from infogan.trained.inference import encode, generate

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule

GROUPS, GROUP_SIZE = 500, 100
"""InfoGAN-CR's numbers of groups and of images a group."""

BATCH_SIZE = 500
"""Generated images that are in memory at a time."""

READ_OTHERS, COMPARED_OTHERS = 10, 50
"""How many other runs each run meets at most, for ModelCentrality and for the consensus: with each further run the
pairs of all with all grow by as many as there are."""


def partners(count: int, most: int, seed: int) -> np.ndarray:
    """Which of `count` runs meet, (count, count) booleans, symmetric: all, each also itself, where there are at most
    `most` others; else the runs stand in a circle in an order drawn by `seed`, and each meets itself and the `most`
    (an even number) that are nearest to it, so that all meet as many."""
    if count <= most + 1:
        return np.ones((count, count), bool)
    place = np.random.default_rng(seed).permutation(count)
    apart = np.abs(place[:, None] - place)
    return np.minimum(apart, count - apart) <= most // 2


def protocol(count: int) -> dict[str, Any]:
    """How so many runs are compared, as plain values."""
    return {
        "centrality": {"groups": GROUPS, "images_a_group": GROUP_SIZE, "other_runs": min(count - 1, READ_OTHERS)},
        "consensus": {"images_at_most": IMAGES, "other_runs": min(count - 1, COMPARED_OTHERS)},
        "real_information": {"images_at_most": IMAGES, "transforms": MILD},
    }


def described(what: str, count: int, most: int, seed: int) -> str:
    """Which of `count` runs meet, in words: `what` by all others, or by `most` of them."""
    if count <= most + 1:
        return f"{what} all {count} runs with each other"
    return f"{what} each of {count} runs with itself and {most} others, drawn by seed {seed}"


def agreement_matrix(runs: Sequence[Run], seed: int, notify: Callable[[str], None]) -> np.ndarray:
    """(M, M): FactorVAE's score, in-sample, of encoder i on groups of images that model j made with one code shared;
    NaN where i and j are no `partners`.

    Images are made once, a batch at a time, and read by all encoders before the next: none is kept.
    """
    met = partners(len(runs), READ_OTHERS, seed)
    table = np.full(met.shape, np.nan)
    with progress("ModelCentrality", int(met.sum()) * GROUPS * GROUP_SIZE) as advance:
        for j, generating in enumerate(runs):
            notify(f"  model {j + 1} of {len(runs)}: {generating.name}")
            latents = generating.trained.latents
            fixed = np.arange(GROUPS) % len(latents.codes)
            readers = {i: runs[i] for i in np.flatnonzero(met[:, j]).tolist()}
            grouped = grouped_latents(latents, fixed, seed)
            # Filled batch by batch: small tensors that stay, made between large ones that go, would leave holes.
            read = {i: torch.empty(len(grouped), run.trained.latents.outputs) for i, run in readers.items()}
            for first, part in zip(range(0, len(grouped), BATCH_SIZE), grouped.split(BATCH_SIZE), strict=True):
                images = generate(generating.trained.generator, part)
                in_range: dict[tuple[float, float], Tensor] = {}
                for i, run in readers.items():
                    wanted = run.trained.value_range
                    if wanted not in in_range:
                        in_range[wanted] = rescaled(images, generating.trained.value_range, wanted)
                    read[i][first : first + len(part)] = encode(run.trained.discriminator, [in_range[wanted]])
                    advance(len(part))
            for i, run in readers.items():
                mean = run.trained.latents.posterior_mean(read.pop(i))
                votes = group_votes(mean.view(GROUPS, GROUP_SIZE, -1).double().numpy(), fixed, len(latents.codes))
                table[i, j] = majority_accuracy(votes, votes) if votes.any() else 0.0
    return table


def grouped_latents(latents: Latents, fixed: np.ndarray, seed: int) -> Tensor:
    """(GROUPS × GROUP_SIZE, width): in group g all rows share the code number `fixed[g]`."""
    grouped = latents.sample(seed, "centrality", 0, range(GROUPS * GROUP_SIZE)).view(GROUPS, GROUP_SIZE, -1)
    for f, code in enumerate(latents.codes):
        groups = torch.from_numpy(np.flatnonzero(fixed == f))
        rows = grouped[groups]
        shared = latents.split(rows[:, 0])[code.name].repeat_interleave(GROUP_SIZE, dim=0)
        grouped[groups] = latents.replaced(rows.flatten(0, 1), code.name, shared).view_as(rows)
    return grouped.flatten(0, 1)


def rescaled(images: Tensor, value_range: tuple[float, float], wanted: tuple[float, float]) -> Tensor:
    """Images in one range of values → the same in another."""
    (low, high), (own_low, own_high) = value_range, wanted
    return own_low + (images - low) * ((own_high - own_low) / (high - low))


def consensus_matrix(partitions: Sequence[Sequence[np.ndarray]], seed: int) -> np.ndarray:
    """(M, M): how well the categories of run i tell those of run j on the same images, see `partition_agreement`; NaN
    where i and j are no `partners` or the same. Each run: (N,) integers for each of its codes."""
    met = partners(len(partitions), COMPARED_OTHERS, seed)
    table = np.full(met.shape, np.nan)
    pairs = np.argwhere(np.triu(met, 1))
    with progress("consensus", len(pairs)) as advance:
        for i, j in pairs:
            table[i, j], table[j, i] = partition_agreement(partitions[i], partitions[j])
            advance(1)
    return table


def add_label_free(runs: Sequence[Run], data: "ImageDataModule", seed: int, notify: Callable[[str], None]) -> None:
    """Writes what needs real images, but no labels, among the scores: each run's own score, for those that were not
    evaluated, what its groups tell of real images, and the consensus of these. `notify` hears what is done."""
    notify(f"reading real images: {len(runs)} runs")
    partitions = []
    with progress("reading real images", len(runs)) as advance:
        for run in runs:
            trained, latents = run.trained, run.trained.latents
            if "label_free/score" not in run.scores:
                real = encode_split(trained, data, "test", IMAGES, seed)
                run.scores["label_free/score"] = label_free(trained, real, IMAGES, seed)["score"]
            grouping = [code for code in latents.codes if code.groups is not None]
            if grouping:
                read = encode_split(trained, data, "train", IMAGES, seed)
                information = real_information(trained, data, seed, read)
                run.scores["real_information"] = float(np.mean(list(information.values())))
                partitions.append([groups(latents, read.q, code) for code in grouping])
            advance(1)
    if len(runs) > 1 and len(partitions) == len(runs):
        notify(described("consensus:", len(runs), COMPARED_OTHERS, seed))
        add_agreement(runs, "consensus", consensus_matrix(partitions, seed))


def add_agreement(runs: Sequence[Run], name: str, agreement: np.ndarray) -> None:
    """Writes how much each run agrees with the others among its scores; see `centrality`."""
    for run, value in zip(runs, centrality(agreement), strict=True):
        run.scores[name] = float(value)
