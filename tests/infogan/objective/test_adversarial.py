"""The game against equation (1), by hand."""

import math

import pytest
import torch

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
