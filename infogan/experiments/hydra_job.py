"""From a job of Hydra to its run folder: one run, or a job of a sweep."""

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from infogan.config.asking import AskingConfig
from infogan.config.check import check, check_section
from infogan.config.extensions import give
from infogan.errors import ConfigError, ends_as_one_line
from infogan.experiments.prepare import create, expected, find_or_create, reopen
from infogan.run_folder.amounts import allow, asking
from infogan.run_folder.paths import find_run, safe_name, timestamp
from infogan.run_folder.ranks import RUN_FOLDER_OF_RANKS

CHANGEABLE = ("trainer.", "callbacks.", "paths.")
"""What may be given beside `run=`: all else is what the run is."""


def run_folder(values: dict[str, Any], of_sweep: bool) -> Path:
    """Where the run of this configuration lives, made or found. Raises ConfigError, or RunError where there is none."""
    give(values)  # also in a process that another has started, which reads the folder alone
    if handed_down := os.environ.get(RUN_FOLDER_OF_RANKS):
        return Path(handed_down)
    if values.get("run") is not None and "callbacks" in values:
        # What is given of a further callback may be a part of one that the run has; it is checked with the run's.
        values = {**values, "callbacks": {**values["callbacks"], "further": {}}}
    job, config = HydraConfig.get(), check(values)
    if of_sweep and config.trainer.devices > 1:
        raise ConfigError("trainer.devices: each job of a sweep runs on one device")
    outputs = Path(config.paths.outputs)
    if config.run is not None:
        folder = find_run(config.run, outputs)
        return reopen(folder, changes_beside_run(job.overrides.task))
    if not of_sweep:
        return create(config, outputs, f"{timestamp()}_{safe_name(config.data.name)}")
    name = safe_name(without_plus(job.job.name)) or safe_name(config.data.name)
    return find_or_create(config, Path(job.sweep.dir), name)


class SweepAsked(Callback):
    """Says how many runs a sweep is, before the first."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        with ends_as_one_line():
            sections = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
            values = cast(dict[str, Any], OmegaConf.to_container(sections, resolve=True))
            settings = check_section({key: values[key] for key in AskingConfig.model_fields}, AskingConfig)
            folder, jobs = Path(config.hydra.sweep.dir), number_of_jobs(config)
            left = max(jobs - len([*folder.glob("*/config.yaml")]), 0)
            try:
                amount = left * expected(check(values))
            except ConfigError:  # what is missing comes with each job, or is named there
                return
            with asking(settings):
                allow(f"a sweep of {left:,} runs", amount, folder, runs=left)
            print(f"a sweep of {jobs:,} runs, {left:,} to begin: at most {amount}, in {folder}")


def number_of_jobs(config: DictConfig) -> int:
    """Of a sweep: every combination of the values that an experiment and the command line give with commas."""
    given = [f"{key}={value}" for key, value in (config.hydra.sweeper.get("params") or {}).items()]
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    overrides = parser.parse_overrides([*given, *config.hydra.overrides.task])
    choices = {override.get_key_element(): _choices(override) for override in overrides}  # a later one replaces
    return math.prod(choices.values())


def _choices(override: Override) -> int:
    if not override.is_discrete_sweep():
        return 1
    values = override.value()
    if isinstance(values, RangeSweep):  # perhaps more than can be counted one by one
        assert values.start is not None and values.stop is not None
        return max(math.ceil((values.stop - values.start) / values.step), 0)
    return sum(1 for _ in override.sweep_string_iterator())


def without_plus(name: str) -> str:
    """The name of a job without what `infogan.arguments` adds for Hydra."""
    return re.sub(r"\+\+[\w.]+_null_(?=\+\+)|\+\+", "", name)


def changes_beside_run(overrides: Sequence[str]) -> dict[str, Any]:
    """The overrides beside `run=` as nested values. Raises ConfigError for those that would make it another run."""
    changes = OmegaConf.create()
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.key_or_group
        if key in ("run", "imports") or key.partition(".")[0] in AskingConfig.model_fields:
            continue
        if not key.startswith(CHANGEABLE) or override.is_delete():
            given = without_plus(str(override.input_line))
            raise ConfigError(
                f"{given}: a run that continues keeps this; beside run= only {', '.join(CHANGEABLE)} can be given"
            )
        OmegaConf.update(changes, key, override.value())
    return cast(dict[str, Any], OmegaConf.to_container(changes, resolve=True))
