import numpy as np
import pytest

from infogan.metrics.factor_vae import majority_accuracy
from infogan.metrics.model_centrality import centrality, group_votes

RNG = np.random.default_rng(0)


def test_centrality_by_hand():
    """Symmetrised: 0-1 (.8 + .6) / 2, 0-2 (.2 + .4) / 2, 1-2 (.5 + .1) / 2; the diagonal takes no part."""
    agreement = np.array([[9.0, 0.8, 0.2], [0.6, 9.0, 0.5], [0.4, 0.1, 9.0]])
    assert centrality(agreement) == pytest.approx([(0.7 + 0.3) / 2, (0.7 + 0.3) / 2, (0.3 + 0.3) / 2])
    with pytest.raises(ValueError, match="two models"):
        centrality(np.ones((1, 1)))
    partly = np.array([[9.0, 0.8, np.nan], [0.6, 9.0, 0.5], [np.nan, 0.1, 9.0]])
    assert centrality(partly) == pytest.approx([0.7, (0.7 + 0.3) / 2, 0.3]), "those that were not compared"
    with pytest.raises(ValueError, match="each compared"):
        centrality(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_votes_of_groups_that_share_a_code():
    """Readings in another order and scale vote for their own code; a dead reading for none."""
    fixed = np.arange(60) % 3
    codes = RNG.uniform(-1, 1, (60, 50, 3))
    for group, f in enumerate(fixed):
        codes[group, :, f] = codes[group, 0, f]
    readings = np.concatenate([codes[..., [2, 0, 1]] * [1, 10, 0.1], np.ones((60, 50, 1))], axis=-1)
    votes = group_votes(readings, fixed, 3)
    assert votes.tolist() == [[0, 0, 20], [20, 0, 0], [0, 20, 0], [0, 0, 0]]
    assert majority_accuracy(votes, votes) == 1
    blind = group_votes(RNG.standard_normal((60, 50, 3)), fixed, 3)
    assert 0.3 < majority_accuracy(blind, blind) < 0.7
    assert group_votes(np.ones((60, 50, 2)), fixed, 3).sum() == 0
