"""The noise of an image, against generators whose answer is known."""

import math

import pytest
import torch

from infogan.trained.inversion import Inversion, invert

CODES, NOISE = 2, 3


def linear(seed, orthonormal=False):
    """A (16, 5) matrix, and latents → images of 4×4 by it."""
    weights = torch.randn(16, CODES + NOISE, generator=torch.Generator().manual_seed(seed))
    if orthonormal:
        weights = torch.linalg.qr(weights).Q
    return weights, lambda latent: (latent @ weights.T).unflatten(1, (1, 4, 4))


def starts(count, codes):
    noise = 2 * torch.rand(count, NOISE, generator=torch.Generator().manual_seed(5)) - 1
    return torch.cat([torch.tensor(codes).expand(count, -1), noise], dim=1)


def search(generator, image, begin, reach=math.inf, codes=CODES, iterations=600):
    return invert(generator, image, begin, codes, reach, iterations, 0.1, lambda _: None)


def test_a_linear_generator_gives_the_least_squares_noise():
    weights, generator = linear(0)
    image = torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(1))
    codes = torch.tensor([0.7, -1.5])
    rest = image.flatten() - weights[:, :CODES] @ codes
    solution = torch.linalg.lstsq(weights[:, CODES:], rest.unsqueeze(1)).solution[:, 0]
    begin = starts(4, [0.7, -1.5])
    found = search(generator, image, begin)
    assert found.latent.shape == (1, CODES + NOISE)
    assert torch.equal(found.latent[0, :CODES], codes)
    assert torch.allclose(found.latent[0, CODES:], solution, atol=1e-3)
    residual = (weights[:, CODES:] @ solution - rest).square().mean().sqrt().item()
    assert found.error == pytest.approx(residual, rel=1e-4)
    before = [((weights @ row).view(1, 4, 4) - image).square().mean().sqrt().item() for row in begin]
    assert found.error_before == pytest.approx(sum(before) / 4, rel=1e-5)


def test_the_noise_stays_within_reach():
    """With orthonormal columns the best noise in a cube is the best of all, cut to the cube."""
    weights, generator = linear(2, orthonormal=True)
    noise = torch.tensor([2.5, -1.7, 0.3])
    image = (weights @ torch.cat([torch.zeros(CODES), noise])).view(1, 4, 4)
    inside = search(generator, image, starts(4, [0.0, 0.0]), reach=1.0)
    assert torch.allclose(inside.latent[0, CODES:], torch.tensor([1.0, -1.0, 0.3]), atol=1e-3)
    assert inside.error == pytest.approx(math.sqrt((1.5**2 + 0.7**2) / 16), rel=1e-3)
    anywhere = search(generator, image, starts(4, [0.0, 0.0]))
    assert torch.allclose(anywhere.latent[0, CODES:], noise, atol=1e-3)
    assert anywhere.error < 1e-3


def test_what_is_poor():
    """An image of the generator's own is found; one that no noise comes near to is called poor."""
    weights, generator = linear(3)
    own = (weights @ torch.tensor([0.5, 0.5, -0.8, 0.1, 0.9])).view(1, 4, 4)
    found = search(generator, own, starts(4, [0.5, 0.5]))
    assert found.error < 0.01 * found.error_before and not found.poor
    normal = torch.linalg.svd(weights).U[:, -1].view(1, 4, 4)  # at a right angle to all that it can draw
    far = search(generator, own + 20 * normal, starts(4, [0.5, 0.5]))
    assert far.error == pytest.approx(20 / 4, rel=1e-3), "the distance to the plane of its images"
    assert far.error > 0.9 * far.error_before and far.poor
    assert Inversion(own, 0.51, 1.0).poor and not Inversion(own, 0.49, 1.0).poor


def test_the_best_of_several_starts_is_taken():
    """p(z) = sin 3z + z/2 climbs to the top it starts below: to that near 0.58, or to the higher one near 4.77."""

    def wave(latent):
        return (torch.sin(3 * latent) + latent / 2).unflatten(1, (1, 1, 1))

    image = torch.full((1, 1, 1), 10.0)
    alone = search(wave, image, torch.tensor([[0.4]]), codes=0)
    both = search(wave, image, torch.tensor([[0.4], [4.6], [0.2]]), codes=0)
    tops = [(math.acos(-1 / 6) + 2 * math.pi * k) / 3 for k in (0, 2)]
    assert alone.latent.item() == pytest.approx(tops[0], abs=1e-3)
    assert both.latent.item() == pytest.approx(tops[1], abs=1e-3)
    assert both.error == pytest.approx(10 - math.sin(3 * tops[1]) - tops[1] / 2, abs=1e-4)


def test_a_generator_without_noise():
    """There is nothing to look for: the latent is the codes, and the error theirs."""
    weights, _ = linear(4)
    image = torch.ones(1, 4, 4)
    codes = torch.tensor([[1.0, -1.0]])
    found = search(lambda latent: (latent @ weights[:, :CODES].T).unflatten(1, (1, 4, 4)), image, codes, iterations=3)
    assert torch.equal(found.latent, codes)
    assert found.error == pytest.approx(found.error_before)
    assert found.error == pytest.approx((weights[:, 0] - weights[:, 1] - 1).square().mean().sqrt().item())
