"""What the commands share: from the command line to checked values, and an end in one line."""

import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from infogan.errors import ConfigError, ends_as_one_line
from infogan.training.signals import StopSignals


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


def start(job: Callable[[], None], open_section: str | None = None) -> None:
    """Runs a Hydra job on this process's command line; errors and signals end as one line.

    `open_section` takes keys that no file names, such as `codes.c1=3`: Hydra would ask for `+codes.c1=3`.
    """
    if open_section is not None:
        sys.argv[1:] = [f"++{word}" if word.startswith(f"{open_section}.") else word for word in sys.argv[1:]]
    with ends_as_one_line(), StopSignals():
        try:
            job()
        except ValueError as error:
            if not str(error).startswith("Config group override must be"):
                raise
            groups = [word for word in sys.argv[1:] if files("infogan.conf").joinpath(word.partition("=")[0]).is_dir()]
            raise ConfigError(f"{', '.join(groups)}: a group takes the name of a choice, such as trainer=cpu") from None
