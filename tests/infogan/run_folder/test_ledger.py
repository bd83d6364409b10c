"""A line a run: what is known of it, once."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from infogan.errors import RunError
from infogan.run_folder.ledger import COLUMNS, add_lines, line_of

OLDER_RUN = Path(__file__).parents[2] / "data_of_5d507ff" / "run"


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(OLDER_RUN, tmp_path / "outputs" / "run")


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_line_says_what_the_files_say(run):
    os.utime(run / "summary.json", (1_000_000_000, 1_000_000_000))
    line = line_of(run)
    summary = json.loads((run / "summary.json").read_text())
    (start,) = json.loads((run / "provenance.json").read_text())
    assert tuple(line) == COLUMNS
    assert (line["run"], line["command"], line["commit"]) == ("run", start["command"], start["revision"])
    assert (line["machine"], line["iterations"], line["seed"]) == (start["machine"], "40", "0")
    assert float(line["acc"]) == pytest.approx(summary["acc"], rel=1e-5)
    expected = summary["information"]["c1"] + sum(summary["information_at_mse"].values())
    assert float(line["information"]) == pytest.approx(expected, rel=1e-5)
    assert float(line["label_free"]) == pytest.approx(0.57033509, rel=1e-5)
    assert line["date"] == "2001-09-09"


def test_seconds_are_those_of_the_loop(run):
    """Two windows of 10 iterations of 64 images at 64 images a second, and one at 640."""
    (run / "metrics.csv").write_text("iteration,images_per_second\n10,64\n20,64\n30,640\n")
    assert line_of(run)["seconds"] == "21.0"
    (run / "metrics.csv").unlink()
    assert line_of(run)["seconds"] == ""


def test_what_is_not_known_is_empty(run):
    change(run / "summary.json", acc=None, nmi=None, ari=None, information={"c1": None, "c2": 0.5, "c3": 0.5})
    change(run / "evaluation.json", iterations=20)
    (run / "provenance.json").unlink()
    line = line_of(run)
    assert [name for name in COLUMNS if not line[name]] == [
        "command", "commit", "machine", "acc", "nmi", "ari", "information", "label_free"
    ]  # fmt: skip


def test_a_run_that_went_on_with_other_code(run):
    (start,) = json.loads((run / "provenance.json").read_text())
    starts = [start, start, start | {"revision": "abc", "uncommitted_changes": True, "command": "later", "gpus": ["H"]}]
    (run / "provenance.json").write_text(json.dumps(starts))
    line = line_of(run)
    assert line["commit"] == f"{start['revision']} abc+"
    assert line["command"] == start["command"] and line["machine"] == f"{start['machine']}, H"


def test_a_job_of_a_sweep_is_named_with_it(run):
    (run.parent / "multirun.yaml").touch()
    assert line_of(run)["run"] == "outputs/run"


def test_a_run_that_has_not_finished_is_refused(run):
    change(run / "summary.json", iterations=20)
    with pytest.raises(RunError, match=r"has not finished: python -m infogan.train run="):
        line_of(run)
    (run / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json could not be read"):
        line_of(run)


def test_a_run_is_noted_once(run, tmp_path):
    ledger = tmp_path / "docs" / "ledger.csv"
    assert add_lines(ledger, [line_of(run), line_of(run)]) == 1
    before = ledger.read_bytes()
    os.utime(run / "summary.json", (1_000_000_000, 1_000_000_000))
    assert add_lines(ledger, [line_of(run)]) == 0, "a copy of its folder is of another date"
    assert ledger.read_bytes() == before
    (run / "evaluation.json").unlink()
    assert add_lines(ledger, [line_of(run)]) == 1, "another line: the score is missing"
    assert [line["label_free"] != "" for line in read(ledger)] == [True, False]
    assert ledger.read_text().startswith(",".join(COLUMNS) + "\n")


def test_lines_that_are_there_are_kept(run, tmp_path):
    """Also what a person wrote into one, with commas and quotes."""
    ledger = tmp_path / "ledger.csv"
    own = line_of(run) | {"run": "another", "command": 'python -m infogan.train "model.x=[1,2]"', "seconds": ""}
    add_lines(ledger, [own])
    add_lines(ledger, [line_of(run)])
    assert read(ledger) == [own, line_of(run)]


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", ",".join(COLUMNS) + "\nx\n", ",".join((*COLUMNS, "more")) + "\n"]
)
def test_what_is_no_ledger_is_left_alone(run, tmp_path, content):
    (tmp_path / "ledger.csv").write_text(content)
    with pytest.raises(RunError, match=r"ledger\.csv is no ledger: its columns must be run,command,"):
        add_lines(tmp_path / "ledger.csv", [line_of(run)])
    assert (tmp_path / "ledger.csv").read_text() == content
