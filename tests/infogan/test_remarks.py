"""What the report says of the images in sentences."""

import math

import pytest

from infogan.config.check import check
from infogan.pages.remarks import WHAT_TO_TRY, remarks
from infogan.run_folder.evaluation import Evaluation


@pytest.fixture
def config(compose_values):
    return check(compose_values())


def evaluation(shares, noise=None):
    """c1 read in full, c2 and c3 with the L_I that σ = 1 allows; what can be seen of each, and shares of the noise."""
    bounds = {"c1": math.log(10), "c2": -0.2258, "c3": -0.2258}
    information = {
        name: {"entropy": 1.0, "eval": {"mean": bounds[name]}, "visible": 0.0, "visible_share": share}
        for name, share in shares.items()
    }
    found = {"iterations": 3, "information": information}
    if noise is not None:
        parts = {
            kind: {name: {"generated": share, "real": 1.0, "share": share} for name, share in of.items()}
            for kind, of in noise.items()
        }
        found["diversity"] = parts
    return Evaluation.model_validate(found)


def test_codes_that_are_drawn(config):
    """Each read in full: the mean of .97, .94 and .88."""
    assert remarks(config, evaluation({"c1": 0.97, "c2": 0.94, "c3": 0.88})) == [
        "From images in 8 bits and lightly blurred Q still reads 93 % of the information, of c3 least, 88 %."
    ]


def test_codes_that_are_hidden_are_named_with_what_to_try(config):
    (said,) = remarks(config, evaluation({"c1": 0.31, "c2": 0.81, "c3": 0.79}))
    assert said.endswith(f"What is lost of c1, c3 was hidden in the image and not drawn: {WHAT_TO_TRY}.")
    assert "learning rate" not in said and "model.balance=1" in said


def test_codes_that_are_not_read_have_nothing_to_say(config):
    assert remarks(config, evaluation({"c1": None})) == []
    assert remarks(config, evaluation({"c1": 0.9, "c2": None})) == [
        "From images in 8 bits and lightly blurred Q still reads 90 % of the information."
    ]


@pytest.mark.parametrize(
    ("noise", "nothing"),
    [
        ({"pixels": {"c1": 0.8}}, False),
        ({"pixels": {"c1": 0.11}}, False),
        ({"pixels": {"c1": 0.09}}, True),
        ({"pixels": {"c1": 0.04}, "features": {"c1": 0.2}}, False),
        ({"pixels": {"c1": 0.04, "c2": 0.05}, "features": {"c1": 0.02, "c2": 0.01}}, True),
    ],
)
def test_noise_that_does_nothing_is_named(config, noise, nothing):
    (said,) = remarks(config, evaluation({}, noise))
    assert said.endswith(f"The noise does nothing: {WHAT_TO_TRY}.") == nothing
    assert f"in pixels {100 * noise['pixels']['c1']:.0f} % (c1)" in said
    assert ("in features" in said) == ("features" in noise)


def test_what_was_not_measured_is_not_mentioned(config):
    assert remarks(config, None) == []
    without = Evaluation.model_validate({"iterations": 3, "diversity": "the model draws no noise", "information": "no"})
    assert remarks(config, without) == []
    assert remarks(config, Evaluation.model_validate({"iterations": 3})) == []
