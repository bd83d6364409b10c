"""The games against their equations, by hand."""

import math

import pytest
import torch

from infogan.objective.adversarial import (
    GAMES,
    hinge_discriminator,
    hinge_generator,
    relativistic_discriminator,
    relativistic_generator,
)
from infogan.objective.adversarial import non_saturating_discriminator as discriminator_loss
from infogan.objective.adversarial import non_saturating_generator as generator_loss


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_discriminator_loss_by_hand():
    real, fake = [0.3, -1.2, 2.0], [0.7, -0.4]
    expected = -sum(math.log(sigmoid(x)) for x in real) / 3 - sum(math.log(1 - sigmoid(x)) for x in fake) / 2
    assert discriminator_loss(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(expected, rel=1e-5)


def test_generator_loss_by_hand():
    fake = [0.7, -0.4, 3.0]
    expected = -sum(math.log(sigmoid(x)) for x in fake) / 3
    assert generator_loss(torch.tensor(fake)).item() == pytest.approx(expected, rel=1e-5)


def test_undecided_discriminator():
    zeros = torch.zeros(4)
    assert discriminator_loss(zeros, zeros).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(zeros).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(("real", "fake", "loss"), [(1e4, -1e4, 0.0), (-1e4, -1e4, 1e4), (1e4, 1e4, 1e4)])
def test_discriminator_loss_at_extreme_logits(real, fake, loss):
    assert discriminator_loss(torch.tensor([real]), torch.tensor([fake])).item() == pytest.approx(loss)


@pytest.mark.parametrize(("fake", "loss"), [(1e4, 0.0), (-1e4, 1e4)])
def test_generator_loss_at_extreme_logits_keeps_its_gradient(fake, loss):
    logit = torch.tensor([fake], requires_grad=True)
    value = generator_loss(logit)
    value.backward()
    assert value.item() == pytest.approx(loss)
    assert logit.grad.item() == pytest.approx(-1.0 if fake < 0 else 0.0)


def test_losses_are_computed_in_float32():
    logits = torch.tensor([0.1, 2.3]).bfloat16()
    assert generator_loss(logits).dtype == torch.float32
    assert discriminator_loss(logits, logits).dtype == torch.float32
    torch.testing.assert_close(generator_loss(logits), generator_loss(logits.float()))
    for game in GAMES.values():
        generated = game.generator(logits, logits) if game.compares else game.generator(logits)
        assert generated.dtype == game.discriminator(logits, logits).dtype == torch.float32


def test_hinge_by_hand():
    real, fake = [0.3, -1.2, 2.0], [0.7, -0.4, -3.0, 0.1]
    expected = (0.7 + 2.2 + 0.0) / 3 + (1.7 + 0.6 + 0.0 + 1.1) / 4
    assert hinge_discriminator(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(expected)
    assert hinge_generator(torch.tensor(fake)).item() == pytest.approx(-(0.7 - 0.4 - 3.0 + 0.1) / 4)


@pytest.mark.parametrize(
    ("real", "fake", "loss", "slopes"),
    [(0.0, 0.0, 2.0, (-1, 1)), (1.5, -1.5, 0.0, (0, 0)), (0.5, -1.5, 0.5, (-1, 0)), (1.5, -0.5, 0.5, (0, 1)),
     (-3.0, 4.0, 9.0, (-1, 1))],
)  # fmt: skip
def test_hinge_moves_only_what_is_on_the_wrong_side_of_the_margin(real, fake, loss, slopes):
    logits = torch.tensor([real], requires_grad=True), torch.tensor([fake], requires_grad=True)
    value = hinge_discriminator(*logits)
    value.backward()
    assert value.item() == pytest.approx(loss)
    assert tuple(each.grad.item() for each in logits) == slopes


def test_relativistic_by_hand():
    real, fake = [0.3, -1.2, 2.0], [0.7, -0.4, -1.0]
    pairs = [*zip(real, fake, strict=True)]
    of_d = -sum(math.log(sigmoid(r - f)) for r, f in pairs) / 3
    of_g = -sum(math.log(sigmoid(f - r)) for r, f in pairs) / 3
    assert relativistic_discriminator(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(of_d, rel=1e-5)
    assert relativistic_generator(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(of_g, rel=1e-5)
    assert of_g - of_d == pytest.approx(sum(r - f for r, f in pairs) / 3), "ln σ(x) - ln σ(-x) = x"


def test_relativistic_sees_differences_alone_and_pairs_in_their_order():
    real, fake = torch.tensor([0.3, -1.2]), torch.tensor([0.7, 2.0])
    for loss in (relativistic_discriminator, relativistic_generator):
        assert loss(real, real).item() == pytest.approx(math.log(2))
        assert loss(real + 5, fake + 5).item() == pytest.approx(loss(real, fake).item(), rel=1e-5)
        assert loss(real, fake.flip(0)).item() != pytest.approx(loss(real, fake).item(), rel=1e-2)


@pytest.mark.parametrize(("ahead", "of_d", "of_g"), [(1e4, 0.0, 1e4), (-1e4, 1e4, 0.0)])
def test_relativistic_at_extreme_logits_keeps_its_gradient(ahead, of_d, of_g):
    real, fake = torch.tensor([ahead], requires_grad=True), torch.zeros(1)
    assert relativistic_discriminator(real, fake).item() == pytest.approx(of_d)
    value = relativistic_generator(real, fake)
    value.backward()
    assert value.item() == pytest.approx(of_g)
    assert real.grad.item() == pytest.approx(1.0 if ahead > 0 else 0.0)


@pytest.mark.parametrize("name", GAMES)
def test_on_a_linear_discriminator(name):
    """D(x) = w·x: the gradients of D's loss by w, and of G's by the images, in closed form."""
    w = torch.tensor([0.4, -0.3], requires_grad=True)
    x, g = torch.tensor([[1.0, 2.0], [-0.5, 1.0]]), torch.tensor([[0.2, -1.0], [0.3, 0.9]], requires_grad=True)
    game, s = GAMES[name], torch.sigmoid
    game.discriminator(x @ w, g.detach() @ w).backward()
    given, a, b = w.detach(), (x @ w.detach())[:, None], (g.detach() @ w.detach())[:, None]
    made = g.detach()
    of_d = {
        "non_saturating": (-s(-a) * x + s(b) * made).mean(dim=0),
        "hinge": (made - x).mean(dim=0),  # all four lie within the margin
        "relativistic": (-s(b - a) * (x - made)).mean(dim=0),
    }
    torch.testing.assert_close(w.grad, of_d[name])
    logits = g @ given
    (game.generator(x @ given, logits) if game.compares else game.generator(logits)).backward()
    slopes = {"non_saturating": -s(-b), "hinge": -torch.ones(2, 1), "relativistic": -s(a - b)}
    torch.testing.assert_close(g.grad, slopes[name] * given / 2)
