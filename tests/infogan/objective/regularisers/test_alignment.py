"""Alignment: cosines and moments by hand, and which way an angle is moved."""

import math
from types import SimpleNamespace

import pytest
import torch

from infogan.codes.categorical import Categorical
from infogan.codes.circular import Circular
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.config.check import check_section
from infogan.config.regularisers import AlignmentSection
from infogan.errors import ConfigError
from infogan.objective.play import Play
from infogan.objective.regularisers.alignment import Alignment, moments
from infogan.objective.terms import loss
from infogan.objective.transforms import transformed

LATENTS = Latents((Categorical("a", 2), Circular("b", 10.0), Uniform("c", -1.0, 3.0, 1.0)), 1, "uniform")
DEGREES = torch.tensor([10.0, 80.0, 160.0, -70.0, -140.0])


def section(**changed):
    values = {"kind": "alignment", "weight": 1.0, "every": 1, "code": "b", "mirrored": True, "transforms": {}}
    return check_section(values | changed, AlignmentSection)


def images():
    """Each says its own angle on its left edge, 0.5 being 0°, and that of its mirror image on the right one."""
    pixels = torch.zeros(len(DEGREES), 1, 8, 8)
    pixels[..., 0], pixels[..., 7] = (DEGREES / 720 + 0.5)[:, None, None], (-DEGREES / 720 + 0.5)[:, None, None]
    return pixels


def reads(off=0.0, times=1.0, by=3.0):
    """A discriminator whose Q reads of b the angle that the left edge says, times a factor, `off` degrees away, and of
    c the number that stands for it."""

    def posterior(features):
        degrees = times * 720 * (features - 0.5) + off
        angle = torch.deg2rad(degrees)
        nothing = 0 * features
        return torch.stack([nothing, nothing, by * angle.cos(), by * angle.sin(), 1 + 2 * degrees / 180], dim=1)

    return SimpleNamespace(trunk=lambda pixels: pixels[..., 0].flatten(1).mean(dim=1), posterior=posterior)


def terms(judge, weight=2.0, pixels=None, **changed):
    regulariser = Alignment.from_section("same", section(**changed), LATENTS)
    pixels = images() if pixels is None else pixels
    draws = regulariser.draws(0, 0, range(len(pixels)))
    inputs = {} if draws is None else {"same/draws": draws}
    return regulariser.terms(Play(judge, LATENTS, None, pixels, None, (0.0, 1.0), inputs), weight)


@pytest.mark.parametrize("off", [0.0, 25.0, 90.0, -130.0])
@pytest.mark.parametrize("code", ["b", "c"])
def test_a_mirror_image_has_the_opposite_angle(code, off):
    """θ(x) = t + off and θ(mirror x) = -t + off: their sum is 2 off, whatever t."""
    found = terms(reads(off), code=code)
    assert list(found) == [f"regulariser/same/{code}", f"regulariser/same/{code}/moments"]
    aligned, spread = found.values()
    assert aligned.value.item() == pytest.approx(math.cos(math.radians(2 * off)), abs=1e-4)
    assert aligned.maximised and not spread.maximised
    assert [(term.weight, term.unit) for term in found.values()] == [(2.0, "1")] * 2


def test_the_moments_of_images_and_mirror_images():
    """Of t and -t the sines cancel: what is left are the mean cosines of t and of 2t."""
    angle = torch.deg2rad(DEGREES.double())
    expected = angle.cos().mean() ** 2 + (2 * angle).cos().mean() ** 2
    assert terms(reads())["regulariser/same/b/moments"].value.item() == pytest.approx(expected.item(), abs=1e-5)
    assert terms(reads(times=0.0, off=40.0))["regulariser/same/b/moments"].value.item() == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ([0.0, 90.0, 180.0, 270.0], [0, 0, 0, 0]),
        ([30.0, 210.0], [0, math.cos(math.radians(60)), 0, math.sin(math.radians(60))]),
        ([-90.0], [0, -1, -1, 0]),
    ],
    ids=["even", "a half turn apart", "one"],
)
def test_moments_by_hand(degrees, expected):
    assert moments(torch.deg2rad(torch.tensor(degrees))).tolist() == pytest.approx(expected, abs=1e-6)


def test_a_transform_that_leaves_the_angle_alone():
    """Brighter by s, each reads an angle 720° s further on: cos of the difference, whose sign does not matter."""
    asked = {"mirrored": False, "transforms": {"brightness": 0.05}}
    u = Alignment.from_section("same", section(**asked), LATENTS).draws(0, 0, range(5))
    assert u.shape == (5, 1)
    bright = images() * 0.5 + 0.25  # far from the ends of the range
    moved = transformed(bright, u, section(**asked).transforms, (0.0, 1.0)) - bright
    expected = torch.deg2rad(720 * moved[:, 0, 0, 0]).cos().mean().item()
    found = terms(reads(), pixels=bright, **asked)
    assert found["regulariser/same/b"].value.item() == pytest.approx(expected, abs=1e-4)
    assert 0.5 < expected < 0.99
    still = terms(reads(), pixels=bright, mirrored=False, transforms={"brightness": 1e-6})
    assert still["regulariser/same/b"].value.item() == pytest.approx(1, abs=1e-4)


def test_descent_turns_towards_the_mirror_image_and_spreads():
    """The loss of an angle that is off by φ, at moments of E cos, E cos 2t = a, b: -cos 2φ + a² + b² whatever φ; so
    φ = 30° is made smaller, with the slope 2 sin 60° a radian."""
    off = torch.tensor(30.0, requires_grad=True)
    loss(terms(reads(off), weight=1.0)).backward()
    assert off.grad.item() * 180 / math.pi == pytest.approx(2 * math.sin(math.radians(60)), rel=1e-3)
    times = torch.tensor(0.3, requires_grad=True)
    loss(terms(reads(times=times), weight=1.0)).backward()
    assert times.grad.item() < -0.1, "0.3 of each angle crowds them around 0°"


def test_the_games_images_are_read_once_and_nothing_is_drawn():
    judge, read = reads(), []
    features = judge.trunk
    judge.trunk = lambda pixels: read.append(pixels) or features(pixels)
    pixels = images()
    regulariser = Alignment.from_section("same", section(), LATENTS)
    assert regulariser.draws(0, 0, range(5)) is None
    play = Play(judge, LATENTS, None, pixels, None, (0.0, 1.0))
    assert play.real_features.shape == (5,)
    regulariser.terms(play, 1.0)
    assert len(read) == 2 and read[0] is pixels and torch.equal(read[1], pixels.flip(3))


def test_an_angle_without_a_direction_has_a_gradient_that_is_a_number():
    by = torch.tensor(0.0, requires_grad=True)
    loss(terms(reads(by=by))).backward()
    assert math.isfinite(by.grad.item())


@pytest.mark.parametrize(
    ("latents", "code", "message"),
    [
        (LATENTS, "a", r"model\.regularisers\.same\.code=a: can be b, c; ~model\.regularisers\.same leaves it out"),
        (LATENTS, "d", r"model\.regularisers\.same\.code=d: can be b, c; "),
        (Latents(LATENTS.codes[:1], 1, "uniform"), "a", r"can be none: the model has no code that is an angle"),
    ],
)
def test_a_code_that_is_no_angle_is_refused(latents, code, message):
    with pytest.raises(ConfigError, match=message):
        Alignment.from_section("same", section(code=code), latents)


def test_what_changes_nothing_is_refused():
    with pytest.raises(ConfigError, match="transforms: none is asked for, and the image is not mirrored either"):
        section(mirrored=False)
