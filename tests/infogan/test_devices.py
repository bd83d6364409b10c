"""Several devices train on the images and latents that one would have had."""

import subprocess
import sys

import pytest
import torch

from infogan.storage import load_tree, newest_checkpoint

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
