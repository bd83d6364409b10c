"""What a search maximises, and what it draws."""

import pytest

from infogan.errors import RunError
from infogan.experiments.search import lock_of, objective_of, sampler, trial_name
from tests.infogan.summaries import summary_of


def test_the_objective_is_a_score_of_the_summary():
    assert objective_of(summary_of(), "information") == 2.25 + 1.5, "with σ² = MSE where σ is fixed"
    assert objective_of(summary_of(), "acc") == 0.75
    assert objective_of(summary_of(), "ari") == 0.6


@pytest.mark.parametrize(
    ("objective", "values"),
    [
        ("acc", {"acc": None}),
        ("information", {"information": {"c1": None, "c2": 0.0}}),
        ("information", {"information_at_mse": {"c2": None}}),
    ],
)
def test_what_is_not_finite_is_no_objective(objective, values):
    with pytest.raises(RunError, match=f"{objective} is not finite"):
        objective_of(summary_of(**values), objective)


def test_a_trial_is_drawn_by_the_seed_and_its_number():
    pytest.importorskip("optuna")
    drawn = [sampler(*pair)._rng.rng.random() for pair in ((0, 1), (0, 1), (0, 2), (1, 1))]
    assert drawn[0] == drawn[1] and len(set(drawn)) == 3


def test_names(tmp_path):
    assert trial_name(7) == "trial_007"
    assert lock_of(tmp_path / "searches" / "digits") == tmp_path / "searches" / "digits" / ".lock"
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"search\.folder=.*file/x cannot be written"):
        lock_of(tmp_path / "file" / "x")
