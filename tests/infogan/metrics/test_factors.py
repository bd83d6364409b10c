import numpy as np
import pytest

from infogan.metrics.factors import rotation_score, spearman

RNG = np.random.default_rng(0)
FACTORS = RNG.random((5000, 3))


def test_a_code_that_follows_a_factor_up_or_down():
    codes = np.column_stack([np.exp(3 * FACTORS[:, 0]), -(FACTORS[:, 1] ** 3), RNG.random(5000)])
    table = spearman(codes, FACTORS)
    assert table.shape == (3, 3)
    assert table[0, 0] == pytest.approx(1, abs=1e-12)
    assert table[1, 1] == pytest.approx(1, abs=1e-12)
    rest = table[[0, 0, 1, 1, 2, 2, 2], [1, 2, 0, 2, 0, 1, 2]]
    assert rest.max() < 5 / np.sqrt(5000)
    assert rest.min() >= 0


def test_ranks_not_values_are_correlated():
    """Five ranks by hand: (1 2 3 4 5) with (2 1 4 3 5) is 1 - 6·4 / (5·24) = 0.8."""
    code, factor = np.array([[0.1], [0.2], [5.0], [6.0], [1e9]]), np.array([[20.0], [10.0], [40.0], [30.0], [1e6]])
    assert spearman(code, factor) == pytest.approx(np.array([[0.8]]))


def test_ties_get_their_mean_rank():
    """Ranks (1.5 1.5 3 4) with (1 2 3 4): covariance 4.5, variances 4.5 and 5."""
    found = spearman(np.array([[0.0], [0.0], [1.0], [2.0]]), np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert found == pytest.approx(np.array([[4.5 / np.sqrt(4.5 * 5)]]))


def test_a_constant_follows_nothing():
    assert (spearman(np.zeros((100, 2)), FACTORS[:100]) == 0).all()
    assert (spearman(FACTORS[:100], np.ones((100, 1))) == 0).all()


ANGLE = RNG.uniform(0, 2 * np.pi, 20_000)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("start", [0.0, 1.0, 4.5])
def test_a_code_linear_in_the_angle_scores_1_wherever_it_starts(direction, start):
    code = np.mod(direction * ANGLE + start, 2 * np.pi) / np.pi - 1
    assert rotation_score(code, ANGLE) == pytest.approx(1, abs=1e-9)


def test_a_code_of_half_the_turn():
    """c goes through its interval twice a turn: the mean of exp(i(θ - 2θ)) is 0."""
    code = np.mod(2 * ANGLE, 2 * np.pi) / np.pi - 1
    assert rotation_score(code, ANGLE) < 0.03


def test_noise_on_the_code_lowers_the_score_as_its_characteristic_function():
    """E exp(iπε) = exp(-π²s²/2) for ε ~ N(0, s²)."""
    code = ANGLE / np.pi - 1 + RNG.normal(0, 0.2, len(ANGLE))
    assert rotation_score(code, ANGLE) == pytest.approx(np.exp(-((np.pi * 0.2) ** 2) / 2), abs=0.01)


@pytest.mark.parametrize("code", [np.zeros(len(ANGLE)), RNG.uniform(-1, 1, len(ANGLE))], ids=["constant", "chance"])
def test_a_code_that_does_not_follow_scores_about_0(code):
    assert 0 <= rotation_score(code, ANGLE) < 0.03
