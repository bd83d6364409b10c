"""What a phase computes, and from which images: how often the trunk is asked, and by whom."""

import pytest
import torch

from infogan.objective.adversarial import GAMES
from infogan.objective.objective import Objective
from infogan.objective.play import Play


class Judge:
    """The trunk takes the mean of each image; D's head gives it, and Q's ten times as much."""

    def __init__(self):
        self.seen = []

    def trunk(self, images):
        self.seen.append(round(images[0].mean().item(), 4))
        return images.mean(dim=(1, 2, 3))

    def head(self, features):
        return features

    def posterior(self, features):
        return 10 * features


class NoLatents:
    codes = ()

    def log_likelihoods(self, latent, q):
        return {}


def played(phase, game="non_saturating", augment=False, before_posterior=False):
    """The terms of a phase on real images of 0.5 and generated ones of 0.25, which `augment` raises by 1 and 2."""
    judge = Judge()
    real, fake = torch.full((3, 1, 2, 2), 0.5), torch.full((3, 1, 2, 2), 0.25, requires_grad=phase == "generator")
    inputs = {"augment_real": torch.full((3, 1), 1.0), "augment_fake": torch.full((3, 1), 2.0)}
    change = (lambda images, u: images + u[:, :, None, None]) if augment else None
    play = Play(judge, NoLatents(), None, real, fake, (0.0, 1.0), inputs, False, change, before_posterior)
    objective = Objective(GAMES[game], {}, {}, True, True, {}, balance=None)
    return judge, play, getattr(objective, phase)(play, {})


@pytest.mark.parametrize(
    ("augment", "before_posterior", "of_d", "of_g"),
    [
        (False, False, {0.5, 0.25}, {0.25}),
        (True, False, {1.5, 2.25, 0.25}, {2.25, 0.25}),
        (True, True, {1.5, 2.25}, {2.25}),
    ],
    ids=["as they are", "changed for D", "changed for D and Q"],
)
@pytest.mark.parametrize("game", GAMES)
def test_the_trunk_reads_each_set_of_images_once_and_no_more_than_are_needed(
    augment, before_posterior, of_d, of_g, game
):
    judge, play, terms = played("discriminator", game, augment, before_posterior)
    assert sorted(judge.seen) == sorted(of_d)
    logits = (play.real_logits, play.fake_logits)
    assert terms["game/discriminator"].value == GAMES[game].discriminator(*logits)
    assert play.q[0] == 10 * (2.25 if before_posterior else 0.25)
    judge, play, terms = played("generator", game, augment, before_posterior)
    compared = {1.5 if augment else 0.5} if GAMES[game].compares else set()
    assert sorted(judge.seen) == sorted(of_g | compared)
    expected = {
        "non_saturating": torch.nn.functional.softplus(-logits[1]),
        "hinge": -logits[1],
        "relativistic": torch.nn.functional.softplus(logits[0] - logits[1]),
    }
    assert terms["game/generator"].value.item() == pytest.approx(expected[game].mean().item())


def test_real_images_are_read_as_they_are_by_whoever_else_asks():
    _, play, _ = played("discriminator", augment=True, before_posterior=True)
    assert (play.real_features[0], play.real_logits[0]) == (0.5, 1.5)
    assert (play.judged_real.mean(), play.judged_fake.mean()) == (1.5, 2.25)


def test_the_gradient_of_g_goes_through_the_change():
    """Twice the image, half of which is cut: D(x) = mean of x gives 2 / 4 where it is not cut."""
    judge, fake = Judge(), torch.rand(1, 1, 2, 2, requires_grad=True)
    keep = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    play = Play(judge, None, None, fake.detach(), fake, (0.0, 1.0), {"augment_fake": keep}, False,
                lambda images, u: 2 * images * u)  # fmt: skip
    (gradient,) = torch.autograd.grad(play.fake_logits.sum(), fake, retain_graph=True)
    torch.testing.assert_close(gradient[0, 0], 0.5 * keep)
    (of_q,) = torch.autograd.grad(play.q.sum(), fake)
    torch.testing.assert_close(of_q[0, 0], torch.full((2, 2), 10 / 4))
