"""`infogan.ledger` adds finished runs to a file, each once."""

import csv
import shutil
from pathlib import Path

import pytest

from infogan import ledger

OLDER_RUN = Path(__file__).parents[1] / "data_of_5d507ff" / "run"


@pytest.fixture
def sweep(tmp_path):
    """Three runs, of which one has not finished."""
    for name in ("a", "b", "c"):
        shutil.copytree(OLDER_RUN, tmp_path / "outputs" / "sweep" / name)
    (tmp_path / "outputs" / "sweep" / "b" / "summary.json").unlink()
    return tmp_path / "outputs" / "sweep"


@pytest.fixture
def command(call, tmp_path, monkeypatch):
    """Runs the command in tmp_path; returns its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return call(ledger.main, *arguments)

    return run


def names(path):
    with path.open() as file:
        return [line["run"] for line in csv.DictReader(file)]


def test_a_sweep_and_then_its_runs(command, sweep, tmp_path):
    code, out, err = command("sweep=outputs/sweep")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"left out: {sweep}/b has not finished: python -m infogan.train run={sweep}/b continues it",
        "docs/ledger.csv: 2 of 2 runs added, 0 were there",
    ]
    assert names(tmp_path / "docs" / "ledger.csv") == ["a", "c"]
    code, out, _ = command(f"run=[{sweep}/a,{sweep}/c]")
    assert (code, out) == (0, "docs/ledger.csv: 0 of 2 runs added, 2 were there\n")
    assert command(f"run={sweep}/a", "to=other.csv")[0] == 0
    assert names(tmp_path / "other.csv") == ["a"]


def test_the_latest(command, tmp_path):
    shutil.copytree(OLDER_RUN, tmp_path / "outputs" / "mine")
    assert command("run=latest")[0] == 0
    assert names(tmp_path / "docs" / "ledger.csv") == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "must say which runs"),
        (["run=latest", "sweep=outputs/sweep"], "must say which runs"),
        (["run=outputs/sweep/b"], "there is no finished run to note"),
        (["run=[]"], "run"),
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["sweep=outputs"], "holds no run"),
        (["run=latest", "to=docs/ledger.md"], "its name must end in .csv"),
    ],
)
def test_mistakes(command, sweep, tmp_path, arguments, message):
    code, _, err = command(*arguments)
    assert code == 2 and message in err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert not (tmp_path / "docs").exists()
