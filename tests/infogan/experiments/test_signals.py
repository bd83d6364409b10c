"""Real signals to real processes: what is on the disk afterwards, what was said, and that the run continues exactly."""

import os
import signal
import subprocess
import sys

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder.paths import iterations
from infogan.run_folder.summary import read_summary
from infogan.train import main
from infogan.training.signals import StopSignals
from tests.infogan.processes import TINY, Forked, ended, largest_difference, rows, wait_for

LAST = 200
EVERY = 5
RUN = [*TINY, f"trainer.max_iterations={LAST}", f"callbacks.log_every={EVERY}", "callbacks.checkpoint_every=10000",
       "callbacks.scores_every=10000", "callbacks.traversals_every=10000"]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of the same run, uninterrupted."""
    outputs = tmp_path_factory.mktemp("whole")
    with initialize_config_module("infogan.conf", version_base="1.3"):
        composed = compose("train", [*RUN, f"paths.stores={outputs}/stores"])
    folder = create(check(OmegaConf.to_container(composed, resolve=True)), outputs, "whole")
    train(folder)
    return folder


def resume(folder):
    """As `run=<folder>` does, in this process."""
    train(reopen(folder, {}))


def training(outputs):
    """The run folder once a few rows are in metrics.csv, else None."""
    return next((path.parent for path in outputs.glob("*/metrics.csv") if len(rows(path.parent)) > 3), None)


SLURM = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "infogan", "SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1",
         "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NODELIST": "here"}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "code", "environment"),
    [
        pytest.param(signal.SIGTERM, 143, {}, marks=pytest.mark.long),
        (signal.SIGINT, 130, {}),
        pytest.param(signal.SIGUSR1, 138, {}, marks=pytest.mark.long),
        (signal.SIGUSR1, 138, SLURM),  # where Lightning would write a checkpoint of its own and requeue the job
    ],
    ids=["SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR1 in Slurm"],
)
def test_a_run_is_stopped_between_two_iterations_and_continues_exactly(
    tmp_path, whole, monkeypatch, number, code, environment
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    process = Forked(*RUN, f"paths.outputs={tmp_path}")
    folder = wait_for(process, lambda: training(tmp_path))
    process.send_signal(number)
    result, out, err = ended(process)
    assert (result, err) == (code, f"stopped by {number.name}\n")
    (stopped_at,) = iterations(folder)
    assert 0 < stopped_at < LAST
    assert out.count("stopped: ") == 1
    assert f"stopped: python -m infogan.train run={folder} continues from iteration {stopped_at}\n" in out
    assert len(rows(folder)) == stopped_at // EVERY
    assert {path.name for path in folder.iterdir()} <= {
        "config.yaml", "provenance.json", "metrics.csv", "log.txt", "checkpoints", "figures"
    }  # fmt: skip

    resume(folder)
    assert largest_difference(folder, whole) == 0.0
    assert rows(folder) == rows(whole)


HANGS = """
import sys, time
from infogan.training.module import InfoGAN
from infogan.train import main

step = InfoGAN.training_step

def hang(self, batch, index):
    if self.iteration == 21:
        print("hanging", flush=True)
        time.sleep(600)
    return step(self, batch, index)

InfoGAN.training_step = hang
main()
"""


def test_a_second_sigint_ends_at_once(tmp_path):
    """The first is noted while an iteration hangs, SIGTERM does not change that, and the second does not wait."""
    process = Forked(*RUN, f"paths.outputs={tmp_path}", program=("-c", HANGS))
    while process.stdout.readline() != "hanging\n":
        assert process.poll() is None
    for number in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert iterations(next(tmp_path.glob("*_digits"))) == []


def raised_in(where):
    """A program that gets SIGTERM when it enters that method."""
    module, _, name = where.rpartition(":")
    owner, method = name.split(".")
    return f"""
import os, signal
from {module} import {owner}
from infogan.train import main

method = {owner}.{method}

def signalled(self, *arguments, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return method(self, *arguments, **options)

{owner}.{method} = signalled
main()
"""


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("infogan.training.module:InfoGAN.configure_optimizers", None),  # before the first iteration
        pytest.param("infogan.training.module:InfoGAN.training_step", 1, marks=pytest.mark.long),  # in the first
        # the last is over, and the finished model is measured
        pytest.param("infogan.callbacks.conclusion:Conclusion.measure", 7, marks=pytest.mark.long),
    ],
)
def test_a_signal_before_the_first_iteration_and_after_the_last(tmp_path, where, kept):
    short = [*TINY, "trainer.max_iterations=7", "callbacks.log_every=2", f"paths.outputs={tmp_path}"]
    code, out, err = ended(Forked(*short, program=("-c", raised_in(where))))
    assert (code, err) == (143, "stopped by SIGTERM\n")
    (folder,) = tmp_path.glob("*_digits")
    assert iterations(folder) == ([] if kept is None else [kept])
    then = "starts it again; there is no checkpoint yet" if kept is None else f"continues from iteration {kept}"
    assert f"stopped: python -m infogan.train run={folder} {then}\n" in out
    summary = read_summary(folder)
    assert summary is None or summary.measured_images is None
    resume(folder)
    assert read_summary(folder).measured_images == 7 * 64
    assert [row["iteration"] for row in rows(folder)] == ["2", "4", "6"]


def test_a_signal_ends_the_whole_sweep_which_then_continues(tmp_path, monkeypatch, capsys):
    sweep = tmp_path / "sweep"
    command = ["-m", *RUN[1:], f"paths.outputs={tmp_path}", f"hydra.sweep.dir={sweep}"]
    process = Forked(*command, "seed=0,1")
    folder = wait_for(process, lambda: training(sweep))
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    assert (code, err) == (143, "stopped by SIGTERM\n")
    assert out.splitlines()[-1] == f"sweep stopped: the same command with hydra.sweep.dir={sweep} continues it"
    assert [path.name for path in sweep.iterdir() if path.is_dir()] == ["seed_0"], "the second job was not begun"
    (stopped_at,) = iterations(folder)
    monkeypatch.setattr(sys, "argv", ["infogan.train", *command, "seed=0,1"])
    main()
    assert f"continuing after iteration {stopped_at}" in capsys.readouterr().out
    assert {path.parent.name for path in sweep.glob("*/summary.json")} == {"seed_0", "seed_1"}


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        signals.hold_back()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signals.asked == signal.SIGUSR1
    assert signal.getsignal(signal.SIGTERM) is before
