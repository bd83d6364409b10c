"""The files of an exported model that `infogan.load` opens."""

from pathlib import Path

from infogan.config.opening import ExportedConfig
from infogan.run_folder.amounts import Amount
from infogan.run_folder.configuration import EXPORTED, save_exported
from infogan.run_folder.trees import save_tensors
from infogan.trained.model import WEIGHTS, Trained

CARD = 4_000_000
"""Bytes that a model card takes at most, with the grid of each code."""


def write_model(trained: Trained, folder: Path) -> None:
    """The weights, config.json, and summary.json where the run has finished."""
    networks = {"generator": trained.generator, "discriminator": trained.discriminator}
    weights = {
        f"{name}.{key}": value.contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    save_tensors(folder / WEIGHTS, weights)
    save_exported(exported(trained), folder)
    if trained.summary is not None:
        trained.summary.save(folder)
    (folder / WEIGHTS).chmod((folder / EXPORTED).stat().st_mode)  # safetensors keeps its files from others


def expected(trained: Trained) -> Amount:
    """What an exported folder takes on the disk: its weights twice, once for ONNX, beside a card with its pictures."""
    networks = (trained.generator, trained.discriminator)
    weights = sum(value.nbytes for network in networks for value in network.state_dict().values())
    return Amount(2 * weights + CARD, 6 + len(trained.latents.codes))


def exported(trained: Trained) -> ExportedConfig:
    """config.json: what `infogan.load` builds the networks from, and what users of the ONNX files must know."""
    config = trained.config
    return ExportedConfig(
        data=config.data.name,
        seed=config.seed,
        iterations=trained.iteration,
        model=config.model,
        **trained.layout,
    )
