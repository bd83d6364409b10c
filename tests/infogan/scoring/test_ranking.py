"""Rankings, correlations and spreads by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from infogan.scoring.many_runs import Run
from infogan.scoring.ranking import choices, correlations, ranked, spread


def fake(name, seed, settings, **scores):
    return Run(SimpleNamespace(folder=SimpleNamespace(name=name), config=SimpleNamespace(seed=seed)), settings, scores)


RUNS = [
    fake("a", 0, {"model.lambda_categorical": 1.0}, centrality=0.3, acc=0.9, nmi=0.5, **{"label_free/score": 0.2}),
    fake("b", 1, {"model.lambda_categorical": 1.0}, centrality=0.2, acc=0.8, nmi=0.5, **{"label_free/score": 0.9}),
    fake("c", 0, {"model.lambda_categorical": 0.0}, centrality=0.1, acc=0.7, nmi=0.5, **{"label_free/score": 0.4}),
]


def test_ranked():
    assert [run.name for run in ranked(RUNS)[0]] == ["a", "b", "c"]
    assert ranked(RUNS)[1] == "centrality"
    two, criterion = ranked(RUNS[:2])
    assert ([run.name for run in two], criterion) == (["b", "a"], "label_free/score")
    assert ranked([*RUNS[:2], fake("z", 0, {})])[1] is None, "no score that all of them have"
    more = [
        fake(name, 0, {}, consensus=value, centrality=-value) for name, value in (("x", 0.1), ("y", 0.3), ("z", 0.2))
    ]
    assert [run.name for run in ranked(more)[0]] == ["y", "z", "x"]
    assert {name: run.name for name, run in choices(more).items()} == {"consensus": "y", "centrality": "x"}


def test_correlations():
    """Of three ranks each, 1 - 6 Σd² / 24."""
    found = correlations(RUNS)
    assert found["centrality"]["acc"] == pytest.approx(1)
    ranks = np.array([3, 2, 1]), np.array([1, 3, 2])
    by_hand = 1 - 6 * np.square(ranks[0] - ranks[1]).sum() / (3 * 8)
    assert found["label_free/score"]["acc"] == pytest.approx(by_hand) == pytest.approx(-0.5)
    assert set(found) == {"centrality", "label_free/score"}
    assert all(set(row) == {"acc"} for row in found.values()), "nmi is the same for all: no ranks"


def test_spread():
    first, second = spread(RUNS)
    assert (first["seeds"], second["seeds"]) == ([0, 1], [0])
    assert first["settings"] == {"model.lambda_categorical": 1.0}
    assert first["scores"]["acc"] == {"median": pytest.approx(0.85), "low": 0.8, "high": 0.9, "count": 2}


def test_spread_of_scores_that_the_first_run_does_not_have():
    evaluated = fake("b", 1, {}, acc=0.8, **{"image_quality/recall": 0.25})
    (group,) = spread([fake("a", 0, {}, acc=0.9), evaluated])
    assert group["scores"]["image_quality/recall"] == {"median": 0.25, "low": 0.25, "high": 0.25, "count": 1}
    assert group["scores"]["acc"]["count"] == 2
