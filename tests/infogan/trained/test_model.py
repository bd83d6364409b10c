"""A model opened from its run folder gives what the trained module gave."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import infogan
from infogan.config.check import check
from infogan.errors import ConfigError, RunError
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.networks.value_range import to_uint8
from infogan.trained.model import device_of


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of 20 iterations."""
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    outputs = tmp_path_factory.mktemp("outputs")
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=20"])
    folder = create(check(OmegaConf.to_container(values, resolve=True)), outputs, "run")
    return folder, train(folder)


def test_it_is_the_model_that_was_trained(finished):
    from infogan.experiments.build import build_module
    from infogan.run_folder.paths import newest_checkpoint
    from infogan.run_folder.trees import load_tree

    folder, summary = finished
    model = infogan.load(folder)
    assert (model.iteration, model.summary.acc) == (20, summary.acc)
    assert model.matching == {int(k): name for k, name in summary.matching.items()}
    module = build_module(model.config)
    module.load_state_dict(load_tree(newest_checkpoint(folder))["state_dict"])
    module.eval()
    latent = model.sample(7, seed=3)
    with torch.no_grad():
        images = module.generator(latent)
        q = module.discriminator(images)[1]
    pixels = model.images(latent)
    assert pixels.shape == (7, 8, 8, 1)
    assert (pixels == to_uint8(images, module.value_range)).all()
    codes = model.encode(pixels)
    assert torch.allclose(codes["c1"], q[:, :10].softmax(1), atol=2e-2)  # rounded to uint8 between
    assert torch.allclose(codes["c2"], q[:, 10:11], atol=2e-2)
    assert torch.allclose(codes["c1"].sum(dim=1), torch.ones(7))


def test_samples_are_a_function_of_their_seed(finished):
    model = infogan.load(finished[0])
    assert torch.equal(model.sample(1200, seed=1), torch.cat(list(model.latent_batches(1200, seed=1))))
    assert torch.equal(model.sample(5, seed=1), model.sample(9, seed=1)[:5])
    assert not torch.equal(model.sample(5, seed=1), model.sample(5, seed=2))


def test_images_of_another_shape_are_refused(finished):
    model = infogan.load(finished[0])
    with pytest.raises(RunError, match="8×8×1, not uint8 of 9×8×1"):
        model.encode(np.zeros((2, 9, 8, 1), np.uint8))
    with pytest.raises(RunError, match="not float64"):
        model.encode(np.zeros((2, 8, 8, 1)))


def test_neither_lightning_nor_hydra_is_loaded(finished):
    script = (
        "import sys, infogan\n"
        f"model = infogan.load({str(finished[0])!r})\n"
        "model.encode(model.generate(count=4))\n"
        "print([m for m in ('lightning', 'hydra', 'omegaconf', 'wandb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the run to damage."""
    import shutil

    return shutil.copytree(finished[0], tmp_path / "copy")


def test_what_is_not_a_run(copy, tmp_path):
    with pytest.raises(RunError, match=r"holds no config\.yaml"):
        infogan.load(tmp_path)
    for text, message in (("a: [", "could not be read"), ("[]", "does not fit"), ("seed: 0", "data is missing")):
        (copy / "config.yaml").write_text(text)
        with pytest.raises(RunError, match=message) as error:
            infogan.load(copy)
        assert "\n" not in str(error.value)


def test_a_run_without_a_checkpoint(copy):
    for path in (copy / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(RunError, match="no checkpoint yet"):
        infogan.load(copy)


def test_a_checkpoint_of_another_model(copy):
    config = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(config.replace("noise: 62", "noise: 61"))
    with pytest.raises(RunError, match="does not fit the model") as error:
        infogan.load(copy)
    assert "\n" not in str(error.value)


def test_a_damaged_summary(copy):
    (copy / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json could not be read"):
        _ = infogan.load(copy).matching
    (copy / "summary.json").write_text(json.dumps([1]))
    with pytest.raises(RunError, match="holds no object"):
        _ = infogan.load(copy).matching


def test_the_device_of_a_command(monkeypatch):
    for seen, expected in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda seen=seen: seen)
        assert (device_of("auto"), device_of("cpu")) == (expected, "cpu")
    assert device_of("gpu") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="accelerator=gpu: PyTorch sees no GPU"):
        device_of("gpu")
