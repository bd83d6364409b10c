"""summary.json is written as it always was, older files are read, damaged ones are named with the field."""

import json
from pathlib import Path

import pytest

from infogan.errors import RunError
from infogan.run_folder.files import write_json
from infogan.run_folder.summary import Summary, read_summary
from tests.infogan.summaries import VALUES, summary_of

OLDER_RUN = Path(__file__).parents[2] / "data_of_5d507ff" / "run"


def test_it_is_written_as_it_was_read(tmp_path):
    """Byte by byte: a file of 5d507ff, one of before there were factors and epochs, one with what a later version
    adds."""
    for name, values in {
        "5d507ff": json.loads((OLDER_RUN / "summary.json").read_text()),
        "earlier": {key: value for key, value in VALUES.items() if key not in ("factors", "iterations_an_epoch")},
        "later": VALUES | {"novelty": {"c1": [1, 2]}},
    }.items():
        write_json(tmp_path / name / "summary.json", values)
        before = (tmp_path / name / "summary.json").read_bytes()
        summary = read_summary(tmp_path / name)
        summary.save(tmp_path / name)
        assert (tmp_path / name / "summary.json").read_bytes() == before
    assert (OLDER_RUN / "summary.json").read_bytes() == (tmp_path / "5d507ff" / "summary.json").read_bytes()


def test_what_it_says():
    summary = read_summary(OLDER_RUN)
    assert (summary.data, summary.iterations, summary.lambdas["c2"]) == ("digits", 40, 1.0)
    assert list(summary.clustering) == ["acc", "nmi", "ari"] and summary.clustering["acc"] == summary.acc
    assert summary.refitted_information["c1"] == summary.information["c1"]
    assert summary.refitted_information["c2"] == summary.information_at_mse["c2"]
    assert summary_of(acc=None, nmi=None, ari=None).clustering == {}


def test_a_run_that_has_not_finished(tmp_path):
    assert read_summary(tmp_path) is None


def without(key):
    return {name: value for name, value in VALUES.items() if name != key}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "could not be read: "),
        ("[]", "holds no object"),
        ("{}", "data is missing; seed is missing; "),
        (json.dumps(without("entropy")), "is damaged: entropy is missing"),
        (json.dumps(without("lambda")), "is damaged: lambda is missing"),
        (json.dumps(VALUES | {"acc": "good"}), "is damaged: acc=good: input should be a valid number"),
        (json.dumps(VALUES | {"seed": True}), "is damaged: seed=true: "),
        (json.dumps(VALUES | {"information": {"c1": "x"}}), "is damaged: information.c1=x: "),
        (json.dumps(VALUES | {"entropy": {"": "x"}}), "is damaged: entropy.=x: "),
        (json.dumps(VALUES | {"nmi": float("nan")}), "is damaged: nmi=nan: input should be a finite number"),
        (json.dumps(VALUES | {"ari": 10**400}), "is damaged: ari=1000"),
        (json.dumps(VALUES | {"acc": "\ud800"}), "is damaged: acc=\\ud800: "),
        (json.dumps(VALUES | {"matching": {"first": "7"}}), "is damaged: matching.first"),
        (json.dumps(VALUES | {"factors": {"nmi": {"c1": 0.5}}}), "is damaged: factors.nmi.c1=0.5: "),
    ],
)
def test_a_damaged_one_ends_in_one_line(tmp_path, content, message):
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(RunError) as raised:
        read_summary(tmp_path)
    line = str(raised.value)
    assert line.startswith(f"{tmp_path}/summary.json ") and message in line and "\n" not in line
    line.encode()


def test_it_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        summary_of().acc = 1.0
    assert isinstance(summary_of(), Summary)
