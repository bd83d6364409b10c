"""How a run was started: by which command, of which code; by the first of its processes."""

import json
import sys
from types import SimpleNamespace

import pytest

from infogan.run_folder import provenance as module
from infogan.run_folder.provenance import add_provenance, command, provenance
from infogan.run_folder.ranks import is_rank_zero


def typed(monkeypatch, spec, *words):
    monkeypatch.setattr(sys, "argv", list(words))
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))


def test_the_command_is_what_was_typed(monkeypatch):
    typed(monkeypatch, SimpleNamespace(name="infogan.train"), "/x/train.py", "data=digits", "model.name=a b")
    assert command() == "python -m infogan.train data=digits 'model.name=a b'"
    typed(monkeypatch, None, "mine.py", "seed=3")
    assert command() == "python mine.py seed=3"
    typed(monkeypatch, None, "mine.py")
    assert command() == "python mine.py"


def test_each_start_is_added_by_the_first_process(monkeypatch, tmp_path):
    typed(monkeypatch, None, "one.py")
    add_provenance(tmp_path)
    typed(monkeypatch, None, "two.py")
    add_provenance(tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_rank_zero()
    add_provenance(tmp_path)
    starts = json.loads((tmp_path / "provenance.json").read_text())
    assert [start["command"] for start in starts] == ["python one.py", "python two.py"]
    assert set(starts[0]) == {
        "command", "revision", "uncommitted_changes", "python", "torch", "lightning", "machine", "gpus"
    }  # fmt: skip


@pytest.mark.parametrize("error", [OSError("no git"), module.subprocess.CalledProcessError(128, "git")])
def test_without_git_the_revision_is_not_known(monkeypatch, error):
    def run(*words, **options):
        raise error

    monkeypatch.setattr(module.subprocess, "run", run)
    found = provenance()
    assert (found["revision"], found["uncommitted_changes"]) == (None, None)


def test_the_first_process_is_the_one_without_a_rank(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert is_rank_zero()
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert is_rank_zero()
