"""One process at a time in a folder; who asks whether there is one hinders nobody."""

import fcntl
import os
import threading
from socket import gethostname

import pytest

from infogan.errors import RunError
from infogan.run_folder.locks import claimed, held, is_held
from tests.infogan.processes import DEADLINE


def test_one_at_a_time(tmp_path):
    me = f"pid {os.getpid()} on {gethostname()}"
    assert not is_held(tmp_path)
    with claimed(tmp_path):
        assert is_held(tmp_path) and (tmp_path / ".owner").read_text() == me
        with pytest.raises(RunError) as refused, claimed(tmp_path):
            pytest.fail("it is held")
        assert str(refused.value) == f"{tmp_path}: another process is at work there ({me})"
        assert is_held(tmp_path), "who is refused releases nothing"
    assert not is_held(tmp_path) and not (tmp_path / ".owner").exists()


def test_the_name_that_a_killed_process_left_hinders_nobody(tmp_path):
    (tmp_path / ".owner").write_text("pid 1 on another host, with a long name")
    assert not is_held(tmp_path)
    with claimed(tmp_path):
        assert (tmp_path / ".owner").read_text() == f"pid {os.getpid()} on {gethostname()}"


def test_an_error_releases_it(tmp_path):
    with pytest.raises(ZeroDivisionError), claimed(tmp_path):
        _ = 1 / 0
    assert not is_held(tmp_path)
    with claimed(tmp_path) as log:
        log.write("second\n")
    with claimed(tmp_path) as log:
        log.write("third\n")
    assert (tmp_path / "log.txt").read_text() == "second\nthird\n"


def test_a_start_while_somebody_asks_is_not_refused(tmp_path, monkeypatch):
    """A thread starts at the moment at which the asker has its lock, who continues when it waits or has ended."""
    (tmp_path / ".owner").write_text("a killed process")
    came, outcome, flock = threading.Event(), [], fcntl.flock

    def start():
        with (tmp_path / "log.txt").open("a") as stream:
            try:
                with held(stream, tmp_path):
                    outcome.append("held")
            except RunError as error:
                outcome.append(str(error))
        came.set()

    thread = threading.Thread(target=start, daemon=True)

    def watched(file, operation):
        if threading.current_thread() is thread:
            if not operation & fcntl.LOCK_NB:
                came.set()
            flock(file, operation)
            return
        flock(file, operation)
        if not thread.ident:
            thread.start()
            assert came.wait(DEADLINE)

    monkeypatch.setattr(fcntl, "flock", watched)
    assert not is_held(tmp_path)
    thread.join(DEADLINE)
    assert outcome == ["held"]


def test_two_who_ask_do_not_take_each_other_for_the_owner(tmp_path):
    (tmp_path / ".owner").write_text("a killed process")
    with (tmp_path / ".owner").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_held(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    message = r"nowhere/log\.txt could not be written: No such file"
    with pytest.raises(RunError, match=message), claimed(tmp_path / "nowhere"):
        pytest.fail("there is no folder")


def test_it_is_held_also_where_the_name_cannot_be_written(tmp_path):
    """The name is for people."""
    (tmp_path / ".owner").mkdir()
    with claimed(tmp_path), pytest.raises(RunError) as refused, claimed(tmp_path):
        pytest.fail("it is held")
    assert str(refused.value) == f"{tmp_path}: another process is at work there"
