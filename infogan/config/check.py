"""From plain values to a checked configuration, or to one line that names the key."""

from collections.abc import Mapping
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
)

from infogan.config.asking import AskingConfig
from infogan.config.extensions import ImportsConfig, give
from infogan.config.fields import AnySection
from infogan.config.training import Config
from infogan.errors import ConfigError, as_text

MANDATORY = "???"
"""What OmegaConf puts where conf/ leaves a value to a preset, and none has given it."""


def check(values: Mapping[str, Any]) -> Config:
    """The configuration of a training run, without what is the command's alone (`AskingConfig`). Raises ConfigError,
    one line that names every key that is wrong."""
    if isinstance(values, Mapping):  # a file may hold anything
        values = {key: value for key, value in values.items() if key not in AskingConfig.model_fields}
    return check_section(values, Config)


def check_section(values: Mapping[str, Any], schema: type[AnySection]) -> AnySection:
    """`values` as an object of that schema, for a command that is not training. Raises ConfigError as `check`.

    They are what the user of this process has given: the classes that they name may be imported. So may those of
    `imports`, a key of every command.
    """
    values = dict(values)
    if "imports" in values:
        give(check_file({"imports": values.pop("imports")}, ImportsConfig).imports)
    give(values)
    return check_file(values, schema)


def check_file(values: Any, schema: type[AnySection]) -> AnySection:
    """What a file holds, as an object of that schema. Raises ConfigError as `check`, and NotGiven where it names by its
    path a class that the user of this process has not given."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_line(detail) for detail in error.errors(include_url=False))) from None


def _line(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"] if not str(part).startswith(("<", "[")))  # no union's tag
    message = " ".join(detail["msg"].removeprefix("Value error, ").split())
    if not key:
        return message
    if detail["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    if detail["type"] == "missing" or detail["input"] == MANDATORY:
        return f"{key} is missing"
    if isinstance(detail["input"], Mapping | BaseModel):
        return f"{key}: {message[0].lower()}{message[1:]}"
    value = " ".join(_as_typed(detail["input"]).split())
    if detail["type"] == "string_type" and value != "null" and len(value) < LONG:
        return f"{key}={value}: must be text, which it is in quotes: {as_text(key, value)}"
    return f"{key}={value if len(value) < LONG else value[: LONG - 3] + '...'}: {message[0].lower()}{message[1:]}"


LONG = 60
"""Characters of a value that are shown."""


def _as_typed(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, list):
        return f"[{','.join(_as_typed(entry) for entry in value)}]"
    return {"None": "null", "True": "true", "False": "false"}.get(repr(value), str(value))
