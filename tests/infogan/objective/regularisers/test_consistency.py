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
from infogan.objective.terms import loss

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
    ("sharpness", "images", "information", "rarest"),
    [
        (1e3, levels(0.0, 0.0, 1.0, 1.0), math.log(2), 1.0),
        (1e3, levels(0.0, 0.0, 0.0, 1.0), -0.75 * math.log(0.75) - 0.25 * math.log(0.25), 0.5),
        (1e3, levels(0.0, 0.0, 0.0, 0.0), 0.0, 0.0),
        (0.0, levels(0.0, 0.0, 1.0, 1.0), 0.0, 1.0),
    ],
    ids=["two even groups", "uneven groups", "one group", "undecided"],
)
def test_information_of_still_views(sharpness, images, information, rarest):
    found = terms(by_brightness(sharpness), images)
    assert [*found] == [f"regulariser/same/b/{name}" for name in ("information", "agreement", "rarest")]
    term = found["regulariser/same/b/information"]
    assert term.maximised and term.weight == 2.0 and term.unit == "nats"
    assert term.value.item() == pytest.approx(information, abs=1e-4)
    assert found["regulariser/same/b/agreement"].value.item() == 1.0
    assert found["regulariser/same/b/rarest"].value.item() == pytest.approx(rarest, abs=1e-4)
    assert all(found[f"regulariser/same/b/{name}"].is_off for name in ("agreement", "rarest"))


def test_marginals_weigh_the_entropies_of_both_views():
    """I + 0.5 (H(P_i) + H(P_j)) at 1.5: a quarter bright and three quarters dark."""
    images = levels(0.0, 0.0, 0.0, 1.0)
    found = terms(by_brightness(1e3), images, marginals=1.5)
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert (-loss(found)).item() == pytest.approx(2.0 * (entropy + 0.5 * 2 * entropy), abs=1e-3)


def test_without_further_images_the_games_own_are_read_once():
    images, reads = levels(0.0, 0.0, 1.0, 1.0), []
    judge = by_brightness(1e3)
    features = judge.trunk
    judge.trunk = lambda x: reads.append(x) or features(x)
    regulariser = Consistency.from_section("same", section(images=0), LATENTS)
    play = Play(judge, LATENTS, None, images, None, (0.0, 1.0), {"same/draws": regulariser.draws(0, 0, range(4))})
    assert play.real_features.shape == (4,)
    found = regulariser.terms(play, 1.0)
    assert found["regulariser/same/b/information"].value.item() == pytest.approx(math.log(2), abs=1e-4)
    assert len(reads) == 2, "once as they are, for the game too, and once transformed"


TWO = Latents((Categorical("a", 2), Categorical("b", 2)), 1, "uniform")


@pytest.mark.parametrize(
    ("second", "shared"),
    [(lambda left, right: left, math.log(2)), (lambda left, right: right, 0.0)],
    ids=["the same groups", "independent groups"],
)
def test_two_codes_pay_for_what_they_share(second, shared):
    """a reads the left half, b the left or the right one; all four combinations are equally frequent."""
    images = torch.zeros(4, 1, 8, 8)
    images[2:, ..., :4] = 1
    images[1::2, ..., 4:] = 1
    halves = lambda x: torch.stack([x[..., :4].flatten(1).mean(1), x[..., 4:].flatten(1).mean(1)], dim=1)  # noqa: E731

    def posterior(features):
        logits = 1e3 * (features - 0.5)
        a, b = logits[:, 0], second(*logits.unbind(dim=1))
        return torch.stack([a, -a, b, -b], dim=1)

    judge = SimpleNamespace(trunk=halves, posterior=posterior)
    regulariser = Consistency.from_section("same", section(codes=["a", "b"], apart=3.0), TWO)
    inputs = {"same/images": images, "same/draws": regulariser.draws(0, 0, range(4))}
    found = regulariser.terms(Play(judge, TWO, None, None, None, (0.0, 1.0), inputs), 2.0)
    pair = found["regulariser/same/a_b/shared"]
    assert pair.value.item() == pytest.approx(shared, abs=1e-4)
    assert pair.weight == 6.0 and not pair.maximised


def test_a_group_that_the_transform_changes_tells_nothing():
    """Q reads whether the left half is bright; shifted by half a width, it is bright for some and dark for others."""
    judge = by_brightness(1e3)
    judge.trunk = lambda images: images[..., :4].flatten(1).mean(dim=1)
    images = torch.zeros(400, 1, 8, 8)
    images[::2, ..., :4] = 1
    images[1::2, ..., 4:] = 1
    found = [terms(judge, images, transforms={"shift": shift}) for shift in (0.001, 0.9)]
    still, moved = (each["regulariser/same/b/information"].value.item() for each in found)
    assert still == pytest.approx(math.log(2), abs=1e-3)
    assert 0 <= moved < 0.35 * math.log(2)
    assert found[0]["regulariser/same/b/agreement"].value.item() == 1.0
    assert 0.4 < found[1]["regulariser/same/b/agreement"].value.item() < 0.9


def test_draws_are_a_function_of_seed_iteration_and_position():
    regulariser = Consistency.from_section("same", section(transforms={"rotation": 10.0}), LATENTS)
    whole = regulariser.draws(3, 5, range(64))
    assert whole.shape == (64, 5) and 0 <= whole.min() < 0.05 and 0.95 < whole.max() < 1
    assert torch.equal(regulariser.draws(3, 5, range(20, 50)), whole[20:50])
    others = [regulariser.draws(4, 5, range(64)), regulariser.draws(3, 6, range(64))]
    other = section(transforms={"rotation": 10.0})
    others.append(Consistency.from_section("other", other, LATENTS).draws(3, 5, range(64)))
    assert all((other != whole).float().mean() > 0.99 for other in others)


@pytest.mark.parametrize(
    ("codes", "chosen", "message"),
    [
        (LATENTS.codes, ["c"], r"model\.regularisers\.same\.codes=\['c'\]: can be of b, each once"),
        (LATENTS.codes, ["b", "a"], r"model\.regularisers\.same\.codes=\['b', 'a'\]: can be of b, each once"),
        (LATENTS.codes, ["b", "b"], r"model\.regularisers\.same\.codes=\['b', 'b'\]: can be of b, each once"),
        (LATENTS.codes[:1], ["a"], r"can be none: the model has no code with groups"),
    ],
)
def test_a_code_without_groups_is_refused(codes, chosen, message):
    with pytest.raises(ConfigError, match=message):
        Consistency.from_section("same", section(codes=chosen), Latents(codes, 1, "uniform"))
