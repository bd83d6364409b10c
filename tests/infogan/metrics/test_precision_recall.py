import numpy as np
import pytest

from infogan.metrics import precision_recall as module
from infogan.metrics.precision_recall import covered, precision_recall, squared_distances

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(600, 16)).astype(np.float32)


def test_the_same_set_twice():
    assert precision_recall(CLOUD, CLOUD) == (1, 1)


def test_two_samples_of_one_distribution_cover_most_of_each_other():
    precision, recall = precision_recall(RNG.normal(size=(1000, 4)), RNG.normal(size=(1000, 4)))
    assert 0.85 < precision < 0.98
    assert 0.85 < recall < 0.98


def test_sets_far_apart():
    assert precision_recall(CLOUD, CLOUD + 100) == (0, 0)


def test_fakes_of_one_mode_of_two_are_precise_and_recall_half():
    modes = np.repeat([[0.0], [1000.0]], 500, axis=0) + RNG.normal(size=(1000, 2))
    precision, recall = precision_recall(modes, RNG.normal(size=(1000, 2)))
    assert 0.9 < precision <= 1
    assert 0.45 < recall <= 0.5


def test_half_of_the_fakes_are_no_images_at_all():
    fake = np.concatenate([RNG.normal(size=(500, 2)), RNG.normal(size=(500, 2)) + 1000])
    precision, recall = precision_recall(RNG.normal(size=(1000, 2)), fake)
    assert 0.45 < precision <= 0.5
    assert 0.9 < recall <= 1


def test_a_generator_that_always_gives_one_real_image():
    """It is precise, and covers no more than that image: its k-th neighbour is as near as rounding lets it be."""
    real = RNG.normal(size=(200, 300)) + 50
    assert precision_recall(real, np.repeat(real[:1], 100, axis=0)) == (1, 1 / 200)


def test_the_radius_is_the_distance_to_the_kth_neighbour_other_than_itself():
    """0, 1, 2, 3 on a line: with k = 1 each covers 1 around it, so -0.9 and 4 are in, 4.1 is not; with k = 2 it is."""
    members = np.arange(4.0)[:, None]
    points = np.array([[-0.9], [4.0], [4.1], [5.1]])
    assert covered(points, members, k=1) == 0.5
    assert covered(points, members, k=2) == 0.75


def test_chunks_change_nothing(monkeypatch):
    whole = precision_recall(CLOUD, CLOUD[:301] * 1.3)
    assert whole != (1, 1)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert precision_recall(CLOUD, CLOUD[:301] * 1.3) == whole


def test_squared_distances():
    a, b = RNG.normal(size=(5, 3)), RNG.normal(size=(7, 3))
    expected = np.square(a[:, None] - b).sum(axis=2)
    assert np.concatenate(list(squared_distances(a, b))) == pytest.approx(expected)


def test_sets_with_no_kth_neighbour_are_refused():
    with pytest.raises(ValueError, match="more than k=3 members, not 600 and 3"):
        precision_recall(CLOUD, CLOUD[:3])
