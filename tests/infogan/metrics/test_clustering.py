from itertools import permutations

import numpy as np
import pytest

from infogan.metrics.clustering import (
    accuracy,
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
    one_to_one_matching,
)


def pairs(table):
    """The clusters and the labels of a table of counts."""
    where = [(k, c) for k, row in enumerate(table) for c, count in enumerate(row) for _ in range(count)]
    return np.array(where).T


def test_contingency_by_hand():
    clusters, labels = np.array([0, 0, 1, 2, 2, 2]), np.array([1, 1, 0, 3, 3, 1])
    expected = [[0, 2, 0, 0], [1, 0, 0, 0], [0, 1, 0, 2]]
    assert contingency(clusters, labels, 3, 4).tolist() == expected
    assert contingency(clusters.astype(np.uint8), labels, 3, 4).tolist() == expected


def test_contingency_keeps_empty_rows_and_columns():
    assert contingency(np.array([1]), np.array([0]), 3, 2).tolist() == [[0, 0], [1, 0], [0, 0]]


def test_contingency_of_small_integers_does_not_overflow():
    clusters = np.full(5, 19, dtype=np.uint8)
    assert contingency(clusters, np.full(5, 19), 20, 20)[19, 19] == 5


def test_permuted_labels_are_a_perfect_clustering():
    labels = np.arange(1000) % 10
    renaming = np.random.default_rng(0).permutation(10)
    clusters = renaming[labels]
    matching = one_to_one_matching(contingency(clusters, labels, 10, 10))
    assert matching[renaming].tolist() == list(range(10))
    assert accuracy(clusters, labels, matching) == 1
    assert normalised_mutual_information(clusters, labels) == pytest.approx(1)
    assert adjusted_rand_index(clusters, labels) == pytest.approx(1)


def test_two_clusters_cannot_share_a_label():
    table = np.array([[5, 0, 0], [4, 1, 0], [0, 0, 6]])  # purity 15/16; one-to-one 5 + 1 + 6
    clusters, labels = pairs(table)
    matching = one_to_one_matching(contingency(clusters, labels, 3, 3))
    assert matching.tolist() == [0, 1, 2]
    assert accuracy(clusters, labels, matching) == 12 / 16


def test_the_best_matching_is_not_greedy():
    matching = one_to_one_matching(np.array([[10, 9], [9, 1]]))  # greedy 10 + 1, best 9 + 9
    assert matching.tolist() == [1, 0]


def test_matching_against_all_permutations():
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = rng.integers(0, 20, (4, 4))
        best = max(sum(table[k, p[k]] for k in range(4)) for p in permutations(range(4)))
        matching = one_to_one_matching(table)
        assert sorted(matching) == [0, 1, 2, 3]
        assert table[np.arange(4), matching].sum() == best
        clusters, labels = pairs(table)
        assert accuracy(clusters, labels, matching) == pytest.approx(best / table.sum())


def test_clusters_without_a_label():
    table = np.array([[1, 0], [9, 0], [0, 0], [0, 8]])
    matching = one_to_one_matching(table)
    assert matching.tolist() == [-1, 0, -1, 1]
    clusters, labels = pairs(table)
    assert accuracy(clusters, labels, matching) == 17 / 18


def test_fewer_clusters_than_classes():
    assert one_to_one_matching(np.array([[0, 2, 7], [3, 0, 8]])).tolist() == [1, 2]


def test_nmi_by_hand():
    clusters, labels = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    # I = ln 2, H(clusters) = ln 2, H(labels) = 1.5 ln 2: the arithmetic mean is 1.25 ln 2
    assert normalised_mutual_information(clusters, labels) == pytest.approx(0.8)


def test_ari_by_hand():
    clusters, labels = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    # pairs together: 1 in both, 2 and 1 apart of 6: (1 - 2·1/6) / ((2 + 1)/2 - 2·1/6)
    assert adjusted_rand_index(clusters, labels) == pytest.approx(4 / 7)


def test_random_clusters_say_nothing():
    rng = np.random.default_rng(0)
    clusters, labels = rng.integers(0, 10, (2, 5000))
    assert 0 < normalised_mutual_information(clusters, labels) < 0.01
    assert -0.005 < adjusted_rand_index(clusters, labels) < 0.005
    matching = one_to_one_matching(contingency(clusters, labels, 10, 10))
    assert 0.1 < accuracy(clusters, labels, matching) < 0.14


def test_one_cluster_of_everything():
    labels = np.arange(100) % 10
    clusters = np.zeros(100, dtype=int)
    assert normalised_mutual_information(clusters, labels) == pytest.approx(0, abs=1e-9)
    assert adjusted_rand_index(clusters, labels) == pytest.approx(0, abs=1e-9)
