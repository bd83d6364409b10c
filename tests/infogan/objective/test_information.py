"""The bound against the distributions that it is of, and the information of partitions against joints made by hand."""

import math

import pytest
import torch

from infogan.codes.categorical import Categorical
from infogan.codes.uniform import Uniform
from infogan.objective.information import information_bound, information_of_joint, joint_of_pairs


@pytest.mark.parametrize(("confidence", "bound"), [(100.0, math.log(10)), (0.0, 0.0)], ids=["perfect", "uniform"])
def test_information_of_a_categorical_code(confidence, bound):
    code = Categorical("c", 10)
    likelihood = code.log_likelihood(torch.eye(10), confidence * torch.eye(10))
    assert information_bound(likelihood, code.entropy).item() == pytest.approx(bound, abs=1e-5)


def test_information_at_width_1_cannot_pass_its_ceiling():
    code, values = Uniform("c", -1.0, 1.0, 1.0), torch.linspace(-1, 1, 9)[:, None]
    perfect = information_bound(code.log_likelihood(values, values), code.entropy).item()
    assert perfect == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi), abs=1e-6)
    assert perfect == pytest.approx(-0.226, abs=5e-4)
    assert information_bound(code.log_likelihood(values, values + 0.5), code.entropy).item() == pytest.approx(
        perfect - 0.125, abs=1e-6
    )


def test_information_is_a_mean_over_the_batch():
    assert information_bound(torch.tensor([-1.0, -3.0, -5.0]), 2.0).item() == pytest.approx(-1.0)


def test_raising_the_true_class_raises_information():
    code = Categorical("c", 3)
    q = torch.zeros(1, 3, requires_grad=True)
    information_bound(code.log_likelihood(torch.tensor([[0.0, 1.0, 0.0]]), q), code.entropy).backward()
    assert q.grad[0].tolist() == pytest.approx([-1 / 3, 2 / 3, -1 / 3])


def test_moving_the_mean_to_the_code_raises_information():
    code = Uniform("c", -1.0, 1.0, 2.0)
    q = torch.tensor([[0.1]], requires_grad=True)
    information_bound(code.log_likelihood(torch.tensor([[0.9]]), q), code.entropy).backward()
    assert q.grad.item() == pytest.approx(0.8 / 4)


def test_joint_of_pairs_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    second = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    # The mean of the outer products is [[1/8, 5/8], [1/8, 1/8]]; its mean with its transpose:
    expected = torch.tensor([[0.125, 0.375], [0.375, 0.125]])
    torch.testing.assert_close(joint_of_pairs(first, second), expected)


@pytest.mark.parametrize("groups", [2, 3, 10])
def test_information_of_equal_views_with_even_groups_is_all_there_is(groups):
    """Empty cells count as 1e-8 each: 90 of them take 1.2e-5 nats away."""
    views = torch.eye(groups).repeat(5, 1)
    assert information_of_joint(joint_of_pairs(views, views)).item() == pytest.approx(math.log(groups), abs=2e-5)


@pytest.mark.parametrize(
    ("joint", "information"),
    [
        ([[0.25, 0.25], [0.25, 0.25]], 0.0),
        ([[0.9, 0.0], [0.0, 0.1]], -0.9 * math.log(0.9) - 0.1 * math.log(0.1)),  # H of the groups
        ([[0.4, 0.1], [0.1, 0.4]], 2 * (0.4 * math.log(0.4 / 0.25) + 0.1 * math.log(0.1 / 0.25))),
        ([[1.0, 0.0], [0.0, 0.0]], 0.0),  # one group for all
    ],
    ids=["independent", "uneven", "by hand", "one group"],
)
def test_information_of_joint_by_hand(joint, information):
    assert information_of_joint(torch.tensor(joint)).item() == pytest.approx(information, abs=1e-5)


def test_information_of_joint_has_a_gradient_where_cells_are_empty():
    logits = torch.tensor([[30.0, -30.0], [-30.0, 30.0]], requires_grad=True)
    views = torch.softmax(logits, dim=1)
    information_of_joint(joint_of_pairs(views, views)).backward()
    assert logits.grad.isfinite().all()
