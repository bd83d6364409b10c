"""ONNX files: what they compute, and that a difference from PyTorch is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.errors import ConfigError, RunError
from infogan.trained import onnx_export
from infogan.trained.onnx_export import COMPARED, TOLERANCE, Encoder, check_packages, write_onnx

LATENTS = Latents((Categorical("c1", 3), Uniform("c2", -1.0, 1.0, None)), 2, "uniform")


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.posterior = nn.Flatten(), nn.Linear(16, LATENTS.outputs)


def model(generator=None):
    """Of 4×4 images; linear maps of fixed weights."""
    torch.manual_seed(0)
    generator = generator or nn.Sequential(nn.Linear(LATENTS.width, 16), nn.Unflatten(1, (1, 4, 4)))

    def sample(count, seed):
        return LATENTS.sample(seed, "test", 0, range(count))

    return SimpleNamespace(generator=generator.eval(), discriminator=Discriminator(), latents=LATENTS, sample=sample)


def test_the_encoder_gives_the_parameters_of_q():
    discriminator = Discriminator()
    images = torch.randn(5, 1, 4, 4)
    found = Encoder(discriminator, LATENTS)(images)
    expected = LATENTS.parameters(discriminator.posterior(images.flatten(1)))
    assert len(found) == len(expected) == 3, "probabilities; mean and width"
    for own, (name, wanted) in zip(found, expected.items(), strict=True):
        assert torch.equal(own, wanted), name
    torch.testing.assert_close(found[0].sum(dim=1), torch.ones(5))


def test_files_compute_the_same_for_any_batch(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    trained = model()
    most = write_onnx(trained, tmp_path)
    assert set(most) == {"generator.onnx", "encoder.onnx"}
    assert all(0 <= difference < TOLERANCE for difference in most.values())
    session = onnxruntime.InferenceSession(tmp_path / "generator.onnx", providers=["CPUExecutionProvider"])
    latent = trained.sample(7, seed=9)
    assert 7 not in COMPARED
    (images,) = session.run(["images"], {"latents": latent.numpy()})
    np.testing.assert_allclose(images, trained.generator(latent).detach(), atol=TOLERANCE)


class Wobbly(nn.Module):
    """Adds `by` to its images, but not while it is exported."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def forward(self, latent):
        images = latent[:, :4].reshape(-1, 1, 2, 2)
        return images if torch.compiler.is_exporting() else images + self.by


@pytest.mark.parametrize("by", [2 * TOLERANCE, -2 * TOLERANCE, float("nan"), 0.5 * TOLERANCE])
def test_a_difference_is_refused_from_the_tolerance_on(by, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = Wobbly(by).eval()
    latents = [LATENTS.sample(0, "test", 0, range(count)) for count in COMPARED]
    expected = {"images": [network(latent) for latent in latents]}
    arguments = (tmp_path / "generator.onnx", network, "latents", expected, latents)
    if by == 0.5 * TOLERANCE:
        assert onnx_export._written(*arguments) == pytest.approx(by, rel=1e-2)
    else:
        with pytest.raises(RunError, match=r"generator\.onnx differs from PyTorch by (2\.0e-04|nan), 0\.0001 or more"):
            onnx_export._written(*arguments)


def test_all_packages_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None if name != "onnx" else name)
    with pytest.raises(ConfigError, match=r"needs onnxscript, onnxruntime: pip install 'infogan-lab\[export\]'"):
        check_packages()
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: name)
    check_packages()
