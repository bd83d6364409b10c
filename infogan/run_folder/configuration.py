"""config.yaml of a run and config.json of an exported model: written, and read from whoever made them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infogan.config.check import check_file
from infogan.config.extensions import NotGiven, give
from infogan.config.opening import ExportedConfig
from infogan.config.training import Config
from infogan.config.versions import VERSION, Unreadable, up_to_date
from infogan.errors import ConfigError, RunError
from infogan.run_folder.contents import read_object
from infogan.run_folder.files import write_atomically, write_json


def save_config(config: Config, folder: Path) -> None:
    """config.yaml, whole and resolved, with the version of the schema."""
    import yaml

    text = yaml.safe_dump({"version": VERSION, **config.model_dump()}, sort_keys=False)
    write_atomically(folder / "config.yaml", lambda staged: staged.write_text(text, encoding="utf-8"))


def load_config(folder: Path, changes: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a run folder, with `changes` merged over it.

    Raises RunError where it has none that fits the schema, ConfigError where it does not with the changes.
    """
    from omegaconf import OmegaConf

    config = read_config(folder)
    if not changes:
        return config
    give(changes)
    return check_file(OmegaConf.to_container(OmegaConf.merge(config.model_dump(), dict(changes))), Config)


EXPORTED = "config.json"
"""What an exported folder holds in the place of a run's config.yaml."""

LARGEST_CONFIG = 2**20
"""Characters of a config.yaml that is looked at."""


def read_config(folder: Path) -> Config:
    """The configuration that a run was trained with, brought up to date: plain values, whoever made the folder. Raises
    RunError where there is none, it is of a newer version, or it does not fit, NotGiven where it names a class that
    may not be imported.
    """
    import yaml

    path = folder / "config.yaml"
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > LARGEST_CONFIG or not _is_plain(text):
            raise RunError(f"{path} holds what no run writes (references, or endless nesting): refused")
        return check_file(up_to_date(yaml.safe_load(text)), Config)
    except Unreadable as error:
        raise RunError(f"{path} {error}") from None
    except FileNotFoundError:
        raise RunError(f"{folder} is not a run folder (it holds no config.yaml)") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise RunError(f"{path} could not be read: {' '.join(str(error).split())}") from None
    except NotGiven as error:
        raise NotGiven(f"{path} names {error}") from None
    except ConfigError as error:
        raise RunError(f"{path} does not fit this version (provenance.json says which made it): {error}") from None


def read_exported(folder: Path) -> ExportedConfig:
    """What the model of an exported folder is made of, brought up to date. Raises RunError where that cannot be read,
    is of a newer version, or does not fit, NotGiven as `read_config`."""
    path = folder / EXPORTED
    try:
        return check_file(up_to_date(read_object(path)), ExportedConfig)
    except Unreadable as error:
        raise RunError(f"{path} {error}") from None
    except NotGiven as error:
        raise NotGiven(f"{path} names {error}") from None
    except ConfigError as error:
        raise RunError(f"{path} does not fit this version: {error}") from None


def save_exported(config: ExportedConfig, folder: Path) -> None:
    """config.json of an exported folder, with the version of the schema."""
    write_json(folder / EXPORTED, {"version": VERSION, **config.model_dump(mode="json")})


def _is_plain(text: str) -> bool:
    """Whether YAML is without interpolations and aliases, by which few bytes become many, and not nested deeply, which
    its parser takes a time for that grows with the square. Read as a stream, up to the first such place."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > 20 or isinstance(event, yaml.AliasEvent):
            return False
    return "${" not in text
