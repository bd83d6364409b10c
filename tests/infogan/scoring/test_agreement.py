"""Encoders that agree, and one that is blind; who meets whom; that images are not kept."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.scoring.agreement import add_agreement, agreement_matrix, consensus_matrix, described, partners
from infogan.scoring.many_runs import Run

CODES = tuple(Uniform(name, low=-1.0, high=1.0, sigma=1.0) for name in ("c1", "c2"))
LATENTS = Latents(CODES, 3, "uniform")


class Pixels(nn.Module):
    """An image whose first two pixels are the codes, in the range of (low, high)."""

    image_shape = (1, 2, 2)

    def __init__(self, low, high):
        super().__init__()
        self.low, self.scale = low, nn.Parameter(torch.tensor((high - low) / 2))

    def forward(self, latent):
        return (self.low + (latent[:, :4] + 1) * self.scale).view(-1, 1, 2, 2)


class Reading(nn.Module):
    """Q's output: the pixels at `places`, as far as they are above `floor`."""

    def __init__(self, places, floor):
        super().__init__()
        self.places, self.floor = places, nn.Parameter(torch.tensor(floor))

    def forward(self, images):
        return images, torch.relu(images.flatten(1)[:, self.places] - self.floor)


def model(name, places, value_range=(-1.0, 1.0), floor=None):
    low, high = value_range
    return SimpleNamespace(
        folder=SimpleNamespace(name=name),
        latents=LATENTS,
        generator=Pixels(low, high),
        discriminator=Reading(places, low if floor is None else floor),
        value_range=value_range,
    )


def test_encoders_that_agree():
    """Reading the codes in another order, or images in another range, is agreement; reading the noise is none."""
    models = [
        model("a", [0, 1]),
        model("swapped", [1, 0]),
        model("other range", [0, 1], value_range=(0.0, 1.0)),
        model("noise", [2, 3]),
    ]
    heard = []
    table = agreement_matrix([Run(m, {}, {}) for m in models], seed=0, notify=heard.append)
    assert len(heard) == 4
    assert (table[:3] == 1).all()
    assert ((table[3] >= 0.5) & (table[3] < 0.65)).all(), "in-sample, chance is a little above one half"
    saturated = [Run(model("a", [0, 1]), {}, {}), Run(model("b", [0, 1], (0.0, 1.0), floor=1.0), {}, {})]
    assert agreement_matrix(saturated, seed=0, notify=heard.append)[1].tolist() == [0, 0], "a reading that never varies"


def test_centrality_lands_among_the_scores():
    runs = [Run(None, {}, {}) for _ in "abc"]
    add_agreement(runs, "centrality", np.array([[1, 0.8, 0.6], [0.4, 1, 0.2], [0.6, 0.2, 1]]))
    assert [run.scores["centrality"] for run in runs] == pytest.approx([0.6, 0.4, 0.4])


class Watched(Pixels):
    """Keeps no image, and knows how many are alive and how many were made at a time."""

    def __init__(self, low, high):
        super().__init__(low, high)
        self.alive, self.most_alive, self.made = 0, 0, 0

    def forward(self, latent):
        images = super().forward(latent)
        self.alive += len(images)
        self.made += len(images)
        self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(images, self.gone, len(images))
        return images

    def gone(self, count):
        self.alive -= count


def test_images_are_made_once_and_not_kept(monkeypatch):
    """At most two batches of float32 images live at a time, whatever the number of groups and of encoders."""
    monkeypatch.setattr("infogan.scoring.agreement.BATCH_SIZE", 100)
    models = [model(name, [0, 1], (0.0, 1.0) if name == "b" else (-1.0, 1.0)) for name in "abc"]
    for each in models:
        each.generator = Watched(*each.value_range)
    assert (agreement_matrix([Run(m, {}, {}) for m in models], seed=0, notify=lambda line: None) == 1).all()
    for each in models:
        assert each.generator.made == 500 * 100
        assert each.generator.most_alive <= 200


def test_few_runs_all_meet_and_of_many_a_sample():
    assert partners(5, 4, seed=0).all()
    met = partners(30, 4, seed=0)
    assert (met == met.T).all()
    assert met.diagonal().all()
    assert (met.sum(axis=1) == 5).all()
    assert (met == partners(30, 4, seed=0)).all()
    assert (met != partners(30, 4, seed=1)).any()
    assert described("all:", 5, 4, 0) == "all: all 5 runs with each other"
    assert described("some:", 6, 4, 7) == "some: each of 6 runs with itself and 4 others, drawn by seed 7"


def test_pairs_that_do_not_meet_cost_nothing(monkeypatch):
    monkeypatch.setattr("infogan.scoring.agreement.READ_OTHERS", 2)
    monkeypatch.setattr("infogan.scoring.agreement.COMPARED_OTHERS", 2)
    monkeypatch.setattr("infogan.scoring.agreement.GROUPS", 20)
    models = [model(name, [0, 1]) for name in "abcdef"]
    runs = [Run(m, {}, {}) for m in models]
    table = agreement_matrix(runs, seed=0, notify=lambda line: None)
    met = partners(6, 2, seed=0)
    assert (np.isnan(table) == ~met).all()
    add_agreement(runs, "centrality", table)
    assert [run.scores["centrality"] for run in runs] == [1] * 6
    same = np.arange(30) % 3
    consensus = consensus_matrix([[same]] * 6, seed=0)
    assert consensus[met & ~np.eye(6, dtype=bool)] == pytest.approx(1)
    assert np.isnan(consensus[~met]).all()
