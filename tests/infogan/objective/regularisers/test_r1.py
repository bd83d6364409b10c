"""R1 and R2 in their closed form, and on a discriminator with batch norm."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from infogan.objective.play import Play
from infogan.objective.regularisers.r1 import R1, R2, squared_gradient


class Judged(nn.Module):
    """A discriminator without Q."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk, self.head = trunk, nn.Flatten(0)


def linear(pixels):
    layer = nn.Linear(pixels, 1)
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    return layer, Judged(nn.Sequential(nn.Flatten(), layer))


def test_a_linear_discriminator_has_the_square_of_its_weight():
    """D(x) = w·x + b: |∇ₓ D|² = |w|², for every image; its gradient by w is 2 w."""
    layer, judged = linear(12)
    real = torch.randn(5, 3, 2, 2).requires_grad_()
    penalty = squared_gradient(judged.head(judged.trunk(real)), real)
    expected = layer.weight.detach().square().sum()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)
    penalty.backward()
    torch.testing.assert_close(layer.weight.grad, 2 * layer.weight.detach())
    assert layer.bias.grad is None


def test_a_quadratic_discriminator_depends_on_the_images():
    """D(x) = ½ |x|²: |∇ₓ D|² = |x|²."""
    real = torch.randn(4, 1, 3, 3).requires_grad_()
    penalty = squared_gradient(0.5 * real.square().flatten(1).sum(dim=1), real)
    assert penalty.item() == pytest.approx(real.square().sum().item() / 4, rel=1e-5)


@pytest.mark.parametrize("kind", [R1, R2])
@pytest.mark.parametrize("weight", [1.0, 10.0, torch.tensor(10.0)], ids=["1", "10", "scalar"])
def test_the_term_has_half_the_weight(weight, kind):
    layer, judged = linear(4)
    images = torch.randn(3, 1, 2, 2).requires_grad_()
    play = Play(judged, None, None, images, images, (0.0, 1.0))
    (name,), (term,) = zip(*kind("smooth").terms(play, weight).items(), strict=True)
    assert name == "regulariser/smooth"
    assert not term.maximised
    expected = 0.5 * float(weight) * layer.weight.detach().square().sum().item()
    assert term.weighted.item() == pytest.approx(expected, rel=1e-5)


def test_with_batch_norm_the_gradient_of_the_sum_vanishes_along_shifts_of_all_images():
    """Batch norm takes the mean away: the sum of the logits of w·BN(x) does not change with the images at all."""
    judged = Judged(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    real = torch.randn(16, 1, 2, 2).requires_grad_()
    assert squared_gradient(judged.head(judged.trunk(real)), real).item() == pytest.approx(0, abs=1e-9)


HALF_SQUARE = SimpleNamespace(trunk=lambda x: x, head=lambda x: 0.5 * x.square().flatten(1).sum(dim=1))


def test_r1_looks_at_real_images_and_r2_at_generated_ones():
    """D(x) = ½ |x|²: the penalty is the mean of |x|², of other images each."""
    real, fake = torch.full((2, 1, 2, 2), 3.0).requires_grad_(), torch.full((2, 1, 2, 2), 0.5).requires_grad_()
    play = Play(HALF_SQUARE, None, None, real, fake, (0.0, 1.0))
    found = [next(iter(kind("smooth").terms(play, 2.0).values())).weighted.item() for kind in (R1, R2)]
    assert found == pytest.approx([4 * 3.0**2, 4 * 0.5**2])


def test_with_changed_images_the_gradient_is_that_at_the_changed_ones():
    """Twice as bright as they are, D(2 x) = 2 |x|²: by 2 x its gradient is 2 x, by x it would be 4 x."""
    real = torch.full((2, 1, 2, 2), 3.0).requires_grad_()
    inputs = {"augment_real": torch.full((2, 1), 2.0)}
    play = Play(HALF_SQUARE, None, None, real, None, (0.0, 1.0), inputs, augment=lambda images, u: images * u[0])
    assert R1("smooth").terms(play, 2.0)["regulariser/smooth"].weighted.item() == pytest.approx(4 * 6.0**2)
