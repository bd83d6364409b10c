"""The loss of a phase, and what each term asks of the images."""

import math

import pytest
import torch

from infogan.objective.terms import Term, loss


def scalar(value):
    return torch.tensor(value, requires_grad=True)


def test_loss_by_hand():
    game, penalty, a, b = scalar(1.5), scalar(4.0), scalar(2.0), scalar(-0.5)
    terms = {
        "game": Term(game),
        "a": Term(a, 0.1, maximised=True),
        "b": Term(b, 3.0, maximised=True),
        "penalty": Term(penalty, 0.25, unit="1 / pixel²"),
    }
    value = loss(terms)
    assert value.shape == ()
    assert value.item() == pytest.approx(1.5 + 0.25 * 4 - (0.1 * 2 - 3 * 0.5))
    value.backward()
    gradients = [x.grad.item() for x in (game, penalty, a, b)]
    assert gradients == pytest.approx([1, 0.25, -0.1, -3])


@pytest.mark.parametrize(("maximised", "value"), [(False, 6.0), (True, -6.0)])
def test_a_loss_of_one_kind_of_terms(maximised, value):
    terms = {name: Term(scalar(number), 2.0, maximised) for name, number in (("a", 1.0), ("b", 2.0))}
    assert loss(terms).item() == value


def test_a_term_of_weight_0_takes_no_part():
    a, b = scalar(2.0), scalar(math.nan)
    value = loss({"a": Term(a, 0.5), "b": Term(b, 0.0, maximised=True)})
    value.backward()
    assert value.item() == 1.0
    assert a.grad.item() == 0.5
    assert b.grad is None


def test_a_loss_without_terms():
    with pytest.raises(ValueError, match="a term whose weight is not 0"):
        loss({"a": Term(scalar(1.0), 0.0)})


def test_a_weight_may_be_a_scalar_on_the_device():
    a = scalar(3.0)
    value = loss({"game": Term(scalar(1.0)), "a": Term(a, torch.tensor(0.5), maximised=True)})
    value.backward()
    assert value.item() == -0.5
    assert a.grad.item() == -0.5
