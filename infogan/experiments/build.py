"""From a configuration to the objects of a training: data, model, trainer, loggers."""

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan.config.codes import in_words
from infogan.config.extensions import NotGiven, find
from infogan.config.opening import OpenedPathsConfig
from infogan.config.training import Config, CsvConfig, WandbConfig
from infogan.errors import ConfigError
from infogan.experiments.machine import PRECISIONS, as_cuda_graph
from infogan.run_folder.paths import sweep_of
from infogan.run_folder.provenance import command, provenance
from infogan.training.signals import StopSignals

if TYPE_CHECKING:
    import lightning as L
    from lightning.pytorch.loggers.logger import Logger

    from infogan.callbacks.conclusion import Conclusion
    from infogan.datamodules.base import ImageDataModule
    from infogan.training.module import InfoGAN


def build_data(config: Config) -> "ImageDataModule":
    """The data module that the configuration names. Nothing is read yet."""
    from infogan.datamodules import data_module
    from infogan.datamodules.base import DataContext
    from infogan.networks.value_range import value_range

    def folder(path: str) -> Path:
        return Path(path).expanduser().absolute()

    context = DataContext(
        folder(config.paths.data),
        folder(config.paths.stores),
        config.data.batch_size,
        value_range(config.model.generator),
        config.seed,
    )
    return data_module(config.data.name)(context, **config.data.model_dump(exclude={"name", "batch_size"}))


def data_of(config: Config, paths: OpenedPathsConfig) -> "ImageDataModule":
    """The data set that a run was trained on, ready to be read. Raises DataError where it cannot be had."""
    moved = {key: value for key, value in (("data", paths.data), ("stores", paths.stores)) if value is not None}
    data = build_data(config.model_copy(update={"paths": config.paths.model_copy(update=moved)}))
    data.prepare_data()
    return data


def build_module(config: Config) -> "InfoGAN":
    """The model with its freshly initialised weights, a function of the seed, to be run as `trainer` says."""
    from infogan.training.module import InfoGAN

    module = InfoGAN(config.model, config.data.batch_size, config.seed)
    if config.trainer.compile is not None:
        module.compile_networks(config.trainer.compile)
    module.as_cuda_graph = as_cuda_graph(config)
    return module


def added_loggers(config: Config, folder: Path) -> "list[Logger]":
    """What `logger` adds to metrics.csv."""
    if isinstance(config.logger, WandbConfig):
        from infogan.codes.latents import Latents
        from infogan.tracking.wandb_run import WandbRun
        from infogan.tracking.wandb_session import is_new

        metadata = {
            "name": folder.name,
            "group": sweep_of(folder),
            "job_type": config.data.name,
            "tags": list(dict.fromkeys([config.data.name, config.model.name, *config.logger.tags])),
            "notes": notes(config) if is_new(folder) else None,  # somebody may have changed them since
            "config": {
                **config.model_dump(),
                "lambda": config.model.lambdas,  # resolved: an axis for W&B's plots
                "provenance": provenance(),
            },
        }
        return [WandbRun(folder, config.logger, metadata, Latents.from_config(config.model).entropies)]
    if isinstance(config.logger, CsvConfig):
        from lightning.pytorch.loggers import CSVLogger

        return [CSVLogger(folder, name="csv")]
    return []


def notes(config: Config) -> str:
    """What was trained and how, for people: the first words on the page of a run."""
    lambdas = ", ".join(f"λ({name}) = {value:g}" for name, value in config.model.lambdas.items())
    return f"{config.data.name}, seed {config.seed}. Codes: {in_words(config.model.codes)}; {lambdas}.\n{command()}"


def further_callbacks(config: Config) -> "list[tuple[type[L.Callback], dict[str, Any]]]":
    """Callbacks of other packages, each a class and what it is called with. Raises ConfigError where a class is not
    there, is none of Lightning's callbacks, or does not take its arguments, NotGiven where it may not be imported."""
    import lightning as L

    found = []
    for name, section in config.callbacks.further.items():
        key = f"callbacks.further.{name}"
        try:
            kind = find("callbacks", section.kind)
        except NotGiven as error:
            raise NotGiven(f"{key} names {error}") from None
        except ValueError as error:
            raise ConfigError(f"{key}: kind={section.kind} {error}") from None
        if not (isinstance(kind, type) and issubclass(kind, L.Callback)):
            raise ConfigError(f"{key}: kind={section.kind} is no callback (lightning.Callback) of PyTorch Lightning")
        try:
            signature(kind).bind(**section.arguments)
        except TypeError as error:
            raise ConfigError(f"{key}: kind={section.kind}: {error}") from None
        found.append((kind, section.arguments))
    return found


def build_trainer(
    config: Config,
    folder: Path,
    data: "ImageDataModule",
    iteration: int,
    signals: StopSignals,
    further: "Sequence[L.Callback]" = (),
) -> "tuple[L.Trainer, Conclusion]":
    """Lightning's trainer with the project's callbacks, `further` ones and loggers, ready to continue after that
    iteration."""
    import lightning as L

    from infogan.callbacks.checkpoints import Checkpoints, TreeCheckpointIO
    from infogan.callbacks.conclusion import Conclusion
    from infogan.callbacks.health import Health, HealthProbe
    from infogan.callbacks.progress import ProgressBar
    from infogan.callbacks.scores import Scores
    from infogan.callbacks.training_log import TrainingLog
    from infogan.callbacks.traversals import Traversals
    from infogan.tracking.metrics_file import MetricsFile

    every, last_iteration = config.callbacks, config.trainer.max_iterations
    metrics = MetricsFile(folder, iteration)
    if every.health == "off" or every.collapse is None:
        training_log, health = TrainingLog(every.log_every), []
    else:
        training_log = TrainingLog(every.log_every, HealthProbe())
        health = [Health(training_log, every.health, every.collapse)]
    scores = Scores(data, every.scores_every, every.score_images)
    traversals = Traversals(
        data, scores, folder / "figures", every.traversals_every, every.traversal_rows, every.traversal_points
    )
    conclusion = Conclusion(folder, scores, traversals, metrics)
    several = config.trainer.devices > 1
    trainer = L.Trainer(
        accelerator=config.trainer.accelerator,
        devices=config.trainer.devices,
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        sync_batchnorm=several,
        precision=PRECISIONS[config.trainer.precision],  # type: ignore[arg-type]
        max_steps=2 * last_iteration,  # Lightning counts the updates of both optimizers
        max_epochs=-1,
        logger=[metrics, *added_loggers(config, folder)],
        callbacks=[
            training_log,
            *health,
            *(kind(**arguments) for kind, arguments in further_callbacks(config)),
            *further,
            scores,
            traversals,
            ProgressBar(training_log, last_iteration),
            Checkpoints(folder, every.checkpoint_every, last_iteration, training_log, signals),
            conclusion,
        ],
        plugins=[TreeCheckpointIO()],
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
    )
    return trainer, conclusion
