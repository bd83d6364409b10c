"""Several runs side by side: what tells them apart, and the scores that each has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan.config.differences import differing_settings, in_order
from infogan.errors import RunError
from infogan.run_folder.evaluation import flat, read_evaluation
from infogan.run_folder.metrics import INFORMATION, information
from infogan.trained.model import Trained, load_run

LOWER_IS_BETTER = ("distance", "fid", "kid", "path_length")
"""Parts of the names of scores of which a small one is good."""

CRITERIA = ("consensus", "centrality", "real_information", "label_free/score")
"""Scores that a run can be chosen by without labels; a comparison ranks by the first that all its runs have."""

LABEL_FREE = (*CRITERIA, INFORMATION)
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
            if not trained.is_finished:
                raise RunError(f"{folder} has not finished: python -m infogan.train run={folder} continues it")
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
    return sorted(runs, key=lambda run: (in_order(run.settings), run.seed))


def known_scores(trained: Trained) -> dict[str, float]:
    """What the run's summary and, where it is of the same iteration, its evaluation.json hold, by short names."""
    scores: dict[str, float] = {}
    if (summary := trained.summary) is not None:
        for bounds in (summary.information, summary.information_at_mse):
            scores |= {information(name): value for name, value in bounds.items() if value is not None}
        scores |= summary.clustering
    for score, by_code in trained.factors.items():
        for factor in dict.fromkeys(name for row in by_code.values() for name in row if name != "label"):
            scores[f"{score}/{factor}"] = max(row[factor] for row in by_code.values() if factor in row)
    evaluation = read_evaluation(trained.folder)
    if evaluation is not None and evaluation.iterations == trained.iteration:
        shared = ("disentanglement", "image_quality", "label_free")
        rows = flat({name: part for name, part in evaluation.parts.items() if name in shared})
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
