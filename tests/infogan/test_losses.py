import math

import pytest
import torch

from infogan.codes.categorical import Categorical
from infogan.codes.uniform import Uniform
from infogan.objective.adversarial import discriminator_loss, generator_loss
from infogan.objective.information import information_bound, weighted_information


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


@pytest.mark.parametrize(("confidence", "bound"), [(100.0, math.log(10)), (0.0, 0.0)], ids=["perfect", "uniform"])
def test_information_of_a_categorical_code(confidence, bound):
    code = Categorical("c", 10, 1.0, 1.0)
    likelihood = code.log_likelihood(torch.eye(10), confidence * torch.eye(10))
    assert information_bound(likelihood, code.entropy).item() == pytest.approx(bound, abs=1e-5)


def test_information_at_width_1_cannot_pass_its_ceiling():
    code, values = Uniform("c", -1.0, 1.0, 1.0, 1.0, 1.0), torch.linspace(-1, 1, 9)[:, None]
    perfect = information_bound(code.log_likelihood(values, values), code.entropy).item()
    assert perfect == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi), abs=1e-6)
    assert perfect == pytest.approx(-0.226, abs=5e-4)
    assert information_bound(code.log_likelihood(values, values + 0.5), code.entropy).item() == pytest.approx(
        perfect - 0.125, abs=1e-6
    )


def test_information_is_a_mean_over_the_batch():
    assert information_bound(torch.tensor([-1.0, -3.0, -5.0]), 2.0).item() == pytest.approx(-1.0)


def test_weighted_information_by_hand():
    information = {"a": torch.tensor(2.0), "b": torch.tensor(-0.5), "c": torch.tensor(7.0)}
    weighted = weighted_information(information, {"a": 0.1, "b": 3.0, "c": 0.0})
    assert weighted.shape == ()
    assert weighted.item() == pytest.approx(0.2 - 1.5)


def test_a_code_of_weight_0_takes_no_part():
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(math.nan, requires_grad=True)
    value = weighted_information({"a": a, "b": b}, {"a": 0.5, "b": 0.0})
    value.backward()
    assert value.item() == 1.0
    assert a.grad.item() == 0.5
    assert b.grad is None


def test_no_weights_at_all_give_a_zero_without_a_graph():
    value = weighted_information({"a": torch.tensor(2.0, requires_grad=True)}, {"a": 0.0})
    assert value.item() == 0
    assert not value.requires_grad


def test_raising_the_true_class_raises_information():
    code = Categorical("c", 3, 1.0, 1.0)
    q = torch.zeros(1, 3, requires_grad=True)
    information_bound(code.log_likelihood(torch.tensor([[0.0, 1.0, 0.0]]), q), code.entropy).backward()
    assert q.grad[0].tolist() == pytest.approx([-1 / 3, 2 / 3, -1 / 3])


def test_moving_the_mean_to_the_code_raises_information():
    code = Uniform("c", -1.0, 1.0, 2.0, 1.0, 1.0)
    q = torch.tensor([[0.1]], requires_grad=True)
    information_bound(code.log_likelihood(torch.tensor([[0.9]]), q), code.entropy).backward()
    assert q.grad.item() == pytest.approx(0.8 / 4)
