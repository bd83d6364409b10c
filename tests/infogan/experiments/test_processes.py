"""An error is another process's end only where one has ended, whatever the error says."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from infogan.errors import RunError
from infogan.experiments import processes


@pytest.fixture
def trainer_of():
    """Lightning's trainer of a first process with one more, which has ended or has not."""
    started = []

    def trainer(ended):
        script = "pass" if ended else "input()"
        started.append(subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE))
        if ended:
            started[-1].wait()
        return SimpleNamespace(world_size=2, strategy=SimpleNamespace(launcher=SimpleNamespace(procs=started)))

    yield trainer
    for process in started:
        process.communicate(b"\n")


def test_an_error_that_has_another_cause_passes(trainer_of, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0)
    for error in (RuntimeError("gloo is a word of this message"), RuntimeError("shapes do not fit")):
        with pytest.raises(RuntimeError) as raised, processes.ended_ones_named(trainer_of(ended=False)):
            raise error
        assert raised.value is error


def test_another_process_has_ended(trainer_of):
    said = r"^another of the 2 processes of this run has ended: connection reset by peer$"
    with pytest.raises(RunError, match=said), processes.ended_ones_named(trainer_of(ended=True)):
        raise RuntimeError("connection reset\nby peer")


def test_of_a_process_that_the_first_has_started(trainer_of, monkeypatch):
    """It has no children; the first is its parent."""
    trainer = SimpleNamespace(world_size=2, strategy=SimpleNamespace(launcher=SimpleNamespace(procs=[])))
    monkeypatch.setattr(processes, "PATIENCE", 0)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(RuntimeError, match=r"^shapes$"), processes.ended_ones_named(trainer):
        raise RuntimeError("shapes")
    with pytest.raises(RunError, match="has ended: closed"), processes.ended_ones_named(trainer):
        monkeypatch.setattr(processes.os, "getppid", lambda: 1)
        raise RuntimeError("closed")


def test_one_process_alone(monkeypatch):
    trainer = SimpleNamespace(world_size=1, strategy=SimpleNamespace(launcher=None))
    with pytest.raises(RuntimeError, match=r"^gloo$"), processes.ended_ones_named(trainer):
        raise RuntimeError("gloo")
