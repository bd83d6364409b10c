"""An angle against quadrature over the turn, NumPy's own Bessel functions, and PyTorch's von Mises distribution."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import VonMises

from infogan.codes.circular import Circular, log_i0
from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.errors import ConfigError

FREE = Circular("c", 1e4)
"""Whose bound is so far off that κ is the length of Q's output."""

BOUNDED = Circular("c", 10.0)
STEPS = 4096
TURN = torch.arange(STEPS, dtype=torch.float64) * (2 * math.pi / STEPS)
AROUND = torch.stack([TURN.cos(), TURN.sin()], dim=1)


def density(code, q):
    """q(θ|x) at STEPS even angles: a sum over them times 2π / STEPS is an integral, exact for a smooth density."""
    return code.log_likelihood(AROUND, torch.tensor([q]).expand(STEPS, 2)).double().exp()


def integral(values):
    return values.mean(dim=0) * 2 * math.pi


@pytest.mark.parametrize("q", [(0.0, 0.0), (1e-7, 0.0), (0.3, -0.4), (-2.0, 1.5), (30.0, -40.0), (-1e3, 0.0)], ids=str)
@pytest.mark.parametrize("code", [FREE, BOUNDED], ids=["free", "bounded"])
def test_the_density_is_normalised(code, q):
    assert integral(density(code, q)).item() == pytest.approx(1, abs=2e-4)


def test_log_likelihood_is_that_of_torch():
    angle, mode = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)) * 2 * math.pi
    kappa = torch.linspace(0.1, 40, 50)
    q = kappa[:, None] * torch.stack([mode.cos(), mode.sin()], dim=1)
    rows = torch.stack([angle.cos(), angle.sin()], dim=1)
    torch.testing.assert_close(
        FREE.log_likelihood(rows, q), VonMises(mode, kappa).log_prob(angle), rtol=1e-3, atol=1e-3
    )


def test_log_likelihood_by_hand():
    """κ = 3 around 0°, I₀(3) = 4.880793; at 60° 3 cos 60° - ln 2π - ln 4.880793, at 90° without the first."""
    at = FREE.rows(torch.tensor([[60.0], [90.0]]))
    found = FREE.log_likelihood(at, torch.tensor([[3.0, 0.0]]).repeat(2, 1))
    assert found.tolist() == pytest.approx([1.5 - 1.837877 - 1.585308, -1.837877 - 1.585308], abs=1e-5)


@pytest.mark.parametrize("kappa", [0.0, 1e-6, 1e-3, 0.5, 5.0, 80.0])
def test_log_i0_is_numpys(kappa):
    assert log_i0(torch.tensor(kappa)).item() == pytest.approx(math.log(np.i0(kappa)), abs=1e-6, rel=1e-5)


def test_log_i0_and_its_gradient_far_out():
    """I₀(κ) → exp κ / √(2πκ) (1 + 1 / 8κ), whose logarithm has the slope 1 - 1 / 2κ."""
    kappa = torch.tensor(1e4, requires_grad=True)
    log_i0(kappa).backward()
    assert log_i0(kappa).item() == pytest.approx(1e4 - 0.5 * math.log(2 * math.pi * 1e4), abs=1e-2)
    assert kappa.grad.item() == pytest.approx(1 - 0.5e-4, abs=1e-5)


def test_the_concentration_is_bounded_smoothly():
    """κ = K tanh(|n| / K): |n| while that is small, K tanh 1 at K, never above K."""
    lengths = [0.01, 1.0, 10.0, 1e3, 1e15]
    kappas = -BOUNDED.parameters(torch.tensor([[-length, 0.0] for length in lengths]))["c"]
    assert kappas[:, 0].tolist() == pytest.approx([0.01, 10 * math.tanh(0.1), 10 * math.tanh(1), 10, 10], rel=1e-4)
    q = torch.tensor([[10.0, 0.0]], requires_grad=True)
    BOUNDED.parameters(q)["c"][:, 0].sum().backward()
    assert q.grad[0].tolist() == pytest.approx([1 - math.tanh(1) ** 2, 0], abs=1e-5)


def test_within_the_bound_the_natural_parameters_are_the_output():
    found = FREE.parameters(torch.tensor([[3.0, -4.0]]))
    assert list(found) == ["c"] and found["c"][0].tolist() == pytest.approx([3.0, -4.0], abs=1e-5)


def test_an_output_of_zero_is_the_uniform_distribution_and_can_be_left():
    q = torch.zeros(1, 2, requires_grad=True)
    value = BOUNDED.log_likelihood(torch.tensor([[0.6, 0.8]]), q)
    assert value.item() == pytest.approx(-math.log(2 * math.pi), abs=1e-6)
    value.sum().backward()
    assert q.grad[0].tolist() == pytest.approx([0.6, 0.8], abs=1e-5)


def test_entropy_is_that_of_the_uniform_angle():
    uniform = torch.full((STEPS,), 1 / (2 * math.pi), dtype=torch.float64)
    assert FREE.entropy == pytest.approx(-integral(uniform * uniform.log()).item(), abs=1e-9)


@pytest.mark.parametrize("kappa", [0.2, 1.3, 4.0, 9.0])
def test_information_of_a_calibrated_q_is_its_divergence_from_the_uniform_angle(kappa):
    """E log q + H = KL(q ‖ uniform) = κ I₁(κ) / I₀(κ) - ln I₀(κ); I₁ = I₀'. Of it `share_read` is (I₁ / I₀)²."""
    i0, step = np.i0(kappa), 1e-4
    ratio = (np.i0(kappa + step) - np.i0(kappa - step)) / (2 * step) / i0
    expected = kappa * ratio - math.log(i0)
    q = density(FREE, (0.0, kappa))
    information = integral(q * q.log()).item() + FREE.entropy
    assert information == pytest.approx(expected, abs=1e-4)
    assert FREE.share_read(information) == pytest.approx(ratio**2, abs=1e-3)


@pytest.mark.parametrize(("information", "share"), [(0.0, 0.0), (-0.4, -0.4), (1e-6, 1e-6)])
def test_the_share_of_what_is_hardly_read(information, share):
    assert BOUNDED.share_read(information) == pytest.approx(share, rel=1e-2)


def test_the_share_grows_to_1_and_not_above():
    shares = [BOUNDED.share_read(information) for information in (0.1, 0.5, 1.0, 2.0, 5.0, 500.0)]
    assert shares == sorted(shares) and 0.09 < shares[0] < 0.11 and 0.999 < shares[-1] <= 1
    assert math.isnan(BOUNDED.share_read(math.nan))


@pytest.mark.parametrize("q", [(0.0, 0.0), (0.6, -0.8), (-6.0, 2.0), (50.0, 50.0)], ids=str)
def test_the_mean_is_the_integral_of_cosine_and_sine(q):
    expected = integral(density(BOUNDED, q)[:, None] * AROUND)
    assert BOUNDED.mean(torch.tensor([q]))[0].tolist() == pytest.approx(expected.tolist(), abs=2e-4)


@pytest.mark.parametrize(("mode", "towards"), [(179.0, 1.0), (-179.0, -1.0)])
def test_across_the_wrap_the_nearest_way_is_taken(mode, towards):
    """The angle is 180°: from 179° Q's mode is pulled on, from -179° back, each by κ sin 1°."""
    degrees = torch.tensor([[mode]], requires_grad=True)
    FREE.log_likelihood(FREE.rows(torch.tensor([[180.0]])), 2 * FREE.rows(degrees)).sum().backward()
    per_radian = degrees.grad.item() * 180 / math.pi
    assert per_radian == pytest.approx(towards * 2 * math.sin(math.radians(1)), rel=1e-2)


def test_draws_go_once_around():
    u = torch.tensor([[0.0], [0.25], [0.5], [0.75]])
    torch.testing.assert_close(FREE.values(FREE.sample(u)).abs(), torch.tensor([[180.0], [90.0], [0.0], [90.0]]))
    torch.testing.assert_close(FREE.sample(u)[1], torch.tensor([0.0, -1.0]))
    assert FREE.sample(u.double()).dtype == torch.float64


def test_arithmetic_wraps():
    degrees = torch.tensor([[190.0], [-170.0], [550.0], [-530.0]])
    torch.testing.assert_close(FREE.values(FREE.rows(degrees)), torch.full((4, 1), -170.0), atol=1e-3, rtol=0)
    arc = FREE.domain.selection("170:190")
    values = FREE.values(FREE.rows(arc.values(torch.tensor([[0.0], [0.25], [0.75], [1.0]]))))[:, 0]
    assert values.tolist() == pytest.approx([170, 175, -175, -170], abs=1e-3)
    assert arc.points(3)[1] == ["+170°", "+180°", "-170°"]
    assert FREE.unit(torch.tensor([[-90.0]])).item() == -0.5


def test_traversals_and_walks_close():
    latents = Latents((FREE,), 0, "uniform")
    for rows in (latents.traversal("c", 12)[0], latents.walk("c", 12)):
        steps = (rows * rows.roll(-1, dims=0)).sum(dim=1)
        assert steps.tolist() == pytest.approx([math.cos(math.radians(30))] * 12, abs=1e-6)


def circular(compose_values, kappa):
    return compose_values("data=digits", f"+model.codes.c4={{kind: circular, largest_kappa: {kappa}}}")


def test_it_is_configured(compose_values):
    model = check(circular(compose_values, 7.5)).model
    code = Latents.from_config(model).code("c4")
    assert code == Circular("c4", 7.5) and model.lambdas["c4"] == model.lambda_continuous
    assert model.codes["c4"].description == "an angle, κ of Q below 7.5"


@pytest.mark.parametrize("kappa", ["0", "-1", ".inf", "true", "far"])
def test_a_bound_is_a_number_above_0(compose_values, kappa):
    with pytest.raises(ConfigError, match=r"^model\.codes\.c4\.largest_kappa="):
        check(circular(compose_values, kappa))
