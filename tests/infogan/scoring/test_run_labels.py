"""Runs in a few characters."""

from infogan.config.differences import short_names
from infogan.scoring.many_runs import Run
from infogan.scoring.run_labels import label_of


def test_what_tells_runs_apart():
    """λ first, once for what varies together; a run's name where there is more than two things to say."""
    runs = [
        Run(
            None,
            {"model.lambda_categorical": k, "model.lambda_continuous": k, "model.other": str(k), "data.size": s},
            {},
        )
        for k in (0.0, 0.5)
        for s in (28, 32)
    ]
    names = short_names([run.settings for run in runs])
    assert names == {"model.lambda_categorical": "λ", "data.size": "size"}
    assert label_of(runs[1], names, with_seed=False) == "λ=0 size=32"
    mixed = [{"model.lambda_categorical": k, "model.lambda_continuous": 2 * k} for k in (0.5, 1.0)]
    assert short_names(mixed) == {"model.lambda_categorical": "λ_categorical"}
    assert short_names([{}]) == {}
