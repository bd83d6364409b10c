import numpy as np
import pytest

from infogan.metrics.consensus import partition_agreement

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.integers(4, size=(2, 4000))


def test_names_and_order_of_categories_do_not_matter():
    renamed = np.array([2, 0, 3, 1])[FIRST]
    assert partition_agreement([FIRST], [renamed]) == pytest.approx((1, 1))
    assert partition_agreement([FIRST, SECOND], [SECOND, renamed]) == pytest.approx((1, 1))
    assert 0 <= max(partition_agreement([FIRST], [SECOND])) < 0.01


def test_by_hand():
    """Two of four categories merged: I = H(merged) = 1.5 ln 2 of entropies 2 ln 2 and 1.5 ln 2."""
    four = np.tile(np.arange(4), 1000)
    merged = np.array([0, 0, 1, 2])[four]
    nmi = 1.5 / ((2 + 1.5) / 2)
    assert partition_agreement([four], [merged]) == pytest.approx((nmi, nmi))
    other = np.repeat(np.arange(4), 1000)
    assert partition_agreement([four, other], [four]) == pytest.approx((0.5, 1)), "the second code is known to none"
