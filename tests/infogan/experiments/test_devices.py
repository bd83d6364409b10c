"""Several devices train on the images and latents that one would have had."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from infogan.experiments.build import build_module
from infogan.run_folder.configuration import read_config
from infogan.run_folder.paths import iterations, newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import ended, rows, start, wait_for

WITHOUT_BATCH_NORM = [
    f"model.{layer}.batch_norm=false"
    for layer in ("generator.layers.0", "generator.layers.1", "discriminator.trunk.1", "discriminator.posterior.0")
]
RUN = ["logger=none", "trainer=cpu", "trainer.precision=float32", "trainer.threads=1"]


IN_DOUBLE_PRECISION = """
from infogan.codes.latents import Latents
from infogan.datamodules import base
from infogan.experiments.machine import PRECISIONS
from infogan.train import main

PRECISIONS["float32"] = "64-true"
sample, scaled = Latents.sample, base.scaled
Latents.sample = lambda *arguments, **options: sample(*arguments, **options).double()
base.scaled = lambda *arguments: scaled(*arguments).double()
main()
"""


def runs_on_one_and_two(tmp_path, *overrides, program=("-m", "infogan.train")):
    """The run folders of the same training in one process and in two."""
    folders = []
    for devices in (1, 2):
        outputs = tmp_path / str(devices)
        options = [*RUN, *WITHOUT_BATCH_NORM, *overrides, f"trainer.devices={devices}", f"paths.outputs={outputs}"]
        subprocess.run([sys.executable, *program, *options], check=True, stdout=subprocess.DEVNULL, timeout=300)
        folders.extend(outputs.iterdir())
    return folders


@pytest.mark.long
@pytest.mark.parametrize(
    ("overrides", "count"), [([], 7), (["model.balance=0.5", "model.posterior_optimizer=generator"], 8)]
)
def test_two_processes_follow_one(tmp_path, overrides, count):
    """Gradient norms aside, which are those of each process's share."""
    options = ["trainer.max_iterations=20", "callbacks.log_every=1", *overrides]
    one, two = map(rows, runs_on_one_and_two(tmp_path, *options))
    names = [name for name in one[0] if name.startswith(("loss/", "D/", "information/", "balance"))]
    assert len(one) == 20 and len(names) == count
    for row, other in zip(one, two, strict=True):
        expected = {name: float(row[name]) for name in names}
        assert {name: float(other[name]) for name in names} == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.long
@pytest.mark.parametrize(("last", "double", "rtol", "atol"), [(5, False, 1e-5, 1e-6), (20, True, 1e-9, 1e-12)])
def test_the_weights_of_two_processes_are_those_of_one(tmp_path, last, double, rtol, atol):
    """In float32 for as long as rounding does not decide: Adam makes whole steps of what it left of gradients near 0,
    so that in 20 iterations noise of 1e-9 on one process's weights parts it from itself. In double precision for 20."""
    program = ["-m", "infogan.train"]
    if double:
        program = [str(tmp_path / "train.py")]
        (tmp_path / "train.py").write_text(IN_DOUBLE_PRECISION)
    folders = runs_on_one_and_two(tmp_path / "runs", f"trainer.max_iterations={last}", program=program)
    one, two = (load_tree(newest_checkpoint(folder))["state_dict"] for folder in folders)
    initial = build_module(read_config(folders[0])).state_dict()
    for name, weight in one.items():
        assert weight.dtype == (torch.float64 if double else torch.float32)
        assert (weight - initial[name]).abs().max() > 1e-4  # half of D's learning rate
        torch.testing.assert_close(two[name], weight, rtol=rtol, atol=atol)


@pytest.mark.long
def test_a_signal_to_the_first_of_two_processes_stops_both(tmp_path):
    process = start(
        *RUN, *WITHOUT_BATCH_NORM, "callbacks.log_every=5", "trainer.devices=2", f"paths.outputs={tmp_path}"
    )
    folder = wait_for(process, lambda: next((p.parent for p in tmp_path.glob("*/metrics.csv") if rows(p.parent)), None))
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    assert (code, err.splitlines()[-1]) == (143, "stopped by SIGTERM")
    (stopped_at,) = iterations(folder)
    assert stopped_at % 5 == 0, "they agree where they meet for the log"
    assert out.count(f"continues from iteration {stopped_at}\n") == 1


def ranks_of(pid):
    """The processes that one has started which train too: Lightning starts the other ranks with the same command."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in children if b"infogan.train" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_there(pid):
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.long
@pytest.mark.parametrize("killed", [0, 1])
def test_where_one_of_two_processes_dies_the_other_ends(tmp_path, killed):
    """Within 60 s, with an exit code that is not 0, and nothing is left running; then the run continues."""
    options = [*RUN, *WITHOUT_BATCH_NORM, "callbacks.log_every=5", "callbacks.checkpoint_every=20",
               "callbacks.scores_every=100000", "callbacks.traversals_every=100000"]  # fmt: skip
    process = start(*options, "trainer.max_iterations=1000000", "trainer.devices=2", f"paths.outputs={tmp_path}")
    folder = wait_for(process, lambda: next((p.parents[1] for p in tmp_path.glob("*/checkpoints/i*")), None))
    (other,) = ranks_of(process.pid)
    died = time.monotonic()
    os.kill((process.pid, other)[killed], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    while is_there(other) and time.monotonic() < died + 60:
        time.sleep(0.1)
    left = [pid for pid in (process.pid, other) if is_there(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == [], f"{out}{err}"
    assert process.returncode == (-signal.SIGKILL if killed == 0 else 2)
    print(f"rank {killed} died: the group ended after {time.monotonic() - died:.1f} s, code {process.returncode}")
    assert err.splitlines()[-1].startswith("error: another of the 2 processes of this run has ended: ")
    assert load_tree(newest_checkpoint(folder))["iteration"] % 20 == 0
    resumed = start(f"run={folder}", "trainer.devices=1", f"trainer.max_iterations={iterations(folder)[0] + 1}")
    assert ended(resumed)[0] == 0
