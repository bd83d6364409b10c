"""The balance against a linear G, D and Q, whose gradients are derived here by hand."""

import math

import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.objective.adversarial import GAMES
from infogan.objective.balance import balance, balanced
from infogan.objective.objective import Objective
from infogan.objective.play import Play
from infogan.objective.terms import Term, loss

N, K, PIXELS, LAMBDA = 6, 3, 4, 1.7
LATENTS = Latents((Categorical("c1", K),), 2, "uniform")


class Linear:
    """D(x) = w x, Q's logits V x; x = A z is made by the linear G."""

    def __init__(self, size):
        random = torch.Generator().manual_seed(0)

        def drawn(*shape):
            return torch.randn(*shape, generator=random, dtype=torch.float64)

        self.w, self.v, self.a = drawn(PIXELS), size * drawn(K, PIXELS), drawn(PIXELS, K + 2)
        self.v.requires_grad_()
        self.a.requires_grad_()
        self.z = torch.cat([nn.functional.one_hot(torch.arange(N) % K, K).double(), drawn(N, 2)], dim=1)
        self.fake = (self.z @ self.a.T).reshape(N, 1, 2, 2)
        self.images = self.fake.detach().requires_grad_()

    def trunk(self, images):
        return images.flatten(1)

    def head(self, features):
        return features @ self.w

    def posterior(self, features):
        return features @ self.v.T

    def terms(self, images):
        objective = Objective(GAMES["non_saturating"], {"c1": LAMBDA}, {"c1": LAMBDA}, True, True, {}, None)
        return objective.generator(Play(self, LATENTS, self.z, self.fake, images, (-1.0, 1.0)), {})

    def by_hand(self):
        """Of the loss by each image, (N, PIXELS): of -E ln σ(w x), and of -λ L_I; and of -λ L_I by V."""
        x = self.fake.detach().flatten(1)
        game = -torch.sigmoid(-x @ self.w)[:, None] * self.w / N
        wrong = torch.softmax(x @ self.v.detach().T, dim=1) - self.z[:, :K]
        return game, LAMBDA * wrong @ self.v.detach() / N, LAMBDA * wrong.T @ x / N


def share_by_hand(game, information, ratio):
    of_game = sum(math.sqrt(sum(v * v for v in row)) for row in game.tolist()) / N
    of_information = sum(math.sqrt(sum(v * v for v in row)) for row in information.tolist()) / N
    return ratio * of_game / of_information


@pytest.mark.parametrize("loss_scale", [None, 1024.0])
@pytest.mark.parametrize(
    ("size", "ratio", "is_scaled"), [(5.0, 1.0, True), (5.0, 0.25, True), (0.1, 1.0, False), (5.0, 1e9, False)]
)
def test_the_gradient_of_a_linear_g(size, ratio, is_scaled, loss_scale):
    """The images' part of the information is scaled, Q's own weights learn as they would, and the game is whole."""
    linear = Linear(size)
    game, information, of_v = linear.by_hand()
    quotient = share_by_hand(game, information, ratio)
    assert (quotient < 1) == is_scaled
    share = min(1.0, quotient)
    scale = None if loss_scale is None else torch.tensor(loss_scale)
    derived, found = balanced(linear.terms(linear.images), linear.images, linear.fake, [linear.v], ratio, scale)
    assert found.item() == pytest.approx(share, rel=1e-5)
    derived.backward()
    expected = (game + share * information).T @ linear.z
    torch.testing.assert_close(linear.a.grad, expected, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(linear.v.grad, of_v, rtol=1e-5, atol=1e-8)
    for wrong in (game - share * information, share * information - game, game):
        assert not torch.allclose(linear.a.grad, wrong.T @ linear.z, rtol=1e-2)
    assert linear.images.grad is None


def test_a_large_ratio_is_the_loss_itself():
    linear, plain = Linear(5.0), Linear(5.0)
    derived, share = balanced(linear.terms(linear.images), linear.images, linear.fake, [linear.v], 1e9, None)
    derived.backward()
    loss(plain.terms(plain.fake)).backward()
    assert share.item() == 1.0
    torch.testing.assert_close(linear.a.grad, plain.a.grad, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(linear.v.grad, plain.v.grad, rtol=1e-5, atol=1e-8)


def test_a_regulariser_keeps_its_weight_and_its_own_parameters():
    """½ · 0.3 · |u x|² of each image, u its own: by x 0.3 (u x) u, by u 0.3 Σ (u x) x; another is for the log alone."""
    linear = Linear(5.0)
    u = torch.ones(PIXELS, dtype=torch.float64, requires_grad=True)
    game, information, _ = linear.by_hand()
    terms = linear.terms(linear.images)
    value = 0.5 * (linear.images.flatten(1) @ u).square().sum()
    terms |= {"regulariser/a": Term(value, 0.3), "regulariser/b": Term(value, 0.0)}
    derived, share = balanced(terms, linear.images, linear.fake, [linear.v, u], 1.0, None)
    derived.backward()
    x = linear.fake.detach().flatten(1)
    along = 0.3 * (x @ u.detach())[:, None]
    expected = (game + share * information + along * u.detach()).T @ linear.z
    torch.testing.assert_close(linear.a.grad, expected, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(u.grad, (along * x).sum(dim=0), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("game", "information", "share"),
    [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0), (math.inf, 1.0, 1.0), (1.0, math.inf, 0.0),
     (math.inf, math.inf, 0.0), (math.nan, 1.0, 0.0)],
)  # fmt: skip
def test_the_balance_is_always_a_number(game, information, share):
    images = torch.ones(2, 1, 2, 2)
    assert balance(game * images, information * images, 1.0).item() == share


@pytest.mark.parametrize("loss_scale", [1e38, math.inf])
def test_what_overflows_is_not_finite_for_the_scaler_to_see(loss_scale):
    linear = Linear(1e4)
    terms = {name: Term(term.value.float() * 100, term.weight, term.maximised)
             for name, term in linear.terms(linear.images).items()}  # fmt: skip
    scale = torch.tensor(loss_scale)
    derived, share = balanced(terms, linear.images, linear.fake, [linear.v], 1.0, scale)
    derived.backward()
    assert not linear.a.grad.isfinite().all()
    assert 0 <= share.item() <= 1


def test_images_of_bfloat16_are_pulled_in_float32():
    """A pull of 2^-10 of the game's is not lost in the sum, as it would be with 8 bits."""
    images = torch.ones(2, 1, 2, 2, dtype=torch.bfloat16, requires_grad=True)
    fake = torch.ones(2, 1, 2, 2, requires_grad=True)
    terms = {
        "game/generator": Term((2 * images.float()).sum()),
        "information/c1": Term((images.float() * 2**-9).sum(), maximised=True),
    }
    balanced(terms, images, fake, [], 1.0, None)[0].backward()
    assert fake.grad.unique().tolist() == [2 - 2**-9]
