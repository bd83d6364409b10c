"""Rankings, correlations and spreads by hand; encoders that agree, and one that is blind."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.scoring.many_runs import Run, add_agreement, agreement_matrix
from infogan.scoring.ranking import choices, correlations, ranked, spread

CODES = tuple(Uniform(name, low=-1.0, high=1.0, sigma=1.0) for name in ("c1", "c2"))
LATENTS = Latents(CODES, 3, "uniform")


class Pixels(nn.Module):
    """An image whose first two pixels are the codes, in the range of (low, high)."""

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
    told = []
    table = agreement_matrix([Run(m, {}, {}) for m in models], seed=0, notify=told.append)
    assert len(told) == 4
    assert (table[:3] == 1).all()
    assert ((table[3] >= 0.5) & (table[3] < 0.65)).all(), "in-sample, chance is a little above one half"
    saturated = [Run(model("a", [0, 1]), {}, {}), Run(model("b", [0, 1], (0.0, 1.0), floor=1.0), {}, {})]
    assert agreement_matrix(saturated, seed=0, notify=told.append)[1].tolist() == [0, 0], "a reading that never varies"


def fake(name, seed, settings, **scores):
    return Run(SimpleNamespace(folder=SimpleNamespace(name=name), config=SimpleNamespace(seed=seed)), settings, scores)


RUNS = [
    fake("a", 0, {"model.lambda_categorical": 1.0}, centrality=0.3, acc=0.9, nmi=0.5, **{"label_free/score": 0.2}),
    fake("b", 1, {"model.lambda_categorical": 1.0}, centrality=0.2, acc=0.8, nmi=0.5, **{"label_free/score": 0.9}),
    fake("c", 0, {"model.lambda_categorical": 0.0}, centrality=0.1, acc=0.7, nmi=0.5, **{"label_free/score": 0.4}),
]


def test_ranked():
    assert [run.name for run in ranked(RUNS)[0]] == ["a", "b", "c"]
    assert ranked(RUNS)[1] == "centrality"
    two, criterion = ranked(RUNS[:2])
    assert ([run.name for run in two], criterion) == (["b", "a"], "label_free/score")
    assert ranked([*RUNS[:2], fake("z", 0, {})])[1] is None, "no score that all of them have"
    more = [
        fake(name, 0, {}, consensus=value, centrality=-value) for name, value in (("x", 0.1), ("y", 0.3), ("z", 0.2))
    ]
    assert [run.name for run in ranked(more)[0]] == ["y", "z", "x"]
    assert {name: run.name for name, run in choices(more).items()} == {"consensus": "y", "centrality": "x"}


def test_correlations():
    """Of three ranks each, 1 - 6 Σd² / 24."""
    found = correlations(RUNS)
    assert found["centrality"]["acc"] == pytest.approx(1)
    ranks = np.array([3, 2, 1]), np.array([1, 3, 2])
    by_hand = 1 - 6 * np.square(ranks[0] - ranks[1]).sum() / (3 * 8)
    assert found["label_free/score"]["acc"] == pytest.approx(by_hand) == pytest.approx(-0.5)
    assert set(found) == {"centrality", "label_free/score"}
    assert all(set(row) == {"acc"} for row in found.values()), "nmi is the same for all: no ranks"


def test_spread():
    first, second = spread(RUNS)
    assert (first["seeds"], second["seeds"]) == ([0, 1], [0])
    assert first["settings"] == {"model.lambda_categorical": 1.0}
    assert first["scores"]["acc"] == {"median": pytest.approx(0.85), "low": 0.8, "high": 0.9}


def test_centrality_lands_among_the_scores():
    runs = [fake(name, 0, {}) for name in "abc"]
    add_agreement(runs, "centrality", np.array([[1, 0.8, 0.6], [0.4, 1, 0.2], [0.6, 0.2, 1]]))
    assert [run.scores["centrality"] for run in runs] == pytest.approx([0.6, 0.4, 0.4])
