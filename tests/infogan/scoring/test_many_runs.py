"""Encoders that agree, and one that is blind."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.scoring.many_runs import Run, add_agreement, agreement_matrix

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


def test_centrality_lands_among_the_scores():
    runs = [Run(None, {}, {}) for _ in "abc"]
    add_agreement(runs, "centrality", np.array([[1, 0.8, 0.6], [0.4, 1, 0.2], [0.6, 0.2, 1]]))
    assert [run.scores["centrality"] for run in runs] == pytest.approx([0.6, 0.4, 0.4])
