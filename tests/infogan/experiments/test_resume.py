"""A run that was stopped and continues ends where the uninterrupted one ends: difference 0."""

import hashlib
import random
import signal
import subprocess
import sys

import pytest
import torch

from infogan.config.check import check
from infogan.errors import RunError
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import TINY, ended, rows, start, tensors

LAST = 60
OPTIONS = ["callbacks.checkpoint_every=20", "callbacks.scores_every=20", "callbacks.traversals_every=30"]
"""22 batches make an epoch of the digits: 22 is the boundary, the others lie inside of one and of a logging window."""


@pytest.fixture
def make_run(compose_values, tmp_path):
    def run(name, iterations, *overrides):
        values = compose_values(
            f"trainer.max_iterations={iterations}",
            "callbacks.score_images=100",
            "callbacks.traversal_points=3",
            *OPTIONS,
            *overrides,
        )
        return create(check(values), tmp_path, name)

    return run


def assert_same(one, other):
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (one, other))
    assert a["iteration"] == b["iteration"] == LAST
    for part in ("state_dict", "optimizer_states", "callbacks"):
        pairs = list(zip(tensors(a[part]), tensors(b[part]), strict=True))
        assert part == "callbacks" or len(pairs) > 20
        assert max((float((x.double() - y.double()).abs().max()) for x, y in pairs), default=0.0) == 0.0
    assert a["callbacks"]["Scores"] == b["callbacks"]["Scores"]
    assert rows(one) == rows(other)
    assert [row["iteration"] for row in rows(one)] == [str(i) for i in range(5, LAST + 1, 5)]


@pytest.mark.parametrize(("precision", "stops"), [("float32", (22, 33, 40, 57)), ("bf16", (33,))])
def test_resume_is_exact(make_run, precision, stops):
    whole = make_run("whole", LAST, f"trainer.precision={precision}")
    train(whole)
    for stop in stops:
        folder = make_run(f"stopped-{stop}", stop, f"trainer.precision={precision}")
        train(folder)
        assert len(rows(folder)) == stop // 5
        reopen(folder, {"trainer": {"max_iterations": LAST}})
        train(folder)
        assert_same(whole, folder)


EVERYTHING = ["logger=wandb", "logger.mode=offline", "model.discriminator.spectral_norm=true", "trainer.precision=bf16",
              "model.codes.c3.sigma=learned", "model.lambda_posterior=0.5", "callbacks.health=warn",
              "callbacks.collapse.window=30", "callbacks.collapse.least_spread=0.5",
              "callbacks.collapse.least_information=0", "callbacks.collapse.recovery=1"]  # fmt: skip
"""Every part that a run can have, and a limit of its health that it does not reach."""


@pytest.mark.long
def test_resume_is_exact_at_random_iterations_with_every_part_on(make_run):
    """One inside of an epoch and of a logging window, one at the boundary of an epoch, and four that chance chose."""
    whole = make_run("whole", LAST, *EVERYTHING)
    train(whole)
    named = [line for line in (whole / "log.txt").read_text().splitlines() if "health, " in line]
    assert len(named) == 1
    for stop in (33, 44, *random.Random(7).sample(range(2, LAST), 4)):
        folder = make_run(f"stopped-{stop}", stop, *EVERYTHING)
        train(folder)
        train(reopen(folder, {"trainer": {"max_iterations": LAST}}))
        assert_same(whole, folder)
        assert (
            load_tree(newest_checkpoint(folder))["callbacks"]["Health"]
            == (load_tree(newest_checkpoint(whole))["callbacks"]["Health"])
        )
        assert (folder / "log.txt").read_text().count("health, ") == 1, "what was named is not named again"


DIES_BY_KILL = """
import os, signal, sys
from pathlib import Path
from infogan.callbacks.training_log import TrainingLog
from infogan.errors import RunError
from infogan.experiments.fit import train

log = TrainingLog.on_train_batch_end

def log_and_die(self, trainer, module, *rest):
    log(self, trainer, module, *rest)
    if module.iteration == 36:
        os.kill(os.getpid(), signal.SIGKILL)

TrainingLog.on_train_batch_end = log_and_die
train(Path(sys.argv[1]))
"""


@pytest.mark.long
def test_killed_run_continues(make_run):
    """kill -9 between two checkpoints: what was written after the newer one is measured again, once."""
    whole, killed = make_run("whole", LAST), make_run("killed", LAST)
    train(whole)
    died = subprocess.run([sys.executable, "-c", DIES_BY_KILL, killed], stdout=subprocess.DEVNULL, check=False)
    assert died.returncode == -signal.SIGKILL
    assert newest_checkpoint(killed).name == "iteration_00000020.safetensors"
    reopen(killed, {})
    train(killed)
    assert_same(whole, killed)


def test_finished_run_is_named(make_run):
    folder = make_run("finished", 5)
    train(folder)
    with pytest.raises(RunError, match=r"has finished 5 iterations: trainer\.max_iterations=<more>"):
        reopen(folder, {})


def test_run_that_was_stopped_before_its_conclusion_is_concluded(make_run):
    folder = make_run("unconcluded", 5)
    summary = train(folder)
    (folder / "summary.json").unlink()
    reopen(folder, {})
    again = train(folder)
    assert again == summary
    assert (folder / "summary.json").is_file()


def test_seed_decides(make_run, compose_values, tmp_path):
    first, second = make_run("first", 10), make_run("second", 10)
    other = create(check(compose_values("trainer.max_iterations=10", "seed=1")), tmp_path, "other")
    weights = []
    for folder in (first, second, other):
        train(folder)
        weights.append(torch.cat([t.flatten() for t in tensors(load_tree(newest_checkpoint(folder))["state_dict"])]))
    hashes = [hashlib.sha256(values.numpy().tobytes()).hexdigest() for values in weights]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


@pytest.mark.long
def test_two_processes_with_one_seed_write_one_checkpoint(tmp_path):
    """Each a command of its own: nothing comes from this process, from the clock or from the order of a set."""
    hashes = []
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        process = start(*TINY, "trainer.max_iterations=30", f"seed={seed}", f"paths.outputs={tmp_path}/{name}")
        code, _, err = ended(process)
        assert (code, err) == (0, "")
        (folder,) = (tmp_path / name).glob("*_digits")
        weights = tensors(load_tree(newest_checkpoint(folder))["state_dict"])
        hashes.append(hashlib.sha256(b"".join(t.contiguous().numpy().tobytes() for t in weights)).hexdigest())
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
