"""What categories tell of real images, of models that read one thing."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.datamodules.store import LabelledImages
from infogan.scoring.label_free import real_information
from infogan.scoring.real_images import encode_split

CODES = (Categorical("c1", classes=4), Uniform("c2", low=-1.0, high=1.0, sigma=1.0))


class Reading(nn.Module):
    """Q's output: category k of c1, of logit `sure`, where `what` of an image gives the number k."""

    def __init__(self, what, sure=30.0):
        super().__init__()
        self.what, self.sure = what, nn.Parameter(torch.tensor(sure))

    def forward(self, images):
        category = self.what(images).round().long().clamp(0, 3)
        q = torch.cat([nn.functional.one_hot(category, 4).float(), torch.zeros(len(images), 1)], dim=1)
        return images, self.sure * q


def model(what, codes=CODES, sure=30.0):
    return SimpleNamespace(latents=Latents(codes, 3, "uniform"), discriminator=Reading(what, sure))


def data_of(images):
    return SimpleNamespace(split=lambda split: LabelledImages(images), value_range=(0.0, 1.0))


LEVELS = torch.arange(400).div(100, rounding_mode="floor").mul(85).to(torch.uint8)
GRAYS = data_of(LEVELS.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous())
"""Four shades, sorted: no transform changes them."""


def level(images):
    return 3 * images.mean(dim=(1, 2, 3))


def test_categories_that_transforms_leave_alone_tell_all(monkeypatch):
    assert real_information(model(level), GRAYS, 0) == {"c1": pytest.approx(math.log(4), abs=1e-5)}
    monkeypatch.setattr("infogan.scoring.label_free.IMAGES", 100)
    assert real_information(model(level), GRAYS, 0)["c1"] > math.log(4) - 0.1, "drawn over the sorted set"


def test_categories_that_are_always_the_same_or_unsure_tell_nothing():
    always = model(lambda images: torch.ones(len(images)))
    assert real_information(always, GRAYS, 0)["c1"] == pytest.approx(0, abs=1e-5)
    assert real_information(model(level, sure=0.0), GRAYS, 0)["c1"] == pytest.approx(0, abs=1e-5)
    assert real_information(model(level, CODES[1:]), GRAYS, 0) == {}


def test_categories_that_follow_what_transforms_change_tell_little():
    noise = torch.randint(0, 256, (1000, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    pixel = model(lambda images: 3.999 * images[:, 0, 0, 0] - 0.5)
    found = real_information(pixel, data_of(noise), 0)["c1"]
    assert 0 < found < 0.6
    assert real_information(pixel, data_of(noise), 0)["c1"] == found, "a function of the seed"
    assert real_information(pixel, data_of(noise), 1)["c1"] != found


def test_images_that_were_read_are_not_read_again():
    trained = model(level)
    read = encode_split(trained, GRAYS, "train", 10_000, 0)
    seen = []
    trained.discriminator.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    assert real_information(trained, GRAYS, 0, read) == {"c1": pytest.approx(math.log(4), abs=1e-5)}
    assert sum(seen) == 400, "their transforms alone"
