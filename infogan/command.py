"""What the commands share: from the command line to checked values, and an end in one line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from infogan.arguments import in_hydras_grammar
from infogan.errors import ends_as_one_line
from infogan.terminal import take_any_text
from infogan.training.signals import StopSignals

if TYPE_CHECKING:
    from infogan.config.opening import ComputingConfig

AnyConfig = TypeVar("AnyConfig", bound="ComputingConfig")


def plain(values: DictConfig) -> dict[str, Any]:
    """The configuration as plain dictionaries, interpolations resolved."""
    return cast(dict[str, Any], OmegaConf.to_container(values, resolve=True))


def training(values: DictConfig) -> dict[str, Any]:
    """`plain` for commands that train: a length in iterations on the command line wins over a number of epochs that an
    experiment brings along."""
    found, given = plain(values), {word.partition("=")[0].lstrip("+") for word in HydraConfig.get().overrides.task}
    if "trainer.max_iterations" in given and "trainer.max_epochs" not in given:
        found["trainer"]["max_epochs"] = None
    return found


@contextmanager
def opened(values: DictConfig, schema: type[AnyConfig]) -> Iterator[AnyConfig]:
    """The checked configuration of a command that opens runs, as many threads as it asks for, and what it may write; an
    error ends as one line."""
    from infogan.config.check import check_section
    from infogan.experiments.machine import threads
    from infogan.run_folder.amounts import asking

    with ends_as_one_line():
        config = check_section(plain(values), schema)
        with threads(config.threads), asking(config):
            yield config


@contextmanager
def asked(values: DictConfig) -> Iterator[None]:
    """What a command that trains or reads data may write. Raises ConfigError where that is not said as it must be."""
    from infogan.config.asking import AskingConfig
    from infogan.config.check import check_section
    from infogan.run_folder.amounts import asking

    found = plain(values)
    with asking(check_section({key: found[key] for key in AskingConfig.model_fields}, AskingConfig)):
        yield


def start(job: Callable[[], None], trains: bool = False) -> None:
    """Runs a Hydra job on this process's command line; errors and signals end as one line.

    Threads that wait for each other sleep, where the user has not chosen otherwise, but for a job that `trains`: beside
    other work spinning takes the time that it waits for, and alone it saves microseconds.
    """
    take_any_text()
    if not trains:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when PyTorch is loaded
    with ends_as_one_line(), StopSignals():
        sys.argv[1:] = in_hydras_grammar(sys.argv[1:])
        job()
