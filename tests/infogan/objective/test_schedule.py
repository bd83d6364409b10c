import pytest

from infogan.objective.schedule import weight_at


@pytest.mark.parametrize("iteration", [0, 7, 10**9])
def test_a_number_does_not_change(iteration):
    assert weight_at(2.5, iteration) == 2.5


@pytest.mark.parametrize(
    ("iteration", "weight"), [(0, 1.0), (9, 1.0), (10, 1.0), (15, 1.5), (20, 2.0), (22, 1.0), (24, 0.0), (99, 0.0)]
)
def test_straight_lines_between_points(iteration, weight):
    assert weight_at([[10, 1.0], [20, 2.0], [24, 0.0]], iteration) == pytest.approx(weight)
