"""evaluation.json is written as it always was, older files are read, damaged ones are named with the field."""

import json
from pathlib import Path

import pytest

from infogan.errors import RunError
from infogan.run_folder.evaluation import Evaluation, flat, read_evaluation
from infogan.run_folder.files import write_json

OLDER_RUN = Path(__file__).parents[2] / "data_of_5d507ff" / "run"
VALUES = json.loads((OLDER_RUN / "evaluation.json").read_text())


def test_it_is_written_as_it_was_read(tmp_path):
    for name, values in {
        "5d507ff": VALUES,
        "little": {"iterations": 3, "image_quality": {"recall": 0.25, "samples": 100}},
        "later": VALUES | {"novelty": {"c1": {"mean": 1, "low": None}}},
    }.items():
        write_json(tmp_path / name / "evaluation.json", values)
        before = (tmp_path / name / "evaluation.json").read_bytes()
        evaluation = read_evaluation(tmp_path / name)
        evaluation.save(tmp_path / name)
        assert json.loads((tmp_path / name / "evaluation.json").read_text()) == values
        assert name == "later" or (tmp_path / name / "evaluation.json").read_bytes() == before
    assert (OLDER_RUN / "evaluation.json").read_bytes() == (tmp_path / "5d507ff" / "evaluation.json").read_bytes()


def test_what_it_says():
    evaluation = read_evaluation(OLDER_RUN)
    assert evaluation.iterations == 40
    assert evaluation.information["c2"].at_mse == VALUES["information"]["c2"]["at_mse"]
    assert evaluation.information["c1"].eval.mean == VALUES["information"]["c1"]["eval"]["mean"]
    assert evaluation.factors == "data=digits has no known factors", "why there are none"
    assert evaluation.scored.clustering == {name: VALUES["clustering"]["c1"][name] for name in ("acc", "nmi", "ari")}
    assert list(evaluation.parts) == [
        "information", "label_free", "clustering", "factors", "disentanglement", "image_quality"
    ]  # fmt: skip
    own = VALUES["information"]["c1"]["train"]
    assert evaluation.rows["information/c1/train"] == (own["mean"], own["low"], own["high"])
    assert evaluation.rows["image_quality/samples"] == (1000, None, None)
    assert not [path for path in evaluation.rows if path.startswith(("seconds", "protocol", "provenance"))]


def test_the_code_that_is_scored():
    assert Evaluation(iterations=1).scored is None
    assert Evaluation(iterations=1, clustering="no labels").scored is None
    groups = {"c1": {"nmi": 0.5, "ari": 0.25}, "c2": {"nmi": 0.5, "ari": 0.25, "acc": 0.75}}
    assert Evaluation(iterations=1, clustering=groups).scored.acc == 0.75
    assert Evaluation(iterations=1, clustering={"c1": groups["c1"]}).scored is None


def test_a_run_that_was_not_evaluated(tmp_path):
    assert read_evaluation(tmp_path) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1], "holds no object"),
        ({}, "is damaged: iterations is missing"),
        ({"information": {"c1": {"entropy": "x", "eval": {"mean": 1.0}}}}, "is damaged: information.c1.entropy=x: "),
        ({"information": {"c1": {"entropy": 1.0, "eval": {}}}}, "is damaged: information.c1.eval.mean is missing"),
        ({"information": 5}, "is damaged: information=5: "),
        ({"clustering": {"c1": {"nmi": 1.0}}}, "is damaged: clustering.c1.ari is missing"),
        ({"image_quality": {"kid": {"mean": "x"}}}, "is damaged: image_quality/kid is no number"),
        ({"novelty": {"a": {"mean": 1, "low": []}}}, "is damaged: novelty/a is no number"),
    ],
)
def test_a_damaged_one_ends_in_one_line(tmp_path, values, message):
    whole = {"iterations": 3} | values if isinstance(values, dict) and values else values
    (tmp_path / "evaluation.json").write_text(json.dumps(whole))
    with pytest.raises(RunError) as raised:
        read_evaluation(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/evaluation.json ")
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_numbers_by_their_path():
    nested = {"a": 1, "b": {"c": 0.5, "d": {"mean": 2.0, "low": 1.0}}, "text": "x", "many": [1, 2], "yes": True}
    assert flat(nested) == {"a": (1, None, None), "b/c": (0.5, None, None), "b/d": (2.0, 1.0, None)}
