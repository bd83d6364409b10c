"""A trained model, opened from its run folder: neither Lightning nor Hydra is needed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from infogan.config import Config
from infogan.errors import ConfigError, RunError
from infogan.inference import encode, generate
from infogan.latents import Code, Latents
from infogan.networks import Discriminator, Generator
from infogan.networks.generator import value_range
from infogan.pixels import scaled, to_uint8
from infogan.records import read_config, read_summary
from infogan.storage import checkpoint_path, iterations, load_tree, newest_checkpoint


@dataclass(frozen=True)
class Trained:
    """Generator, discriminator and posterior after training, in eval mode on one device, with what made them.

    `iteration`: after how many iterations. `summary`: what training measured at its end (empty where it was stopped
    before). `matching`: the class that each category of the scored code stands for, None where no code has as many
    categories as the data set has classes.
    """

    folder: Path
    config: Config
    latents: Latents
    generator: Generator
    discriminator: Discriminator
    iteration: int

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """summary.json, empty where the run has not finished. Raises RunError where it is damaged."""
        return read_summary(self.folder)

    @property
    def value_range(self) -> tuple[float, float]:
        """The range of the generator's images."""
        return value_range(self.config.model.generator)

    @property
    def matching(self) -> dict[int, str] | None:
        matching = self.summary.get("matching")
        return matching and {int(category): name for category, name in matching.items()}

    @property
    def scored_code(self) -> Code | None:
        """The code whose categories `matching` names, the first with as many as there are classes; None without."""
        matching = self.matching or {}
        return next((code for code in self.latents.codes if matching and code.classes == len(matching)), None)

    def sample(self, count: int, seed: int, stream: str = "generate") -> Tensor:
        """`count` latents, codes and noise: (count, width). A function of seed and stream."""
        return self.latents.sample(seed, stream, 0, range(count))

    def generate(self, latent: Tensor) -> np.ndarray:
        """(N, width) latents → (N, H, W, C) uint8 images."""
        return to_uint8(generate(self.generator, latent), self.value_range)

    def encode(self, images: np.ndarray) -> dict[str, Tensor]:
        """(N, H, W, C) uint8 images → E[c|x] of each code by name: (N, K) probabilities, or (N, 1) values.

        Raises RunError where the images have not the model's shape.
        """
        channels, height, width = self.generator.image_shape
        if images.shape[1:] != (height, width, channels) or images.dtype != np.uint8:
            raise RunError(
                f"the model reads uint8 images of {height}×{width}×{channels}, not {images.dtype} of "
                f"{'×'.join(str(size) for size in images.shape[1:])}"
            )
        q = encode(self.discriminator, self._batches(images))
        return self.latents.split(self.latents.posterior_mean(q))

    def _batches(self, images: np.ndarray, batch_size: int = 500) -> Iterable[Tensor]:
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        return (scaled(part, self.value_range) for part in pixels.split(batch_size))


def load(folder: str | Path, iteration: int | None = None, device: str = "cpu") -> Trained:
    """Opens the model of a run folder on a device, at its newest checkpoint or at that of `iteration`.

    >>> model = infogan.load("outputs/2026-11-25_01-02-25_digits")
    >>> images = model.generate(model.sample(16, seed=0))

    Raises RunError where the folder is no run, has no such checkpoint, or is damaged.
    """
    folder = Path(folder).expanduser()
    config = read_config(folder)
    checkpoint = newest_checkpoint(folder) if iteration is None else checkpoint_path(folder, iteration)
    if checkpoint is None:
        raise RunError(f"{folder} has no checkpoint yet: python -m infogan.train run={folder} trains it")
    tree = load_tree(checkpoint)
    latents = Latents.of(config.model)
    generator = Generator(config.model.generator, latents.width)
    discriminator = Discriminator(config.model.discriminator, generator.image_shape, latents.outputs)
    try:
        state, reached = tree["state_dict"], tree["iteration"]
        for name, network in (("generator", generator), ("discriminator", discriminator)):
            own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            network.load_state_dict(own)
            network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{checkpoint} does not fit the model of {folder}/config.yaml: {reason}") from None
    return Trained(folder, config, latents, generator, discriminator, reached)


def load_whole(folder: Path, device: str, tell: Callable[[str], object]) -> Trained:
    """`load` at the newest checkpoint that is whole; `tell` hears of those that are not. RunError without one."""
    read_config(folder)
    kept = iterations(folder)
    for iteration in kept[:-1]:
        try:
            return load(folder, iteration, device)
        except RunError as error:
            tell(f"{error}; the one before it is taken instead")
    return load(folder, kept[-1] if kept else None, device)


def device_of(accelerator: Literal["auto", "cpu", "gpu"]) -> str:
    """The device that a command works on: `auto` is the first GPU where there is one. Raises ConfigError for a `gpu`
    that PyTorch does not see."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("accelerator=gpu: PyTorch sees no GPU on this machine; accelerator=cpu works without one")
    return "cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu"
