"""Distances of pairs against what geometry says."""

import math

import numpy as np
import pytest

from infogan.metrics import diversity
from infogan.metrics.diversity import mean_distance, pair_distance


def test_pairs_by_hand():
    first, second = np.array([[0, 0, 0, 0], [1, 1, 1, 1]]), np.array([[2, 2, 2, 2], [1, 1, 1, 5]])
    assert pair_distance(first, second).tolist() == [2.0, 2.0]
    assert pair_distance(first, first).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("rows", [2, 500])
def test_all_pairs_by_hand(monkeypatch, rows):
    """A triangle of sides 3, 4, 5 in the plane, as means of squares: each side over √2."""
    monkeypatch.setattr(diversity, "ROWS", rows)
    points = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]) + 1000
    assert mean_distance(points) == pytest.approx((3 + 4 + 5) / 3 / math.sqrt(2))


def test_numbers_of_one_normal_distribution_are_apart_by_root_2():
    """And by a little less in few dimensions: E√(χ²_d / d) = √(2/d) Γ((d+1)/2) / Γ(d/2)."""
    random = np.random.default_rng(0)
    for width in (1, 3, 400):
        expected = math.sqrt(2) * math.sqrt(2 / width) * math.exp(math.lgamma((width + 1) / 2) - math.lgamma(width / 2))
        points = random.normal(size=(1200, width)).astype(np.float32)
        assert mean_distance(points) == pytest.approx(expected, rel=0.03)
        assert pair_distance(points[::2], points[1::2]).mean() == pytest.approx(expected, rel=0.06)


def test_one_point_has_no_distance_and_equal_ones_none():
    assert mean_distance(np.ones((5, 3))) == 0
    with pytest.raises(ValueError, match="needs two, not 1"):
        mean_distance(np.ones((1, 3)))
