import pytest
import torch

from infogan.metrics.path_length import path_length, trimmed_mean

RANDOM = torch.Generator().manual_seed(0)
A = torch.randn(12, 5, generator=RANDOM, dtype=torch.float64)
PAIRS = 200_000


def linear(latent):
    return latent @ A.T


def squared(a, b):
    return (a - b).square().sum(dim=1)


def uniform(*shape):
    return torch.rand(*shape, generator=RANDOM)


@pytest.mark.parametrize(
    ("draw", "factor"),
    [(lambda: torch.randn(PAIRS, 5, generator=RANDOM), 2), (lambda: 2 * uniform(PAIRS, 5) - 1, 2 / 3)],
    ids=["normal", "uniform"],
)
def test_a_linear_generator(draw, factor):
    """E|A(b - a)|² is 2‖A‖² for independent N(0, I), and ⅔‖A‖² for U(-1, 1)."""
    values = path_length(linear, draw(), draw(), uniform(PAIRS), squared)
    assert (values.shape, values.dtype) == ((PAIRS,), torch.float64)
    assert values.mean().item() == pytest.approx(factor * A.square().sum().item(), rel=0.01)


def test_a_linear_generator_pair_by_pair():
    """|A(b - a)|², wherever on the way the step is: float32 would lose it among its last digits."""
    starts, ends = torch.randn(2, 50, 5, generator=RANDOM)
    expected = squared(linear(ends.double()), linear(starts.double()))
    for t in (0.0, 0.5, 1.0):
        values = path_length(lambda z: linear(z) + 100, starts, ends, torch.full((50,), t), squared)
        assert torch.allclose(values, expected, rtol=1e-6)


def test_the_step_is_taken_at_t():
    """G(z) = z² has the derivative 2z·(b - a) at z = a + t(b - a): from 1 to 3, 4(1 + 2t)."""
    t = torch.tensor([0.0, 0.25, 0.75])
    values = path_length(torch.square, torch.ones(3, 1), torch.full((3, 1), 3.0), t, squared)
    assert values.sqrt().tolist() == pytest.approx([4, 6, 10], rel=1e-3)


def test_epsilon_is_divided_out():
    values = path_length(linear, torch.zeros(1, 5), torch.ones(1, 5), torch.zeros(1), squared, epsilon=0.1)
    assert values.item() == pytest.approx(A.sum(dim=1).square().sum().item())


def test_the_same_latent_twice():
    z = torch.randn(10, 5, generator=RANDOM)
    assert (path_length(linear, z, z, uniform(10), squared) == 0).all()


def test_trimmed_mean_drops_both_ends():
    values = torch.arange(1.0, 1001).double()
    values[-1], values[0] = 1e9, -1e9
    assert trimmed_mean(values) == pytest.approx(500.5)
    assert trimmed_mean(values[:-1].flip(0), low=0.01, high=1) == pytest.approx(505, abs=1)
    assert trimmed_mean(torch.full((10,), 3.0)) == 3
