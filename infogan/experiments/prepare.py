"""From a checked configuration to a run folder that is ready to be trained, or to continue."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan.config.training import Config
from infogan.errors import ConfigError, InfoGANError, RunError
from infogan.experiments.build import build_data, further_callbacks
from infogan.experiments.machine import best_precision, check_accelerator, on_gpu
from infogan.run_folder.amounts import Amount, allow, on_disk
from infogan.run_folder.configuration import load_config, save_config
from infogan.run_folder.locks import claimed
from infogan.run_folder.paths import checkpoint_iteration, new_run_folder, newest_checkpoint, run_folders
from infogan.run_folder.summary import read_summary

if TYPE_CHECKING:
    from infogan.networks import Discriminator, Generator


def create(config: Config, outputs: Path, name: str) -> Path:
    """Makes a run folder with a config.yaml: the configuration checked, and what depends on this machine resolved.

    Raises ConfigError before anything is read or written, DataError where the images cannot be had, RunError where
    `outputs` cannot be written. The run folder is made last.
    """
    config = prepared(config)
    allow(f"trainer.max_iterations={config.trainer.max_iterations}", expected(config), outputs)
    folder = new_run_folder(outputs, name)
    save_config(config, folder)
    return folder


def find_or_create(config: Config, outputs: Path, name: str) -> Path:
    """The run folder of this experiment among `name`, `name-2` … in `outputs`, ready to continue; else one made as by
    `create`, which see for what is raised.

    Experiments are the same where model, data, seed and length are. What else is asked for now (devices, logging,
    where the data lies) replaces what was asked for before, unless the run is finished.
    Raises RunError where another process is at work there.
    """
    config = prepared(config)
    for folder in run_folders(outputs, name):
        if is_of_same_experiment(folder, config):
            if not is_finished(folder):
                with claimed(folder):
                    save_config(config, folder)
            return folder
    return create(config, outputs, name)


def is_of_same_experiment(folder: Path, config: Config) -> bool:
    """Whether the run of this folder has the model, data, seed and length of `config`, which is prepared."""
    try:
        other = load_config(folder)
    except InfoGANError:  # not a run, or one of another version of the schema
        return False
    same_length = other.trainer.max_iterations == config.trainer.max_iterations
    return same_length and (other.model, other.data, other.seed) == (config.model, config.data, config.seed)


def is_finished(folder: Path) -> bool:
    """Whether the run of this folder has come to its last iteration, and was measured there."""
    return is_concluded(folder, load_config(folder).trainer.max_iterations)


def reopen(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Makes a run folder ready to continue, with `changes` to its configuration. Raises RunError where it is finished,
    or where another process is at work there, whose configuration stays as it is."""
    with claimed(folder):
        config = prepared(load_config(folder, changes))
        done, last = checkpoint_iteration(newest_checkpoint(folder)), config.trainer.max_iterations
        if done > last or (done == last and is_concluded(folder, done)):
            raise RunError(f"run={folder} has finished {done} iterations: trainer.max_iterations=<more> continues it")
        save_config(config, folder)
    return folder


def is_concluded(folder: Path, iteration: int) -> bool:
    """Whether the model of that iteration was measured, to the end. Raises RunError where summary.json is damaged."""
    summary = read_summary(folder)
    return summary is not None and summary.iterations == iteration and summary.is_whole


def prepared(config: Config) -> Config:
    """The configuration with precision, length and folders of this machine, after the checks that span sections and
    then with the images ready: the original files are read, downloaded or rendered where that was not done before.
    """
    data = build_data(config)
    check_batch_size(config, data.expected_train_size)
    check_accelerator(config)
    further_callbacks(config)
    check_regularisers(config)
    devices = config.trainer.devices
    if devices > 1 and not on_gpu(config) and has_batch_norm(config):
        raise ConfigError(
            f"trainer.devices={devices}: on the CPU there is no batch norm that is synchronised over devices, and "
            f"model={config.model.name} needs it; trainer.devices=1 uses all cores"
        )
    made = image_shape(config)
    if made != data.image_shape:
        raise ConfigError(
            f"model={config.model.name} makes images of {made} (channels, height, width), "
            f"data={config.data.name} has {data.image_shape}: the preset of that name fits"
        )
    data.prepare_data()
    check_batch_size(config, data.train_size)
    trainer = config.trainer.model_copy(
        update={
            "precision": best_precision(config) if config.trainer.precision == "auto" else config.trainer.precision,
            "max_iterations": iterations(config, data.train_size // config.data.batch_size),
            "max_epochs": None,
        }
    )
    paths = config.paths.model_copy(update={"data": str(data.root), "stores": str(data.stores)})
    return config.model_copy(update={"trainer": trainer, "paths": paths})


def check_batch_size(config: Config, train_size: int | None) -> None:
    """Raises ConfigError where a batch, or what a regulariser wants beside it, is more than the data, if their number
    is known, or cannot be shared out."""
    from infogan.codes.latents import Latents
    from infogan.objective.regularisers.build import build_regularisers

    devices = config.trainer.devices
    sizes = {"data.batch_size": config.data.batch_size}
    for name, regulariser in build_regularisers(config.model, Latents.from_config(config.model)).items():
        if regulariser.further_images:
            sizes[f"model.regularisers.{name}.images"] = regulariser.further_images
    for key, size in sizes.items():
        if train_size is not None and size > train_size:
            raise ConfigError(f"{key}={size}: {config.data.name} has {train_size} images to train on")
        if size % devices or size // devices < 2:
            raise ConfigError(
                f"{key}={size}: must give each of trainer.devices={devices} the same number of images, 2 or more"
            )


def check_regularisers(config: Config) -> None:
    """Raises ConfigError where a regulariser cannot be computed on these devices."""
    from infogan.codes.latents import Latents
    from infogan.objective.regularisers.build import build_regularisers

    trunk = [*config.model.discriminator.trunk]
    if config.trainer.devices == 1 or not any(layer.batch_norm for layer in trunk):
        return
    for name, regulariser in build_regularisers(config.model, Latents.from_config(config.model)).items():
        if regulariser.differentiates_real or regulariser.differentiates_fake:
            raise ConfigError(
                f"model.regularisers.{name}: PyTorch cannot derive batch norm twice where it is synchronised over "
                f"trainer.devices={config.trainer.devices}; leave batch norm out of model.discriminator.trunk"
            )


def expected(config: Config) -> Amount:
    """What a run takes on the disk at most: a third checkpoint while the older is still there, each of weights, Adam's
    two moments and G's average, the grids of all codes over training as if they could not be compressed, and its
    tables."""
    generator, discriminator = networks_of(config)
    of_g, of_d = (sum(each.nbytes for each in part.state_dict().values()) for part in (generator, discriminator))
    checkpoint = 3 * (of_g + of_d) + (of_g if config.model.ema_half_life is not None else 0)
    every, iterations = config.callbacks, config.trainer.max_iterations
    drawn = (iterations // every.traversals_every + 1) * (len(config.model.codes) + 1)
    grid = on_disk(every.traversal_rows * every.traversal_points * math.prod(generator.image_shape))
    return Amount(3 * checkpoint + drawn * grid + iterations // every.log_every * ROW, drawn + FILES)


ROW, FILES = 500, 20
"""Bytes of a row of metrics.csv; files of a run beside its grids."""


def image_shape(config: Config) -> tuple[int, ...]:
    """(channels, height, width) of what the generator makes. Raises ConfigError where its layers do not fit."""
    return networks_of(config)[0].image_shape


def networks_of(config: Config) -> "tuple[Generator, Discriminator]":
    """The networks without numbers in them. Raises ConfigError where their layers do not fit together."""
    import torch

    from infogan.codes.latents import Latents
    from infogan.networks import build_discriminator, build_generator

    latents = Latents.from_config(config.model)
    try:
        with torch.device("meta"):
            generator = build_generator(config.model.generator, latents)
            discriminator = build_discriminator(config.model.discriminator, generator.image_shape, latents.outputs)
            discriminator(generator(torch.empty(2, latents.width)))
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"model={config.model.name}: its layers do not fit together: {reason}") from None
    return generator, discriminator


def has_batch_norm(config: Config) -> bool:
    """Whether any layer of the model is followed by a batch norm."""
    d = config.model.discriminator
    return config.model.generator.has_batch_norm or any(layer.batch_norm for layer in [*d.trunk, *d.posterior])


def iterations(config: Config, per_epoch: int) -> int:
    """Length of training: `max_epochs` where it is given, else `max_iterations`."""
    epochs = config.trainer.max_epochs
    return config.trainer.max_iterations if epochs is None else epochs * per_epoch
