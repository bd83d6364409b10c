"""Does the noise do anything? Of models that paint a level for the category, and one for the noise."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.datamodules.store import LabelledImages
from infogan.scoring import diversity as module
from infogan.scoring.diversity import diversity, within

CODES = (Categorical("c1", 4), Uniform("c2", -1.0, 1.0, 1.0))


class Level(nn.Module):
    """Q: the category is the nearest of four levels, 0.2 to 0.8."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        category = ((images.mean(dim=(1, 2, 3)) - 0.2) / 0.2).round().long().clamp(0, 3)
        return images, torch.cat([30 * nn.functional.one_hot(category, 4).float(), torch.zeros(len(images), 1)], dim=1)


def levels(category, offset):
    return (255 * (0.2 * category + 0.2 + offset)).round().astype(np.uint8)


def model(spread, codes=CODES, noise=1):
    latents = Latents(codes, noise, "uniform")

    def images(rows):
        category = rows[:, :4].argmax(dim=1).numpy() if codes == CODES else 1.5
        level = levels(category, spread * rows[:, -1].numpy() if noise else 0.0)
        return np.broadcast_to(level[:, None, None, None], (len(rows), 8, 8, 1)).copy()

    return SimpleNamespace(latents=latents, images=images, discriminator=Level())


@pytest.fixture
def data(monkeypatch):
    """Real images of the four levels ± 0.08."""
    monkeypatch.setattr(module, "PAIRS", 1500)
    random = np.random.default_rng(0)
    level = levels(random.integers(4, size=1500), 0.08 * random.uniform(-1, 1, size=1500))
    images = torch.from_numpy(level).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    return SimpleNamespace(split=lambda split: LabelledImages(images), value_range=(0.0, 1.0))


@pytest.mark.parametrize(("spread", "share"), [(0.08, 1.0), (0.04, 0.5), (0.008, 0.1), (0.0, 0.0), (0.12, 1.5)])
def test_the_share_of_real_diversity(data, spread, share):
    """Two numbers of U(-s, s) are apart by 2 s / 3 in the mean."""
    found = diversity(model(spread), data, None, 0)
    assert list(found) == ["pixels"] and list(found["pixels"]) == ["c1"]
    scores = found["pixels"]["c1"]
    assert scores["real"] == pytest.approx(2 * 0.08 / 3, rel=0.06)
    assert scores["generated"] == pytest.approx(2 * spread / 3, rel=0.06, abs=1e-3)
    assert scores["share"] == pytest.approx(share, rel=0.08, abs=0.005)
    assert diversity(model(spread), data, None, 0) == found, "a function of the seed"


def test_without_categories_all_real_images_are_the_measure(data):
    scores = diversity(model(0.08, CODES[1:]), data, None, 0)["pixels"]
    assert list(scores) == ["all"]
    assert scores["all"]["real"] > 0.2, "over the levels: 0.25 and more"
    assert scores["all"]["share"] == pytest.approx((2 * 0.08 / 3) / scores["all"]["real"], rel=0.06)


def test_a_model_without_noise(data):
    assert diversity(model(0.0, noise=0), data, None, 0) == "the model draws no noise"


def test_real_images_that_are_all_one(data):
    one = SimpleNamespace(split=lambda split: LabelledImages(torch.full((50, 1, 8, 8), 51, dtype=torch.uint8)),
                          value_range=(0.0, 1.0))  # fmt: skip
    assert diversity(model(0.1), one, None, 0) == "Q gives no category to two real images that differ"


def test_features_of_an_extractor(data):
    """The mean of the squares of two features, x and 0: √½ of the distance."""

    class Extractor(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, images):
            x = images.float().mean(dim=(1, 2, 3)) / 255
            return torch.stack([x, 0 * x], dim=1)

    found = diversity(model(0.04), data, Extractor(), 0)
    for kind in ("generated", "real"):
        assert found["features"]["c1"][kind] == pytest.approx(found["pixels"]["c1"][kind] / math.sqrt(2), rel=1e-4)
    assert found["features"]["c1"]["share"] == pytest.approx(0.5, rel=0.08)


def test_means_over_groups_by_hand():
    """Group 0: 1 beside 4, group 1: 3 beside 2; of 2 there is but one point, of 3 no pair."""
    distances, of_pairs = np.array([1.0, 1.0, 2.0, 4.0, 9.0, 9.0]), np.array([0, 0, 1, 1, 2, 2])
    points = np.array([[0.0], [4.0], [1.0], [3.0], [7.0], [5.0], [9.0]])
    found = within(distances, of_pairs, points, np.array([0, 0, 1, 1, 2, 3, 3]))
    assert found == {"generated": 2.0, "real": 3.0, "share": (1 / 4 + 3 / 2) / 2}
    assert within(distances, of_pairs, points, np.array([5] * 7)) is None
