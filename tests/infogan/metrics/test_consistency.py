import numpy as np
import pytest

from infogan.metrics.bootstrap import bootstrap_interval
from infogan.metrics.consistency import category_agreement, usage_entropy, value_agreement

RNG = np.random.default_rng(0)


def test_agreement_of_categories_counts_from_chance():
    first = RNG.integers(4, size=20_000)
    assert category_agreement(first, first, 4) == 1
    assert category_agreement(first, (first + 1) % 4, 4) == pytest.approx(-1 / 3)
    assert abs(category_agreement(first, RNG.permutation(first), 4)) < 0.02
    half = np.where(np.arange(20_000) < 10_000, first, RNG.permutation(first))
    assert category_agreement(first, half, 4) == pytest.approx(0.5, abs=0.02)


def test_agreement_of_values():
    """Two readings c + e, c + e' with Var(c) = Var(e) correlate with 1/2."""
    code, noise = RNG.standard_normal(50_000), RNG.standard_normal((2, 50_000))
    assert value_agreement(code, 3 * code - 1) == pytest.approx(1)
    assert value_agreement(code, -code) == pytest.approx(-1)
    assert value_agreement(code + noise[0], code + noise[1]) == pytest.approx(0.5, abs=0.02)
    assert value_agreement(code, np.ones(50_000)) == 0


def test_usage_of_categories():
    assert usage_entropy(np.repeat(np.arange(10), 7), 10) == pytest.approx(np.log(10))
    assert usage_entropy(np.zeros(50, int), 10) == 0
    assert usage_entropy(np.array([0, 0, 0, 5]), 10) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))


def test_bootstrap_against_the_normal_interval():
    """Of 4,000 values of deviation 2: the mean ± 1.96 · 2 / √4000."""
    values = RNG.normal(5, 2, 4000)
    low, high = bootstrap_interval(values, seed=0)
    half = 1.96 * values.std() / np.sqrt(4000)
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)
    assert bootstrap_interval(values, seed=0) == (low, high)
    assert bootstrap_interval(np.full(10, 3.0), seed=0) == (3.0, 3.0)
