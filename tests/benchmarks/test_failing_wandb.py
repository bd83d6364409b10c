import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks.failing_wandb import FAILURES, WAYS, WELL, WITHOUT, Clock, main, summary


def test_a_way_is_compared_with_the_run_without_of_its_own_round():
    """The machine was three times as slow in the second round, and every way suffered alike."""
    slow = [1.0, 3.0, 1.0]
    rounds = [
        {way: {"wall_ms": k * (10 if way == WITHOUT else 11), "share": n / 100, "end_s": 2 + n} for way in WAYS}
        for n, k in enumerate(slow)
    ]
    found = summary(rounds)
    assert found[WITHOUT] == {"wall_ms": 10, "share": 0.01, "end_s": 3, "more": 0}
    for way in (WELL, *FAILURES):
        assert found[way]["more"] == pytest.approx(0.1)


def test_what_calls_take_and_what_other_threads_take():
    """The loop's own thread works, then one call and then another thread do for about as long."""

    def work():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    clock = Clock(1, 2, None, WITHOUT)
    clock.look()
    work()
    clock.timed(work)()
    other = threading.Thread(target=work)
    other.start()
    other.join()
    clock.look()
    wall, in_calls, others = (b - a for a, b in zip(*clock.looks, strict=True))
    assert 0.05 <= in_calls <= wall - 0.1
    assert 0.049 <= others <= wall - 0.1


@pytest.mark.parametrize("argument", ["iteration=5", "rounds=0", "rounds=two", "rounds"])
def test_mistakes_are_named(argument, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmarks.failing_wandb", argument])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == f"error: {argument}: iterations=… and rounds=… are whole numbers from 1"


@pytest.mark.long
def test_every_way_ends_and_is_measured():
    command = [sys.executable, "-m", "benchmarks.failing_wandb", "iterations=30", "rounds=1"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=480)
    assert ended.returncode in (0, 1), ended.stderr  # 1: W&B took more, as it may in a run this short
    found = json.loads(ended.stdout[ended.stdout.index("\n{") :])
    assert [round_.keys() for round_ in found["all"]] == [dict.fromkeys(WAYS).keys()]
    for way in WAYS:
        assert 0 <= found["found"][way]["share"] < 1
        assert 0 < found["found"][way]["wall_ms"] < 1000 * 480
