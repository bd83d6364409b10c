"""Classes of a factor: each value, or equally filled bins; rows that share one."""

import numpy as np

from infogan.metrics.groups import class_bounds, levels, sharing, varying

RNG = np.random.default_rng(0)


def test_a_factor_of_many_values_is_cut_into_ten_equally_filled_bins():
    assert len(class_bounds(np.arange(100.0))) == 99
    factor = RNG.normal(size=101) ** 3
    counts = np.bincount(np.searchsorted(class_bounds(factor), factor, side="right"))
    assert len(counts) == 10
    assert set(counts) <= {10, 11}


def test_a_constant_has_no_classes():
    assert len(class_bounds(np.full(50, 0.1, np.float32))) == 0


def test_rows_that_share_a_value():
    column = np.array([2, 0, 2, 1, 0, 2])
    rows = sharing(column, np.array([0, 1, 3]), 1000, np.random.default_rng(0))
    assert rows.shape == (3, 1000)
    assert (column[rows] == np.array([[2], [0], [1]])).all()
    assert set(rows[0]) == {0, 2, 5}
    assert set(rows[1]) == {1, 4}
    assert 280 < (rows[0] == 5).sum() < 390


def test_levels_cut_what_is_continuous():
    factors = np.column_stack([RNG.choice([0.5, 3.0, -1.0], 2000), RNG.random(2000)])
    found = levels(factors)
    assert (np.unique(found[:, 0]) == [0, 1, 2]).all()
    assert (found[factors[:, 0] == -1.0, 0] == 0).all()
    assert (np.bincount(found[:, 1]) == 200).all()
    assert found[factors[:, 1].argmax(), 1] == 9
    assert varying(np.array([[1, 2, 3], [1, 4, 3]])).tolist() == [1]
