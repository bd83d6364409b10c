"""Consistency: what it asks for, what it draws, and what is refused."""

import math
from types import SimpleNamespace

import pytest
import torch

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.config.regularisers import ConsistencySection
from infogan.errors import ConfigError
from infogan.objective.play import Play
from infogan.objective.regularisers.consistency import Consistency

LATENTS = Latents((Uniform("a", -1.0, 1.0, 1.0), Categorical("b", 2)), 1, "uniform")


def section(**changed):
    values = {"kind": "consistency", "weight": 1.0, "every": 1, "codes": ["b"], "images": 4, "marginals": 1.0,
              "apart": 0.0, "transforms": {}, **changed}  # fmt: skip
    return ConsistencySection(**values)


def by_brightness(sharpness):
    """A discriminator whose Q reads of b whether an image is bright: bright and dark images are its groups."""
    logit = lambda features: sharpness * (features - 0.5)  # noqa: E731
    return SimpleNamespace(
        trunk=lambda images: images.flatten(1).mean(dim=1),
        posterior=lambda features: torch.stack([0 * features, logit(features), -logit(features)], dim=1),
    )


def terms(judge, images, **changed):
    regulariser = Consistency.from_section("same", section(**changed), LATENTS)
    draws = regulariser.draws(0, 0, range(len(images)))
    inputs = {"same/images": images, "same/draws": draws}
    return regulariser.terms(Play(judge, LATENTS, None, None, None, (0.0, 1.0), inputs), 2.0)


def levels(*values):
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 8, 8).clone()


@pytest.mark.parametrize(
    ("sharpness", "images", "information"),
    [
        (1e3, levels(0.0, 0.0, 1.0, 1.0), math.log(2)),
        (1e3, levels(0.0, 0.0, 0.0, 1.0), -0.75 * math.log(0.75) - 0.25 * math.log(0.25)),
        (1e3, levels(0.0, 0.0, 0.0, 0.0), 0.0),
        (0.0, levels(0.0, 0.0, 1.0, 1.0), 0.0),
    ],
    ids=["two even groups", "uneven groups", "one group", "undecided"],
)
def test_information_of_still_views(sharpness, images, information):
    ((name, term),) = terms(by_brightness(sharpness), images).items()
    assert name == "regulariser/same"
    assert term.maximised and term.weight == 2.0 and term.unit == "nats"
    assert term.value.item() == pytest.approx(information, abs=1e-4)


def test_a_group_that_the_transform_changes_tells_nothing():
    """Q reads whether the left half is bright; shifted by half a width, it is bright for some and dark for others."""
    judge = by_brightness(1e3)
    judge.trunk = lambda images: images[..., :4].flatten(1).mean(dim=1)
    images = torch.zeros(400, 1, 8, 8)
    images[::2, ..., :4] = 1
    images[1::2, ..., 4:] = 1
    still, moved = (terms(judge, images, shift=shift)["regulariser/same"].value.item() for shift in (0.0, 0.9))
    assert still == pytest.approx(math.log(2), abs=1e-3)
    assert 0 <= moved < 0.35 * math.log(2)


def test_draws_are_a_function_of_seed_iteration_and_position():
    regulariser = Consistency.from_section("same", section(), LATENTS)
    whole = regulariser.draws(3, 5, range(64))
    assert whole.shape == (64, 5) and 0 <= whole.min() < 0.05 and 0.95 < whole.max() < 1
    assert torch.equal(regulariser.draws(3, 5, range(20, 50)), whole[20:50])
    others = [regulariser.draws(4, 5, range(64)), regulariser.draws(3, 6, range(64))]
    others.append(Consistency.from_section("other", section(), LATENTS).draws(3, 5, range(64)))
    assert all((other != whole).float().mean() > 0.99 for other in others)


@pytest.mark.parametrize(
    ("codes", "code", "message"),
    [
        (LATENTS.codes, "c", r"model\.regularisers\.same\.code=c: can be one of b"),
        (LATENTS.codes, "a", r"model\.regularisers\.same\.code=a: can be one of b"),
        (LATENTS.codes[:1], "a", r"can be none: the model has no code with groups"),
    ],
)
def test_a_code_without_groups_is_refused(codes, code, message):
    with pytest.raises(ConfigError, match=message):
        Consistency.from_section("same", section(code=code), Latents(codes, 1, "uniform"))
