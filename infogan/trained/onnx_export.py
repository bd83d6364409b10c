"""A trained model as ONNX files, for those who run it without PyTorch, held against what PyTorch computes."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from infogan.codes.latents import Latents
from infogan.errors import ConfigError, RunError
from infogan.networks import Discriminator
from infogan.trained.inference import evaluating
from infogan.trained.model import Model

OPSET = 20

TOLERANCE = 1e-4
"""The largest absolute difference that a number may have from PyTorch's."""

COMPARED = (64, 1)
"""Batches of so many latents are compared."""


class Encoder(nn.Module):
    """Trunk and posterior: (N, C, H, W) images in the networks' range → the parameters of Q(c|x), in the order of
    `Latents.parameters`."""

    def __init__(self, discriminator: Discriminator, latents: Latents) -> None:
        super().__init__()
        self.trunk, self.posterior, self.latents = discriminator.trunk, discriminator.posterior, latents

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.latents.parameters(self.posterior(self.trunk(images))).values())


def check_packages() -> None:
    """Raises ConfigError where a package is missing that ONNX files need."""
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"an export needs {', '.join(missing)}: pip install 'infogan-lab[export]'")


def write_onnx(model: Model, folder: Path) -> dict[str, float]:
    """generator.onnx: `latents` (batch, width) → `images` (batch, C, H, W). encoder.onnx: `images` → an output for each
    parameter of Q, by its name. The model lies on the CPU; any batch is taken.

    Returns by how much the numbers of each file differ from PyTorch's at most, by the file's name. Raises RunError
    where that is TOLERANCE or more.
    """
    encoder = Encoder(model.discriminator, model.latents).eval()
    batches = [model.sample(count, seed) for seed, count in enumerate(COMPARED)]
    with evaluating(model.generator, encoder):
        images = [model.generator(latent) for latent in batches]
        codes = [encoder(batch) for batch in images]
    names = list(model.latents.parameters(torch.zeros(1, model.latents.outputs)))
    by_name = dict(zip(names, zip(*codes, strict=True), strict=True))
    return {
        "generator.onnx": _written(folder / "generator.onnx", model.generator, "latents", {"images": images}, batches),
        "encoder.onnx": _written(folder / "encoder.onnx", encoder, "images", by_name, images),
    }


def _written(
    path: Path,
    network: nn.Module,
    given: str,
    expected: Mapping[str, Sequence[Tensor]],
    batches: Sequence[Tensor],
) -> float:
    """Writes the file, runs it on the batches, and returns the largest difference from what was expected of each, by
    the output's name. Raises RunError as `write_onnx`."""
    import onnxruntime
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    program = torch.onnx.export(
        network,
        (batches[0],),
        dynamo=True,
        opset_version=OPSET,
        input_names=[given],
        output_names=list(expected),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    ClearMetadataAndDocStringPass()(program.model)  # it names the files of this machine
    program.save(path, external_data=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = [session.run(list(expected), {given: batch.numpy()}) for batch in batches]
    pairs = zip(found, zip(*expected.values(), strict=True), strict=True)
    differences = [
        np.abs(own - wanted.numpy()).max()
        for of_batch, targets in pairs
        for own, wanted in zip(of_batch, targets, strict=True)
    ]
    most = float(np.max(differences))  # NaN where one is, which Python's max is not
    if not most < TOLERANCE:
        raise RunError(f"{path.name} differs from PyTorch by {most:.1e}, {TOLERANCE:g} or more: nothing was exported")
    return most
