"""An experiment is a folder: made from a checked configuration, trained, and opened again to go on."""

import json
import logging
import os
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from infogan.config import Config, CsvConfig, OpenedPathsConfig, TrainerConfig, WandbConfig, check
from infogan.errors import Collapsed, ConfigError, InfoGANError, NotFinite, RunError, Stopped
from infogan.records import COLLAPSED, read_config, read_summary
from infogan.signals import StopSignals
from infogan.storage import (
    held,
    load_tree,
    new_run_folder,
    newest_checkpoint,
    remove_staged_checkpoints,
    run_folders,
    write_atomically,
    write_json,
)

if TYPE_CHECKING:
    import lightning as L
    from lightning.pytorch.loggers.logger import Logger

    from callbacks.conclusion import Conclusion
    from datamodules.base import ImageDataModule
    from infogan.module import InfoGAN

log = logging.getLogger("infogan")

PRECISIONS = {"float32": "32-true", "tf32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
"""Lightning's names."""

OF_GPUS = {"precision": ("tf32", "fp16"), "cuda_graph": (True,)}
"""What only a GPU can do, by key of `trainer`."""

RUN_FOLDER_OF_RANKS = "INFOGAN_RUN_FOLDER"
"""Lightning starts the other ranks with the same command line: this variable tells them which run is theirs."""

STUDY = "study.db"
"""What infogan.search keeps of its trials, in the folder that holds their run folders."""


def create(config: Config, outputs: Path, name: str) -> Path:
    """Makes a run folder with a config.yaml: the configuration checked, and what depends on this machine resolved.

    Raises ConfigError before anything is read or written, DataError where the images cannot be had, RunError where
    `outputs` cannot be written. The run folder is made last.
    """
    config = prepared(config)
    folder = new_run_folder(outputs, name)
    save_config(config, folder)
    return folder


def find_or_create(config: Config, outputs: Path, name: str) -> Path:
    """The run folder of this experiment among `name`, `name-2` … in `outputs`, ready to go on; else one made as by
    `create`, which see for what is raised.

    Experiments are the same where model, data, seed and length are. What else is asked for now (devices, logging,
    where the data lies) replaces what was asked for before, unless the run is finished.
    """
    config = prepared(config)
    for folder in run_folders(outputs, name):
        if is_of_same_experiment(folder, config):
            if not is_finished(folder):
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
    """Makes a run folder ready to go on, with `changes` to its configuration. Raises RunError where it is finished."""
    config = load_config(folder, changes)
    done = checkpoint_iteration(newest_checkpoint(folder))
    config = prepared(config)
    if done >= config.trainer.max_iterations and (done > config.trainer.max_iterations or is_concluded(folder, done)):
        raise RunError(f"run={folder} has finished {done} iterations: trainer.max_iterations=<more> goes on")
    save_config(config, folder)
    return folder


def is_concluded(folder: Path, iteration: int) -> bool:
    """Whether summary.json was written for that iteration. Raises RunError where it is damaged."""
    return read_summary(folder).get("iterations") == iteration


def prepared(config: Config) -> Config:
    """The configuration with precision, length and folders of this machine, after the checks that span sections and
    then with the images ready: the original files are read, downloaded or rendered where that was not done before.
    """
    data = build_data(config)
    check_batch_size(config, data.expected_train_size)
    check_accelerator(config)
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
    """Raises ConfigError where a batch is larger than the data, if their number is known, or cannot be shared out."""
    batch_size, devices = config.data.batch_size, config.trainer.devices
    if train_size is not None and batch_size > train_size:
        raise ConfigError(f"data.batch_size={batch_size}: {config.data.name} has {train_size} images to train on")
    if batch_size % devices or batch_size // devices < 2:
        raise ConfigError(
            f"data.batch_size={batch_size}: must give each of trainer.devices={devices} the same number of images, "
            "2 or more"
        )


def image_shape(config: Config) -> tuple[int, ...]:
    """(channels, height, width) of what the generator makes. Raises ConfigError where its layers do not fit."""
    import torch

    from infogan.latents import Latents
    from infogan.networks import Discriminator, Generator

    latents = Latents.of(config.model)
    try:
        with torch.device("meta"):
            generator = Generator(config.model.generator, latents.width)
            shape = generator.image_shape
            discriminator = Discriminator(config.model.discriminator, shape, latents.outputs)
            discriminator(generator(torch.empty(2, latents.width)))
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"model={config.model.name}: its layers do not fit together: {reason}") from None
    return shape


def check_accelerator(config: Config) -> None:
    """Raises ConfigError where this machine has not the GPUs that are asked for."""
    import torch

    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator=gpu: PyTorch sees no GPU on this machine; trainer=cpu runs without one")
    if on_gpu(config) and config.trainer.devices > torch.cuda.device_count():
        raise ConfigError(
            f"trainer.devices={config.trainer.devices}: this machine has {torch.cuda.device_count()} GPUs"
        )
    for key, values in OF_GPUS.items():
        if (value := getattr(config.trainer, key)) in values and not on_gpu(config):
            given = str(value).lower()  # as in YAML
            raise ConfigError(f"trainer.{key}={given}: this is for GPUs, and the training would run on the CPU")
    if config.trainer.cuda_graph is True and config.trainer.devices > 1:
        raise ConfigError(f"trainer.cuda_graph=true: this is for one GPU, and trainer.devices={config.trainer.devices}")


def as_cuda_graph(config: Config) -> bool:
    """Whether the iterations of this training are replayed as a CUDA graph."""
    if config.trainer.cuda_graph == "auto":
        return on_gpu(config) and config.trainer.devices == 1
    return config.trainer.cuda_graph


def on_gpu(config: Config) -> bool:
    """Whether the trainer would take a GPU here."""
    import torch

    return config.trainer.accelerator != "cpu" and torch.cuda.is_available()


def has_batch_norm(config: Config) -> bool:
    """Whether any layer of the model is followed by a batch norm."""
    g, d = config.model.generator, config.model.discriminator
    return any(layer.batch_norm for layer in [*g.layers, *d.trunk, *d.posterior])


def iterations(config: Config, per_epoch: int) -> int:
    """Length of training: `max_epochs` where it is given, else `max_iterations`."""
    epochs = config.trainer.max_epochs
    return config.trainer.max_iterations if epochs is None else epochs * per_epoch


def best_precision(config: Config) -> str:
    """bf16 where the device computes in it without emulation; else fp16 on a GPU, float32 on a CPU."""
    import torch

    if on_gpu(config):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    features = torch.cpu.get_capabilities()
    return "bf16" if features.get("avx512_bf16") or features.get("amx_bf16") else "float32"


def provenance() -> dict[str, Any]:
    """What a reader needs to repeat the run: the command, the code's revision, versions and machine."""
    import platform

    import lightning
    import torch

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", Path(__file__).parent, *words], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):  # no git here, or an installed package
            return None
        return done.stdout.strip()

    changes = git("status", "--porcelain", "--untracked-files=no")
    return {
        "command": command(),
        "revision": git("rev-parse", "HEAD"),
        "uncommitted_changes": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": lightning.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def command() -> str:
    """What was typed; for the job of a sweep the command that makes this run alone, since it may run in a launcher's
    worker, whose command line is the launcher's."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        name, arguments = f"-m {HydraConfig.get().help.app_name}", HydraConfig.get().overrides.task
    else:
        module, arguments = getattr(sys.modules["__main__"], "__spec__", None), sys.argv[1:]
        name = f"-m {module.name}" if module else sys.argv[0]
    return f"python {name} {shlex.join(arguments)}".strip()


def add_provenance(folder: Path) -> None:
    """Adds this start of the run to provenance.json, a list: the first made it, each later one went on with it."""
    if is_rank_zero():
        path = folder / "provenance.json"
        earlier = json.loads(path.read_text()) if path.is_file() else []
        write_json(path, [*earlier, provenance()])


def is_rank_zero() -> bool:
    """Whether this process speaks and writes for all of the run's processes."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def save_config(config: Config, folder: Path) -> None:
    """config.yaml, whole and resolved."""
    import yaml

    text = yaml.safe_dump(config.model_dump(), sort_keys=False)
    write_atomically(folder / "config.yaml", lambda staged: staged.write_text(text))


def load_config(folder: Path, changes: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a run folder, with `changes` merged over it.

    Raises RunError where it has none that fits the schema, ConfigError where it does not with the changes.
    """
    from omegaconf import OmegaConf

    config = read_config(folder)
    if not changes:
        return config
    return check(OmegaConf.to_container(OmegaConf.merge(config.model_dump(), dict(changes))))  # type: ignore[arg-type]


def build_data(config: Config) -> "ImageDataModule":
    """The data module that the configuration names. Nothing is read yet."""
    from datamodules import data_module
    from datamodules.base import Setting
    from infogan.networks.generator import value_range

    def folder(path: str) -> Path:
        return Path(path).expanduser().absolute()

    setting = Setting(
        folder(config.paths.data),
        folder(config.paths.stores),
        config.data.batch_size,
        value_range(config.model.generator),
        config.seed,
    )
    return data_module(config.data.name)(setting, **config.data.model_dump(exclude={"name", "batch_size"}))


def data_of(config: Config, paths: OpenedPathsConfig) -> "ImageDataModule":
    """The data set that a run was trained on, ready to be read. Raises DataError where it cannot be had."""
    moved = {key: value for key, value in (("data", paths.data), ("stores", paths.stores)) if value is not None}
    data = build_data(config.model_copy(update={"paths": config.paths.model_copy(update=moved)}))
    data.prepare_data()
    return data


def build_module(config: Config) -> "InfoGAN":
    """The model with its freshly initialised weights, a function of the seed, to be run as `trainer` says."""
    from infogan.module import InfoGAN

    module = InfoGAN(config.model, config.data.batch_size, config.seed)
    if config.trainer.compile is not None:
        module.compile_networks(config.trainer.compile)
    module.as_cuda_graph = as_cuda_graph(config)
    return module


@contextmanager
def arithmetic(config: TrainerConfig) -> Iterator[None]:
    """PyTorch computes with the threads and the precision of float32's products that the configuration asks for, and
    the same each time: some of cuDNN's convolutions add up in the order in which their threads are done."""
    import torch

    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    cudnn, tf32 = torch.backends.cudnn, config.precision == "tf32"
    convolutions = cudnn.allow_tf32, cudnn.deterministic
    try:
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        cudnn.allow_tf32, cudnn.deterministic = tf32, True  # by default float32's convolutions are in TF32
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(products)
        cudnn.allow_tf32, cudnn.deterministic = convolutions


def added_loggers(config: Config, folder: Path) -> "list[Logger]":
    """What `logger` adds to metrics.csv."""
    if isinstance(config.logger, WandbConfig):
        from infogan.latents import Latents
        from infogan.loggers import WandbRun

        codes = Latents.of(config.model).codes
        about = {
            "name": folder.name,
            "group": sweep_of(folder),
            "job_type": config.data.name,
            "tags": [config.data.name, config.model.name, *config.logger.tags],
            "config": {
                **config.model_dump(),
                "lambda": {code.name: code.lambda_ for code in codes},  # resolved: an axis for W&B's plots
                "provenance": provenance(),
            },
        }
        return [WandbRun(folder, config.logger, about, {code.name: code.entropy for code in codes})]
    if isinstance(config.logger, CsvConfig):
        from lightning.pytorch.loggers import CSVLogger

        return [CSVLogger(folder, name="csv")]
    return []


def sweep_of(folder: Path) -> str | None:
    """The name of the sweep or search that a run belongs to, None for a single run. Told by what Hydra and
    infogan.search leave there."""
    marks = ("multirun.yaml", STUDY)
    return folder.parent.name if any((folder.parent / mark).is_file() for mark in marks) else None


def train(folder: Path, further: "Sequence[L.Callback]" = ()) -> dict[str, Any]:
    """Trains the run of this folder, from its newest checkpoint or from the start, to its last iteration, with
    `further` callbacks beside the project's own.

    Returns what was measured at the end, the content of summary.json. Raises RunError where another process trains it
    or where it cannot be written, NotFinite where a loss or gradient is not, Collapsed where it no longer learns and
    `callbacks.health` is abort, and Stopped where a signal asked to end: after the iteration in progress and its
    checkpoint, or outside of training at once.
    """
    import torch

    from infogan.allocator import keep_freed_memory

    config = load_config(folder)
    failed = True
    with (
        arithmetic(config.trainer),
        StopSignals() as signals,
        log_file(folder / "log.txt"),
        early_end_told(folder, signals),
    ):
        checkpoint = newest_checkpoint(folder)
        try:
            keep_freed_memory()
            if config.trainer.devices > 1:
                os.environ[RUN_FOLDER_OF_RANKS] = str(folder)
            log.info(f"run folder: {folder}")
            if checkpoint is not None:
                log.info(f"going on after iteration {checkpoint_iteration(checkpoint)}")
            if is_rank_zero():
                remove_staged_checkpoints(folder)
                (folder / COLLAPSED).unlink(missing_ok=True)
            add_provenance(folder)
            data, module = build_data(config), build_module(config)
            if checkpoint is not None:
                check_checkpoint(checkpoint, module)
            trainer, conclusion = build_trainer(
                config, folder, data, checkpoint_iteration(checkpoint), signals, further
            )
            trainer.fit(module, data, ckpt_path=checkpoint)
            failed = False
        except RuntimeError as error:
            if config.trainer.devices > 1 and ("gloo" in str(error) or isinstance(error, torch.distributed.DistError)):
                raise RunError(f"another of the {config.trainer.devices} processes of this run has ended") from error
            raise
        finally:
            os.environ.pop(RUN_FOLDER_OF_RANKS, None)
            if isinstance(config.logger, WandbConfig):
                from infogan.loggers import finish_wandb

                finish_wandb(failed)
    return conclusion.summary


def check_checkpoint(checkpoint: Path, module: "InfoGAN") -> None:
    """Raises RunError where training cannot go on from the file: it is damaged, hostile or of another version."""
    tree = load_tree(checkpoint)
    try:
        module.load_state_dict(tree["state_dict"])
        for optimizer, state in zip(module.configure_optimizers(), tree["optimizer_states"], strict=True):
            optimizer.load_state_dict(state)
        if tree["iteration"] != checkpoint_iteration(checkpoint):
            raise ValueError(f"it is of iteration {tree['iteration']}")
        _ = tree["loops"]["fit_loop"], tree["callbacks"].items(), tree["global_step"]
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RunError(
            f"{checkpoint} does not fit {checkpoint.parents[1]}/config.yaml ({type(error).__name__}: {reason}); "
            f"this is PyTorch Lightning {version('lightning')}, provenance.json says which made it"
        ) from None


@contextmanager
def early_end_told(folder: Path, signals: StopSignals) -> Iterator[None]:
    """What ends a run before its time is told in log.txt, and on the terminal how to go on."""
    try:
        yield
    except BaseException as error:
        log.debug(f"{type(error).__name__}: {error}")
        log.info(f"stopped: {how_to_go_on(folder)}")
        if isinstance(error, Collapsed) and is_rank_zero():
            with suppress(RunError):  # a full disk: the reason is on its way to be told
                write_json(folder / COLLAPSED, {"reason": str(error)})
        if isinstance(error, NotFinite):
            raise NotFinite(f"{error}; the last good checkpoint: {newest_checkpoint(folder) or 'none yet'}") from None
        if isinstance(error, Stopped) and not is_rank_zero():
            # At any other exit code Lightning would kill the first rank, which may still be closing its logs.
            raise SystemExit(0) from None
        if isinstance(error, Exception) and signals.asked is not None:  # a sweep would take it for this job's alone
            log.info(f"error: {error}")
            raise Stopped(signals.asked) from error
        raise


def how_to_go_on(folder: Path) -> str:
    """The command that resumes a stopped run, and from where."""
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        return f"python -m infogan.train run={folder} starts it again; there is no checkpoint yet"
    return f"python -m infogan.train run={folder} goes on from iteration {checkpoint_iteration(checkpoint)}"


def build_trainer(
    config: Config,
    folder: Path,
    data: "ImageDataModule",
    iteration: int,
    signals: StopSignals,
    further: "Sequence[L.Callback]" = (),
) -> "tuple[L.Trainer, Conclusion]":
    """Lightning's trainer with the project's callbacks, `further` ones and loggers, ready to go on after that
    iteration."""
    import lightning as L

    from callbacks.checkpoints import Checkpoints, TreeCheckpointIO
    from callbacks.conclusion import Conclusion
    from callbacks.health import Health, Readings
    from callbacks.progress import ProgressBar
    from callbacks.scores import Scores
    from callbacks.training_log import TrainingLog
    from callbacks.traversals import Traversals
    from infogan.loggers import MetricsFile

    every, last_iteration = config.callbacks, config.trainer.max_iterations
    metrics = MetricsFile(folder / "metrics.csv", iteration)
    if every.health == "off" or every.collapse is None:
        training_log, health = TrainingLog(every.log_every), []
    else:
        training_log, health = TrainingLog(every.log_every, Readings()), [Health(every.health, every.collapse)]
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


class LogFile(logging.StreamHandler[IO[str]]):
    """Loses lines where the disk is full, without a word: what must not be lost raises where it is written."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """What the project says goes to the terminal and, with the time, into this file; Lightning's small talk nowhere.

    The file is held while it is written to: raises RunError where another process does, or where it cannot be written.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    if not is_rank_zero():
        yield
        return
    try:
        stream = path.open("a")
    except OSError as error:
        raise RunError(f"{path} could not be written: {error.strerror}") from None
    terminal, file = logging.StreamHandler(sys.stdout), LogFile(stream)
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    terminal.setLevel(logging.INFO)
    log.setLevel(logging.DEBUG)
    try:
        with held(stream, path.parent):
            log.addHandler(terminal)
            log.addHandler(file)
            yield
    finally:
        log.removeHandler(terminal)
        log.removeHandler(file)
        with suppress(OSError):  # the lines that a full disk did not take
            stream.close()


def checkpoint_iteration(checkpoint: Path | None) -> int:
    """The iteration after which a checkpoint was made, 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.stem.removeprefix("iteration_"))
