"""A trained model, opened from its run folder or from an exported one: neither Lightning nor Hydra is needed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from infogan.codes.code import Code
from infogan.codes.latents import NONE_SELECTED, Latents, Selected
from infogan.config.extensions import give
from infogan.config.model import ModelConfig
from infogan.config.training import Config
from infogan.errors import ConfigError, RunError
from infogan.networks import Discriminator, Generator, build_discriminator, build_generator
from infogan.networks.value_range import scaled, to_uint8, value_range
from infogan.run_folder.configuration import EXPORTED, read_config, read_exported
from infogan.run_folder.paths import checkpoint_path, iterations, newest_checkpoint
from infogan.run_folder.summary import Factors, Summary, read_summary
from infogan.run_folder.trees import load_tensors, load_tree
from infogan.trained.inference import encode, generate

BATCH_SIZE = 500
"""Images that are in memory at a time. Which latents an image gets depends on it."""

WEIGHTS = "model.safetensors"
"""In an exported folder."""


@dataclass(frozen=True)
class Model:
    """Generator, discriminator and posterior after training, in eval mode on one device.

    `iteration`: after how many iterations. `value_range`: of the networks' images. `summary`: what training measured at
    its end (None where it was stopped before). `matching`: the class that each category of the scored code stands for,
    None where no code has as many categories as the data set has classes.
    """

    folder: Path
    latents: Latents
    generator: Generator
    discriminator: Discriminator
    value_range: tuple[float, float]
    iteration: int

    @cached_property
    def summary(self) -> Summary | None:
        """summary.json, None where the run has not finished. Raises RunError where it is damaged."""
        return read_summary(self.folder)

    @property
    def matching(self) -> dict[int, str] | None:
        if self.summary is None or self.summary.matching is None:
            return None
        return {int(category): name for category, name in self.summary.matching.items()}

    @property
    def factors(self) -> Factors:
        """How each code goes with each factor, as training measured it; empty where it did not, or none is known."""
        return {} if self.summary is None else self.summary.factors

    @property
    def is_finished(self) -> bool:
        """Whether this model is the one that training ended with, and measured."""
        return self.summary is not None and self.summary.iterations == self.iteration

    @property
    def scored_code(self) -> Code | None:
        """The code whose categories `matching` names, the first with as many as there are classes; None without."""
        return None if self.matching is None else self.latents.code_for_classes(len(self.matching))

    @property
    def layout(self) -> dict[str, Any]:
        """What an image and a latent look like to whoever has the networks alone, as in `ExportedConfig`."""
        return {
            "image_shape": [*self.generator.image_shape],
            "value_range": [*self.value_range],
            "columns": {name: [*columns] for name, columns in self.latents.columns.items()},
            "width": self.latents.width,
        }

    def generate(self, count: int, seed: int = 0, **codes: Any) -> np.ndarray:
        """`count` images, (count, H, W, C) uint8: those of `python -m infogan.generate` with the same seed and codes.

        A code by its name: a continuous one takes a number or "low:high", a categorical one a category or a list of
        some; what is not given is drawn as in training. Raises ConfigError for a code or a value that there is not.

        >>> model.generate(count=16, seed=0, c1=3, c2=0.5)
        """
        if count < 1:
            raise ConfigError(f"count={count}: must be at least 1")
        selected = self.latents.selections(codes)
        return np.concatenate([self.images(latent) for latent in self.latent_batches(count, seed, selected)])

    def images(self, latent: Tensor) -> np.ndarray:
        """(N, width) latents → (N, H, W, C) uint8 images."""
        return to_uint8(generate(self.generator, latent), self.value_range)

    def latent_batches(self, count: int, seed: int, selected: Selected = NONE_SELECTED) -> Iterator[Tensor]:
        """The latents of `count` images, batch by batch, whose codes are drawn as in training or, by name, as
        `selected` says. A function of the seed: row k is the same for every `count`, and has the same noise for all
        selections.
        """
        for index, start in enumerate(range(0, count, BATCH_SIZE)):
            yield self.latents.sample(seed, "generate", index, range(min(BATCH_SIZE, count - start)), selected)

    def sample(self, count: int, seed: int) -> Tensor:
        """`count` latents, codes and noise, (count, width): those of `latent_batches`. A function of the seed."""
        return torch.cat(list(self.latent_batches(count, seed)))

    def encode(self, images: np.ndarray) -> dict[str, Tensor]:
        """(N, H, W, C) uint8 images → E[c|x] of each code by name: (N, K) probabilities, or (N, 1) values.

        Raises RunError where the images have not the model's shape.
        """
        return self.latents.split(self.latents.posterior_mean(self.posterior(images)))

    def posterior(self, images: np.ndarray) -> Tensor:
        """(N, H, W, C) uint8 images → Q's output, (N, outputs). Raises RunError as `encode`."""
        channels, height, width = self.generator.image_shape
        if images.shape[1:] != (height, width, channels) or images.dtype != np.uint8:
            raise RunError(
                f"the model reads uint8 images of {height}×{width}×{channels}, not {images.dtype} of "
                f"{'×'.join(str(size) for size in images.shape[1:])}"
            )
        return encode(self.discriminator, self._batches(images))

    def _batches(self, images: np.ndarray, batch_size: int = 500) -> Iterable[Tensor]:
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        return (scaled(part, self.value_range) for part in pixels.split(batch_size))


@dataclass(frozen=True)
class Trained(Model):
    """A model in its run folder, with the configuration that it was trained with."""

    config: Config


def load(folder: str | Path, device: str = "cpu", imports: Iterable[str] = ()) -> Model:
    """Opens a trained model on a device: that of a run folder at its newest checkpoint, or one that was exported.

    >>> model = infogan.load("outputs/2026-11-25_01-02-25_digits")
    >>> images = model.generate(count=16, seed=0, c1=3, c2=0.5)    # (16, 8, 8, 1) uint8
    >>> codes = model.encode(images)    # {"c1": (16, 10) probabilities, "c2": (16, 1) values, "c3": (16, 1) values}

    `imports`: the paths, package.module:Class, of classes of other packages that the folder may name.
    Raises RunError where the folder is neither, has no checkpoint yet, is damaged, or names another class by its path.
    Nothing in it is ever executed.
    """
    give([*imports])
    folder = Path(folder).expanduser()
    if (folder / "config.yaml").exists():
        return load_run(folder, device=device)
    if not (folder / EXPORTED).exists():
        raise RunError(f"{folder} is neither a run (it holds no config.yaml) nor an exported model (no {EXPORTED})")
    config = read_exported(folder)
    mismatch = f"{folder / WEIGHTS} does not fit the model of {EXPORTED} there"
    networks = _networks(config.model, load_tensors(folder / WEIGHTS), device, mismatch)
    model = Model(folder, *networks, value_range(config.model.generator), config.iterations)
    for name, value in model.layout.items():
        if value != getattr(config, name):
            raise RunError(f"{folder / EXPORTED} contradicts itself: its model has {name} {value}")
    return model


def load_run(folder: Path, iteration: int | None = None, device: str = "cpu") -> Trained:
    """Opens the model of a run folder on a device, at its newest checkpoint or at that of `iteration`.

    Raises RunError where the folder is no run, has no such checkpoint, or is damaged.
    """
    config = read_config(folder)
    checkpoint = newest_checkpoint(folder) if iteration is None else checkpoint_path(folder, iteration)
    if checkpoint is None:
        raise RunError(f"{folder} has no checkpoint yet: python -m infogan.train run={folder} trains it")
    tree = load_tree(checkpoint)
    mismatch = f"{checkpoint} does not fit the model of {folder}/config.yaml"
    try:
        state, reached = _shown(config.model, tree["state_dict"]), tree["iteration"]
    except (AttributeError, KeyError, TypeError) as error:
        raise RunError(f"{mismatch}: {error}") from None
    networks = _networks(config.model, state, device, mismatch)
    return Trained(folder, *networks, value_range(config.model.generator), reached, config)


def _shown(config: ModelConfig, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The weights of a checkpoint, its generator the average of it where one was kept, as in an exported model."""
    if config.ema_half_life is None:
        return state
    kept = {name: value for name, value in state.items() if not name.startswith("generator.")}
    return {re.sub(r"^average\.", "generator.", name): value for name, value in kept.items()}


def _networks(
    config: ModelConfig, state: Mapping[str, Tensor], device: str, mismatch: str
) -> tuple[Latents, Generator, Discriminator]:
    """Builds the networks and fills them; raises RunError, `mismatch` and the reason, where the weights do not fit."""
    try:
        latents = Latents.from_config(config)
        generator = build_generator(config.generator, latents)
        discriminator = build_discriminator(config.discriminator, generator.image_shape, latents.outputs)
        for name, network in (("generator", generator), ("discriminator", discriminator)):
            own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            network.load_state_dict(own)
            network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise RunError(f"{mismatch}: {str(error).splitlines()[0]}") from None
    return latents, generator, discriminator


def load_whole(folder: Path, device: str, notify: Callable[[str], object]) -> Trained:
    """`load_run` at the newest checkpoint that is whole; `notify` hears of those that are not. RunError without one."""
    read_config(folder)
    kept = iterations(folder)
    for iteration in kept[:-1]:
        try:
            return load_run(folder, iteration, device)
        except RunError as error:
            notify(f"{error}; the one before it is taken instead")
    return load_run(folder, kept[-1] if kept else None, device)


def device_of(accelerator: Literal["auto", "cpu", "gpu"]) -> str:
    """The device that a command works on: `auto` is the first GPU where there is one. Raises ConfigError for a `gpu`
    that PyTorch does not see."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("accelerator=gpu: PyTorch sees no GPU on this machine; accelerator=cpu works without one")
    return "cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu"
