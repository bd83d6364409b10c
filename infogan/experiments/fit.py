"""The training of a run folder, from its newest checkpoint to its end."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from infogan.config.codes import in_words
from infogan.config.extensions import as_argument, paths_in
from infogan.config.training import WandbConfig
from infogan.errors import SIGPIPE, Collapsed, NotFinite, RunError, Stopped
from infogan.experiments.build import build_data, build_module, build_trainer
from infogan.experiments.machine import arithmetic
from infogan.experiments.processes import ended_ones_named
from infogan.run_folder.configuration import load_config
from infogan.run_folder.contents import COLLAPSED
from infogan.run_folder.files import write_json
from infogan.run_folder.locks import claimed
from infogan.run_folder.paths import checkpoint_iteration, newest_checkpoint, remove_staged_checkpoints
from infogan.run_folder.provenance import add_provenance
from infogan.run_folder.ranks import RUN_FOLDER_OF_RANKS, is_rank_zero
from infogan.run_folder.summary import Summary
from infogan.run_folder.trees import load_tree
from infogan.training.signals import StopSignals

if TYPE_CHECKING:
    import lightning as L

    from infogan.training.module import InfoGAN


log = logging.getLogger("infogan")


def train(folder: Path, further: "Sequence[L.Callback]" = ()) -> Summary | None:
    """Trains the run of this folder, from its newest checkpoint or from the start, to its last iteration, with
    `further` callbacks beside the project's own.

    Returns what was measured at the end, None in another process than the first. Raises RunError where another process
    trains it or where it cannot be written, NotFinite where a loss or gradient is not, Collapsed where it no longer
    learns and `callbacks.health` is abort, and Stopped where a signal asked to end: after the iteration in progress and
    its checkpoint, or outside of training at once.
    """
    from infogan.training.memory import keep_freed_memory

    failed = True
    with (
        StopSignals() as signals,
        log_file(folder),
        arithmetic((config := load_config(folder)).trainer),  # as it is now that nobody else can change it
        early_end_logged(folder, signals),
    ):
        checkpoint = newest_checkpoint(folder)
        try:
            keep_freed_memory()
            if config.trainer.devices > 1:
                os.environ[RUN_FOLDER_OF_RANKS] = str(folder)
            log.info(f"run folder: {folder}")
            if checkpoint is not None:
                log.info(f"continuing after iteration {checkpoint_iteration(checkpoint)}")
            else:
                log.info(f"codes: {in_words(config.model.codes)}; ~model.codes.<name> leaves one out")
                if paths := sorted({*paths_in(config.model_dump())}):
                    log.info(
                        f"commands that open this run need {as_argument(paths)}: an entry point would need nothing"
                    )
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
            with ended_ones_named(trainer):
                trainer.fit(module, data, ckpt_path=checkpoint)
            failed = False
        finally:
            os.environ.pop(RUN_FOLDER_OF_RANKS, None)
            if isinstance(config.logger, WandbConfig):
                from infogan.tracking.wandb_session import finish_wandb

                finish_wandb(failed)
    return conclusion.summary


def check_checkpoint(checkpoint: Path, module: "InfoGAN") -> None:
    """Raises RunError where training cannot continue from the file: it is damaged, hostile or of another version."""
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
def early_end_logged(folder: Path, signals: StopSignals) -> Iterator[None]:
    """What ends a run before its time is written to log.txt, and to the terminal how to resume it."""
    try:
        yield
    except BaseException as error:
        log.debug(f"{type(error).__name__}: {error}")
        log.info(f"stopped: {how_to_continue(folder)}")
        if isinstance(error, Collapsed) and is_rank_zero():
            with suppress(RunError):  # a full disk: the reason is about to be printed
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


def how_to_continue(folder: Path) -> str:
    """The command that resumes a stopped run, and from where."""
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        return f"python -m infogan.train run={folder} starts it again; there is no checkpoint yet"
    return f"python -m infogan.train run={folder} continues from iteration {checkpoint_iteration(checkpoint)}"


class LogFile(logging.StreamHandler[IO[str]]):
    """Loses lines where the disk is full, without a word: what must not be lost raises where it is written."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class Terminal(logging.StreamHandler[TextIO]):
    """Ends training where nobody reads what it says, as a signal does."""

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            raise Stopped(SIGPIPE) from None
        super().handleError(record)


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """What the project says goes to the terminal and, with the time, into log.txt; Lightning's small talk nowhere.

    The folder is held meanwhile: raises RunError where another process does, or where the file cannot be written.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    if not is_rank_zero():
        yield
        return
    with claimed(folder) as stream:
        terminal, file = Terminal(sys.stdout), LogFile(stream)
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        terminal.setLevel(logging.INFO)
        log.setLevel(logging.DEBUG)
        try:
            log.addHandler(file)  # first: it takes what the terminal no longer does
            log.addHandler(terminal)
            yield
        finally:
            log.removeHandler(terminal)
            log.removeHandler(file)
