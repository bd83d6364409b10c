"""Files of JSON, read without PyTorch and without Lightning."""

import json
from pathlib import Path
from typing import Any

from infogan.config.check import check_section
from infogan.config.fields import AnySection
from infogan.errors import ConfigError, RunError

COLLAPSED = "collapsed.json"
"""Why a run was ended before its time, in its folder until it continues."""


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object; empty where there is no such file. Raises RunError where it is damaged."""
    value = _read_json(path, {})
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: it holds no object")
    return value


def read_section(path: Path, schema: type[AnySection]) -> AnySection | None:
    """A JSON file as an object of that schema; None where there is no such file. Raises RunError, one line that names
    file and field, where it is damaged."""
    if not path.exists():
        return None
    try:
        return check_section(read_object(path), schema)
    except ConfigError as error:
        reason = str(error).encode("utf-8", "backslashreplace").decode()  # JSON may hold halves of characters
        raise RunError(f"{path} is damaged: {reason}") from None


def read_provenance(folder: Path) -> list[dict[str, Any]]:
    """The starts of a run, first to last; see `experiment.provenance`. Raises RunError where the file is damaged."""
    starts = _read_json(folder / "provenance.json", [])
    if not isinstance(starts, list) or not all(isinstance(start, dict) for start in starts):
        raise RunError(f"{folder}/provenance.json is damaged: it holds no list of starts")
    return starts


def _read_json(path: Path, if_missing: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return if_missing
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} could not be read: {error}") from None
