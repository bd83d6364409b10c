"""Two processes at one run, full disks, folders that cannot be written, kill -9: what is whole stays whole."""

import ctypes
import os
import random
import signal
import subprocess
import time
from socket import gethostname

import pytest

from infogan import train as command
from infogan.config.check import check
from infogan.errors import RunError
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder import amounts
from infogan.run_folder.paths import iterations, newest_checkpoint
from infogan.run_folder.trees import load_tree, save_tree
from tests.infogan.processes import DEADLINE, SERVER, TINY, Forked, ended, largest_difference, rows, start, wait_for

RARELY = ["callbacks.scores_every=100000", "callbacks.traversals_every=100000"]


@pytest.fixture
def main(call):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(command.main, *arguments)

    return run


def test_a_second_process_is_refused_and_told_who_the_first_is(compose_values, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=100000", *RARELY)), tmp_path, "run")
    first = Forked(f"run={folder}")
    wait_for(first, lambda: rows(folder))
    with pytest.raises(RunError) as refused:
        train(folder)
    assert str(refused.value) == f"{folder}: another process is at work there (pid {first.pid} on {gethostname()})"
    first.kill()
    first.communicate()
    assert (folder / ".owner").read_text() == f"pid {first.pid} on {gethostname()}"
    train(reopen(folder, {"trainer": {"max_iterations": 5}}))  # a name without a lock hinders nobody
    assert not (folder / ".owner").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MiB: the digits' checkpoint has 1.8."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def filled_later(monkeypatch):
    """When a run begins there is room, which others take."""
    monkeypatch.setattr(amounts, "_free", lambda folder: (10**9, 10**6))


@pytest.mark.usefixtures("filled_later")
def test_a_full_disk(main, small_disk):
    run = [*TINY, *RARELY, "trainer.max_iterations=12", "callbacks.log_every=2", "callbacks.checkpoint_every=5"]
    code, out, err = main(*run, f"paths.outputs={small_disk}")
    (folder,) = small_disk.glob("*_digits")
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith(f"error: {folder}/checkpoints/iteration_00000010.safetensors could not be written: ")
    assert "No space left on device" in err
    assert f"run={folder} continues from iteration 5\n" in out
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["iteration_00000005.safetensors"]
    assert load_tree(newest_checkpoint(folder))["iteration"] == 5
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert main(f"run={folder}")[0] == 0
    assert [row["iteration"] for row in rows(folder)] == ["2", "4", "6", "8", "10", "12"]


def test_a_disk_without_room_for_a_run(main, small_disk):
    code, _, err = main(*TINY, *RARELY, "trainer.max_iterations=12", f"paths.outputs={small_disk}")
    assert code == 2 and err.startswith("error: trainer.max_iterations=12 takes ")
    assert f"the disk of {small_disk} has room for 3.1 MB, " in err
    assert list(small_disk.iterdir()) == []


@pytest.mark.usefixtures("filled_later")
def test_a_disk_that_takes_nothing_more(main, small_disk):
    """Neither rows nor lines of the log, nor the name of the owner, can be written."""
    run = [*TINY, *RARELY, "trainer.max_iterations=12", "callbacks.log_every=2", "callbacks.checkpoint_every=5"]
    main(*run, f"paths.outputs={small_disk}")
    (folder,) = small_disk.glob("*_digits")
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "filler").write_bytes(bytes(8 << 20))
    code, _, err = main(f"run={folder}")
    assert (code, err) == (2, f"error: {folder}/config.yaml could not be written: No space left on device\n")
    with pytest.raises(RunError, match="No space left on device"):
        train(folder)
    assert load_tree(newest_checkpoint(folder))["iteration"] == 5


def without_roots_privilege():
    """From here on the modes of files bind this process and what it executes, also where it is root's."""
    drop_from_bounding_set, override_modes = 24, 1  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
    if os.getuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, override_modes):
        raise OSError("root keeps its privileges here")


def test_a_folder_that_cannot_be_written(compose_values, tmp_path):
    options = [*RARELY, "trainer.max_iterations=10", "callbacks.checkpoint_every=5"]
    folder = create(check(compose_values(*options)), tmp_path, "run")
    train(folder)
    reopen(folder, {"trainer": {"max_iterations": 20}})
    checkpoints = folder / "checkpoints"
    checkpoints.chmod(0o555)
    try:
        process = start(f"run={folder}", preexec_fn=without_roots_privilege)
    except subprocess.SubprocessError:
        pytest.skip("root ignores modes, and cannot give that up here")
    code, out, err = ended(process)
    checkpoints.chmod(0o755)
    assert code == 2
    assert err.startswith(f"error: {checkpoints}/iteration_00000015.safetensors could not be written: ")
    assert "Permission denied" in err
    assert err.count("\n") == 1
    assert "continues from iteration 10\n" in out
    assert sorted(iterations(folder)) == [5, 10]
    assert load_tree(newest_checkpoint(folder))["iteration"] == 10


def until_a_new_checkpoint(process, folder, before):
    end = time.monotonic() + DEADLINE
    while newest_checkpoint(folder) == before:
        assert process.is_alive(), "the training ended by itself"
        assert time.monotonic() < end, f"no checkpoint in {DEADLINE} s"
        time.sleep(0.001)


def kill_and_continue(compose_values, tmp_path, kills):
    """Kills a run that many times, each at a random moment after it has written a checkpoint; then compares it with an
    uninterrupted one. Returns how many of the kills left a checkpoint half-written."""
    chance = random.Random(kills)
    config = check(compose_values("trainer.max_iterations=100000", "callbacks.checkpoint_every=1", *RARELY))
    folder = create(config, tmp_path, "killed")
    torn, half_written = 0, set()
    for _ in range(kills):
        before = newest_checkpoint(folder)
        process = SERVER.Process(target=train, args=(folder,))
        process.start()
        until_a_new_checkpoint(process, folder, before)
        assert not any(path.exists() for path in half_written)
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        half_written = set((folder / "checkpoints").glob(".*"))
        torn += bool(half_written)
        newest = newest_checkpoint(folder)
        assert load_tree(newest)["iteration"] == int(newest.stem.rpartition("_")[2])
    last = {"trainer": {"max_iterations": iterations(folder)[0] + 5}}
    train(reopen(folder, last))
    whole = create(config.model_copy(update={"trainer": config.trainer.model_copy(update=last["trainer"])}),
                   tmp_path, "whole")  # fmt: skip
    train(whole)
    assert largest_difference(folder, whole) == 0.0
    assert rows(folder) == rows(whole)
    return torn


def test_kill_at_random_moments(compose_values, tmp_path):
    kill_and_continue(compose_values, tmp_path, 3)


@pytest.mark.long
def test_fifty_kills(compose_values, tmp_path):
    torn = kill_and_continue(compose_values, tmp_path, 50)
    print(f"{torn} of 50 kills met a save")
    assert torn > 0


def test_what_a_killed_save_left_is_never_picked_up(compose_values, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=5", *RARELY)), tmp_path, "run")
    (folder / "checkpoints").mkdir()
    left = [folder / "checkpoints" / name for name in (".iteration_00000004.safetensors.123", ".tmpAbCdEf")]
    for path in left:
        save_tree(path, {"iteration": 4})
    assert newest_checkpoint(folder) is None
    train(folder)
    assert iterations(folder) == [5]
    assert not any(path.exists() for path in left)
