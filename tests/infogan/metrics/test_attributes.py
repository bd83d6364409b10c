"""Attributes: known answers, from both sides."""

import numpy as np
import pytest

from infogan.metrics.attributes import (
    auroc,
    best_sums,
    either_way,
    entropy_reduction,
    linear_probe,
    total_auroc_difference,
)

RNG = np.random.default_rng(0)
HAS = RNG.random((4000, 3)) < [0.5, 0.1, 0.3]


def test_auroc_is_the_share_of_pairs_in_order():
    """By hand: with 3, 1 and without 2, 1, 0 → 3 > all (3 of 3), 1 > 0, 1 = 1 (1.5 of 3): 4.5 of 6."""
    scores, has = np.array([[3, 1, 2, 1, 0.0]]).T, np.array([[1, 1, 0, 0, 0]]).T
    assert auroc(scores, has).tolist() == [[4.5 / 6]]
    assert auroc(-scores, has).tolist() == [[1.5 / 6]]


def test_auroc_of_all_pairs():
    scores, has = RNG.integers(0, 5, (60, 4)).astype(float), RNG.random((60, 3)) < 0.4
    found = auroc(scores, has)
    assert found.shape == (4, 3)
    for d in range(4):
        for a in range(3):
            yes, no = scores[has[:, a], d], scores[~has[:, a], d]
            wins = (yes[:, None] > no).mean() + (yes[:, None] == no).mean() / 2
            assert found[d, a] == pytest.approx(wins)


def test_auroc_of_the_ends():
    has = HAS.astype(float)
    perfect, nothing = auroc(has, HAS).diagonal(), auroc(np.zeros((4000, 1)), HAS)
    assert perfect.tolist() == [1, 1, 1]
    assert nothing.tolist() == [[0.5, 0.5, 0.5]]
    assert auroc(-has, HAS).diagonal().tolist() == [0, 0, 0]
    assert np.isnan(auroc(has, np.array([[1, 0]] * 4000))).all()
    assert either_way(np.array([0.2, 0.5, 0.9])).tolist() == pytest.approx([0.8, 0.5, 0.9])


def test_two_normals():
    """AUROC of N(d, 1) against N(0, 1) is Φ(d / √2): d = 1 → 0.7602."""
    has = np.arange(40_000) % 2
    scores = RNG.standard_normal(40_000) + has
    assert auroc(scores[:, None], has[:, None])[0, 0] == pytest.approx(0.7602, abs=0.01)


def test_the_best_sum_is_the_union():
    """Categories 1 and 3 of 5 have the attribute: together they tell it surely, each alone does not."""
    category = RNG.integers(5, size=2000)
    rows = np.eye(5)[category]
    has = np.isin(category, [1, 3])[:, None]
    chosen = best_sums(rows, has)
    assert chosen.T.tolist() == [[0, 1, 0, 1, 0]]
    assert auroc(rows @ chosen, has)[0, 0] == 1
    assert 0.7 < auroc(rows, has).max() < 0.8


def test_no_other_set_is_better():
    """Of sure categories, all 2^4 - 2 sets tried."""
    category = RNG.integers(4, size=3000)
    has = (RNG.random(3000) < np.array([0.7, 0.2, 0.4, 0.6])[category])[:, None]
    rows = np.eye(4)[category]
    sets = np.array([[number >> k & 1 for k in range(4)] for number in range(1, 15)]).T
    every = auroc(rows @ sets, has)[:, 0]
    assert auroc(rows @ best_sums(rows, has), has)[0, 0] == pytest.approx(every.max())
    assert best_sums(rows, has).T.tolist() == [[1, 0, 0, 1]]


def test_a_sum_is_never_all_or_nothing():
    rows = np.full((100, 6), 1 / 6)
    counts = best_sums(rows, HAS[:100]).sum(axis=0)
    assert (counts >= 1).all()
    assert (counts <= 5).all()


def test_a_linear_probe_finds_what_no_code_alone_tells():
    """The attribute is x + y > 0: a line tells it surely. x alone has density (1 + x) / 2 with it, and (1 - x) / 2
    without: P(x₁ > x₀) = ∫ (1 + x) / 2 · (3/4 + x/2 - x²/4) dx = 5/6."""
    x = RNG.uniform(-1, 1, (8000, 2))
    has = (x.sum(axis=1) > 0)[:, None]
    odds = linear_probe(x[:4000], has[:4000], x[4000:])
    assert odds.shape == (4000, 1)
    assert auroc(odds, has[4000:])[0, 0] > 0.999
    assert auroc(x, has)[:, 0] == pytest.approx([5 / 6, 5 / 6], abs=0.015)


def test_a_linear_probe_of_nothing_is_chance():
    x = RNG.standard_normal((4000, 5))
    area = auroc(linear_probe(x[:2000], HAS[:2000], x[2000:]), HAS[2000:]).diagonal()
    assert np.abs(area - 0.5).max() < 0.08
    constant = linear_probe(x[:50], np.ones((50, 1)), x[:3])
    assert np.isnan(constant).all()


def test_a_linear_probe_does_not_ask_for_units():
    x = RNG.standard_normal((1000, 2))
    has = (x[:, :1] > 0.5).astype(int)
    scaled = x * [1e-6, 1e6] + [5, -1e7]
    assert linear_probe(scaled, has, scaled[:9]) == pytest.approx(linear_probe(x, has, x[:9]), rel=1e-4)


def test_entropy_reduction():
    """Of a copy all; of an independent one nothing; of noise with share ε of a fair coin 1 - H(ε) / ln 2."""
    coin = RNG.random(200_000) < 0.5
    noisy = coin ^ (RNG.random(200_000) < 0.1)
    apart = RNG.random(200_000) < 0.5
    expected = 1 + (0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))
    found = entropy_reduction(np.stack([coin, noisy, apart], axis=1))
    assert found[:2] == pytest.approx([expected, expected], abs=0.005)
    assert 0 <= found[2] < 1e-3
    assert entropy_reduction(np.stack([coin, ~coin], axis=1)) == pytest.approx([1, 1])
    assert entropy_reduction(coin[:, None]).tolist() == [0]
    assert entropy_reduction(np.stack([coin, np.ones_like(coin)], axis=1)).tolist() == [0, 0]


def test_entropy_reduction_has_a_direction():
    """b = a and a fair coin: I = H(b) - ½ ln 2. It takes all that b shares of a: I / H(a), less than I / H(b)."""
    a, coin = RNG.random((2, 200_000)) < 0.5
    both = a & coin
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    shared = entropy - np.log(2) / 2
    found = entropy_reduction(np.stack([a, both], axis=1))
    assert found == pytest.approx([shared / np.log(2), shared / entropy], abs=0.005)


def test_tad():
    """Three independent attributes: the first .9 against .6, the second .8 against .8, the third below .75."""
    areas = np.array([[0.9, 0.8, 0.74], [0.6, 0.8, 0.5], [0.55, 0.5, 0.5]])
    total, captured = total_auroc_difference(areas, HAS)
    assert total == pytest.approx(0.3)
    assert captured.tolist() == [True, True, False]
    assert total_auroc_difference(areas[:1], HAS)[0] == pytest.approx(0.4 + 0.3)
    assert total_auroc_difference(np.full((3, 3), 0.5), HAS)[0] == 0


def test_tad_leaves_out_attributes_that_another_one_tells():
    double = np.column_stack([HAS, HAS[:, 0]])
    areas = np.array([[0.9, 0.8, 0.5, 0.9], [0.6, 0.5, 0.5, 0.6]])
    total, captured = total_auroc_difference(areas, double)
    assert total == pytest.approx(0.3)
    assert captured.tolist() == [False, True, False, False]
