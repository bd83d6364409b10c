"""What the files of a run folder tell, read without PyTorch and without Lightning."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infogan.config import Config, ExportedConfig, check, check_section
from infogan.errors import ConfigError, InfoGANError, RunError
from infogan.storage import is_held, iterations

EVALUATION = "evaluation.json"
"""All scores of a run, in its folder."""

EXPORTED, EXPORTED_FORMAT = "config.json", 1
"""What an exported folder holds in the place of a run's config.yaml, and the version in which it is written."""

COLLAPSED = "collapsed.json"
"""Why a run was ended before its time, in its folder until it goes on."""

LARGEST_CONFIG = 2**20
"""Characters of a config.yaml that is looked at."""

Row = dict[str, float]

State = Literal["finished", "running", "stopped", "collapsed", "damaged"]


@dataclass(frozen=True)
class Record:
    """A run folder at a glance.

    `state`: `running` where another process is at work there; `collapsed` where training was ended because it no
    longer learned, and `damaged` where the run cannot be read, both for `reason`.
    `iterations`: how many were done, as far as anything in the folder tells. `information`: L_I of the first code in
    nats, for a fixed σ with σ² = MSE; it and `acc` are those of the finished model, else the last that were logged.
    `asked_at`: when its configuration was last written, in seconds since 1970; `run=latest` is the last of these.
    """

    folder: Path
    asked_at: float
    state: State
    reason: str = ""
    config: Config | None = None
    iterations: int = 0
    information: float | None = None
    acc: float | None = None

    @property
    def progress(self) -> str:
        """The iterations done, and where they are fewer than were asked for, of how many."""
        if self.config is None:
            return ""
        asked = self.config.trainer.max_iterations
        return f"{self.iterations:,}" if self.iterations == asked else f"{self.iterations:,} of {asked:,}"


def read_record(folder: Path) -> Record:
    """Whatever lies in the folder gives a record: a run that cannot be read gives a damaged one."""
    try:
        asked_at = (folder / "config.yaml").stat().st_mtime
    except OSError:
        asked_at = folder.stat().st_mtime
    try:
        config, summary, rows = read_config(folder), read_summary(folder), read_metrics(folder / "metrics.csv")
        done = max([0, *iterations(folder)[:1], *(int(row["iteration"]) for row in rows[-1:])])
        name, code = next(iter(config.model.codes.items()))
        if summary.get("iterations") == config.trainer.max_iterations:
            measured = summary["information"] | summary["information_at_mse"]
            found = (_number_or_none(measured[name]), _number_or_none(summary["acc"]))
            return Record(folder, asked_at, "finished", "", config, summary["iterations"], *found)
        logged_in_full = code.kind == "categorical" or code.sigma == "learned"
        found = (_last(rows, f"information/{name}") if logged_in_full else None, _last(rows, "acc"))
        reason = str(read_object(folder / COLLAPSED).get("reason", ""))
        state: State = "running" if is_held(folder / "log.txt") else "collapsed" if reason else "stopped"
        return Record(folder, asked_at, state, reason, config, done, *found)
    except InfoGANError as error:
        return Record(folder, asked_at, "damaged", str(error))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{folder} holds what this version does not write: {type(error).__name__}: {error}"
        return Record(folder, asked_at, "damaged", reason)


def lambda_text(config: Config) -> str:
    """λ of the codes in G's loss: one number where it is the same for all, else each code's own."""
    by_code = {name: config.model.lambda_of(code) for name, code in config.model.codes.items()}
    values = set(by_code.values())
    return f"{values.pop():g}" if len(values) == 1 else ", ".join(f"{name} {v:g}" for name, v in by_code.items())


def read_config(folder: Path) -> Config:
    """The configuration that a run was trained with: plain values, whoever made the folder. Raises RunError where there
    is none, or it does not fit.
    """
    import yaml

    path = folder / "config.yaml"
    try:
        text = path.read_text()
        if len(text) > LARGEST_CONFIG or not _is_plain(text):
            raise RunError(f"{path} holds what no run writes (references, or endless nesting): refused")
        return check(yaml.safe_load(text))
    except FileNotFoundError:
        raise RunError(f"{folder} is not a run folder (it holds no config.yaml)") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise RunError(f"{path} could not be read: {' '.join(str(error).split())}") from None
    except ConfigError as error:
        raise RunError(f"{path} does not fit this version (provenance.json says which made it): {error}") from None


def read_exported(folder: Path) -> ExportedConfig:
    """What the model of an exported folder is made of. Raises RunError where that cannot be read, or does not fit."""
    path = folder / EXPORTED
    values = read_object(path)
    if values.get("format") != EXPORTED_FORMAT:
        found = str(values.get("format"))[:20]
        raise RunError(f"{path} is of format {found}, this version reads {EXPORTED_FORMAT}: export the run anew")
    try:
        return check_section(values, ExportedConfig)
    except ConfigError as error:
        raise RunError(f"{path} does not fit this version: {error}") from None


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


def read_summary(folder: Path) -> dict[str, Any]:
    """summary.json, empty where the run has not finished. Raises RunError where it is damaged."""
    return read_object(folder / "summary.json")


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


def _number_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def _number(column: str, text: str) -> float:
    return int(text) if column == "iteration" else float(text)


def _last(rows: Sequence[Mapping[str, float]], key: str) -> float | None:
    return next((row[key] for row in reversed(rows) if key in row), None)
