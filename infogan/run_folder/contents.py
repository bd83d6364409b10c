"""The files of a run folder, read without PyTorch and without Lightning."""

import csv
import json
from pathlib import Path
from typing import Any

from infogan.errors import RunError

EVALUATION = "evaluation.json"
"""All scores of a run, in its folder."""

SUMMARY = "summary.json"
"""What training measured at its end, in the folder of a run that has finished."""

COLLAPSED = "collapsed.json"
"""Why a run was ended before its time, in its folder until it goes on."""

Row = dict[str, float]


def read_summary(folder: Path) -> dict[str, Any]:
    """summary.json, empty where the run has not finished. Raises RunError where it is damaged."""
    return read_object(folder / SUMMARY)


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object; empty where there is no such file. Raises RunError where it is damaged."""
    value = _read_json(path, {})
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: it holds no object")
    return value


def read_provenance(folder: Path) -> list[dict[str, Any]]:
    """The starts of a run, first to last; see `experiment.provenance`. Raises RunError where the file is damaged."""
    starts = _read_json(folder / "provenance.json", [])
    if not isinstance(starts, list) or not all(isinstance(start, dict) for start in starts):
        raise RunError(f"{folder}/provenance.json is damaged: it holds no list of starts")
    return starts


def read_metrics(path: Path) -> list[Row]:
    """The rows of a metrics.csv in their order, without the empty cells, and without a last line that has no end: the
    disk was full, or the process killed. None where there is no such file.

    Raises RunError where it is damaged.
    """
    try:
        whole, _, _ = path.read_text().rpartition("\n")
        lines = csv.DictReader(whole.splitlines())
        rows = [{key: _number(key, value) for key, value in row.items() if value} for row in lines]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{path} could not be read: {error}") from None
    if not all("iteration" in row for row in rows):
        raise RunError(f"{path} is damaged: a row names no iteration")
    return rows


def _read_json(path: Path, if_missing: Any) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return if_missing
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} could not be read: {error}") from None


def _number(column: str, text: str) -> float:
    return int(text) if column == "iteration" else float(text)
