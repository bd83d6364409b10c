"""Several devices train on the images and latents that one would have had."""

import signal
import subprocess
import sys

import pytest
import torch

from infogan.storage import iterations, load_tree, newest_checkpoint
from tests.infogan.processes import ended, rows, start, wait_for

WITHOUT_BATCH_NORM = [
    f"model.{layer}.batch_norm=false"
    for layer in ("generator.layers.0", "generator.layers.1", "discriminator.trunk.1", "discriminator.posterior.0")
]
RUN = ["logger=none", "trainer=cpu", "trainer.precision=float32", "trainer.threads=1", "trainer.max_iterations=20"]


@pytest.mark.long
def test_two_processes_follow_one(tmp_path):
    weights = []
    for devices in (1, 2):
        outputs = tmp_path / str(devices)
        command = [
            sys.executable,
            "-m",
            "infogan.train",
            *RUN,
            *WITHOUT_BATCH_NORM,
            f"trainer.devices={devices}",
            f"paths.outputs={outputs}",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
        (folder,) = outputs.iterdir()
        weights.append(load_tree(newest_checkpoint(folder))["state_dict"])
    for name, one in weights[0].items():
        torch.testing.assert_close(weights[1][name], one, rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_a_signal_to_the_first_of_two_processes_stops_both(tmp_path):
    process = start(
        *RUN[:-1], *WITHOUT_BATCH_NORM, "callbacks.log_every=5", "trainer.devices=2", f"paths.outputs={tmp_path}"
    )
    folder = wait_for(process, lambda: next((p.parent for p in tmp_path.glob("*/metrics.csv") if rows(p.parent)), None))
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    assert (code, err.splitlines()[-1]) == (143, "stopped by SIGTERM")
    (stopped_at,) = iterations(folder)
    assert stopped_at % 5 == 0, "they agree where they meet for the log"
    assert out.count(f"goes on from iteration {stopped_at}\n") == 1
