"""Many run folders side by side: their order, and what each has to say in a line."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan.config.differences import as_text, differing_settings, in_order, short_names
from infogan.run_folder.paths import REPORT, STUDY
from infogan.run_folder.status import RunStatus, lambda_text


@dataclass(frozen=True)
class Listed:
    """A run among others. `settings`: what its sweep has set apart from the others there, λ and the seed aside, by
    short names; empty for a single run, and for the trials of a search, whose table infogan.search shows."""

    status: RunStatus
    settings: Mapping[str, Any]

    @property
    def swept(self) -> str:
        """`settings` in a few characters."""
        return " ".join(f"{name}={as_text(value)}" for name, value in self.settings.items())

    @property
    def report(self) -> Path | None:
        """Its page, where there is one."""
        path = self.status.folder / REPORT
        return path if path.is_file() else None

    @property
    def remark(self) -> str:
        """Why it is damaged or has collapsed; empty where neither is."""
        named = {"damaged": self.status.reason, "collapsed": f"{self.status.folder}: {self.status.reason}"}
        return f"{self.status.state}: {named[self.status.state]}" if self.status.state in named else ""

    def record(self) -> dict[str, str | int | float | None]:
        """All that is known of it as plain values, by names that do not change."""
        status, config = self.status, self.status.config
        return {
            "run": str(status.folder),
            "data": None if config is None else config.data.name,
            "lambda": None if config is None else lambda_text(config),
            "swept": self.swept,
            "seed": None if config is None else config.seed,
            "iterations": status.iterations,
            "max_iterations": None if config is None else config.trainer.max_iterations,
            "state": status.state,
            "reason": status.reason,
            "information": status.information,
            "acc": status.acc,
            "asked_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.asked_at)),
            "report": None if self.report is None else str(self.report),
        }


def listed(statuses: Sequence[RunStatus], outputs: Path) -> list[Listed]:
    """The runs below `outputs`, the newest first; those of a sweep together, by what was swept and by their seeds."""
    together: dict[Path, list[RunStatus]] = {}
    for status in sorted(statuses, key=lambda status: status.asked_at, reverse=True):
        single = status.folder.parent == outputs
        together.setdefault(status.folder if single else status.folder.parent, []).append(status)
    return [run for place, group in together.items() for run in _in_order(place, group)]


def _in_order(place: Path, group: Sequence[RunStatus]) -> list[Listed]:
    if (place / STUDY).is_file():
        return [Listed(status, {}) for status in sorted(group, key=lambda status: status.folder.name)]
    read = [(status, status.config) for status in group if status.config is not None]
    settings = differing_settings([config for _, config in read])
    names = {key: name for key, name in short_names(settings).items() if "λ" not in name} if settings else {}
    placed = []
    for (status, config), own in zip(read, settings, strict=True):
        run = Listed(status, {name: own[key] for key, name in names.items()})
        lambdas = {key: value for key, value in own.items() if "lambda" in key}
        placed.append(((in_order(lambdas), in_order(own), config.seed), run))
    found = [run for _, run in sorted(placed, key=lambda each: each[0])]
    return found + [Listed(status, {}) for status in group if status.config is None]
