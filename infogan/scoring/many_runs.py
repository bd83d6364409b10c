"""Several runs side by side: what tells them apart, and the scores that each has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan.config.training import Config
from infogan.errors import RunError
from infogan.run_folder.contents import EVALUATION, read_object
from infogan.scoring.evaluation_files import flat
from infogan.trained.model import Trained, load_run

LOWER_IS_BETTER = ("distance", "fid", "kid", "path_length")
"""Parts of the names of scores of which a small one is good."""

CRITERIA = ("consensus", "centrality", "real_information", "label_free/score")
"""Scores that a run can be chosen by without labels; a comparison ranks by the first that all its runs have."""

LABEL_FREE = (*CRITERIA, "information/")
"""Scores, or what their names start with, that no label and no factor was used for; all others are supervised."""


@dataclass(frozen=True)
class Run:
    """A finished run: its model, what was set apart from the others (key → value, the seed aside), its scores."""

    trained: Trained
    settings: Mapping[str, Any]
    scores: dict[str, float]

    @property
    def name(self) -> str:
        return self.trained.folder.name

    @property
    def seed(self) -> int:
        return self.trained.config.seed


def open_runs(folders: Sequence[Path], device: str, notify: Callable[[str], None]) -> list[Run]:
    """The runs that can be compared, by their settings, their models on a device. `notify` hears of each that is left
    out, and why.

    Raises RunError where none is left, or they differ in the data set or the shape of images.
    """
    opened = []
    for folder in folders:
        try:
            trained = load_run(folder, device=device)
            if trained.summary.get("iterations") != trained.iteration:
                raise RunError(f"{folder} has not finished: python -m infogan.train run={folder} goes on")
            opened.append(trained)
        except RunError as error:
            notify(f"left out: {error}")
    if not opened:
        raise RunError("there is no finished run to compare")
    if len(names := {trained.config.data.name for trained in opened}) > 1:
        raise RunError(f"the runs are of different data sets, {' and '.join(sorted(names))}: one at a time")
    if len({trained.generator.image_shape for trained in opened}) > 1:
        raise RunError("the runs make images of different shapes: they cannot read each other's")
    settings = differing_settings([trained.config for trained in opened])
    runs = [Run(trained, own, known_scores(trained)) for trained, own in zip(opened, settings, strict=True)]
    return sorted(runs, key=lambda run: ([_ordered(value) for value in run.settings.values()], run.seed))


def differing_settings(configs: Sequence[Config]) -> list[dict[str, Any]]:
    """For each configuration what is not the same in all of them, the seed aside: key → value."""
    values = [_flat_settings(config.model_dump(include={"model", "data", "trainer"})) for config in configs]
    keys = sorted({key for each in values for key in each})
    differ = [key for key in keys if len({repr(each.get(key)) for each in values}) > 1]
    return [{key: each.get(key) for key in differ} for each in values]


def _ordered(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then all else by name."""
    number = isinstance(value, int | float)
    return not number, float(value) if number else 0.0, repr(value)


def _flat_settings(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat_settings(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def known_scores(trained: Trained) -> dict[str, float]:
    """What the run's summary and, where it is of the same iteration, its evaluation.json hold, by short names."""
    summary = trained.summary
    scores: dict[str, float] = {}
    for part in ("information", "information_at_mse"):
        bounds = summary.get(part, {}).items()
        scores |= {f"information/{name}": value for name, value in bounds if value is not None}
    scores |= {name: summary[name] for name in ("acc", "nmi", "ari") if summary.get(name) is not None}
    for score, by_code in summary.get("factors", {}).items():
        for factor in dict.fromkeys(name for row in by_code.values() for name in row if name != "label"):
            scores[f"{score}/{factor}"] = max(row[factor] for row in by_code.values() if factor in row)
    evaluation = read_object(trained.folder / EVALUATION)
    if evaluation.get("iterations") == trained.iteration:
        parts = {name: evaluation.get(name) for name in ("disentanglement", "image_quality", "label_free")}
        rows = flat({name: part for name, part in parts.items() if isinstance(part, Mapping)})
        left_out = (
            "/images",
            "/draws",
            "/consistency/",
            "/usage/",
            "/real_information/",
            "samples",
            "reference",
            "nearest_distance",
            "_images",
        )
        scores |= {name: row[0] for name, row in rows.items() if not any(word in name for word in left_out)}
    return scores
