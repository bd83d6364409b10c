"""metrics.csv, which every run has."""

import csv
import io
import math
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from infogan.errors import RunError
from infogan.run_folder.contents import read_metrics
from infogan.run_folder.files import append, write_atomically


class MetricsFile(Logger):
    """metrics.csv: one row an iteration, one column a number, empty where it was not measured in that iteration.

    Opened again by a resumed run, it drops the rows after `iteration`, which will be measured again.
    """

    def __init__(self, path: Path, iteration: int) -> None:
        super().__init__()
        self.path = path
        self.rows = [row for row in read_metrics(path) if row["iteration"] <= iteration]
        self._columns = list(dict.fromkeys(key for row in self.rows for key in row))
        self._written = 0

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """config.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        assert step is not None
        if not self.rows or self.rows[-1]["iteration"] != step:
            self.save()
            self.rows.append({"iteration": step})
        elif self._written == len(self.rows):
            self._written = 0
        self.rows[-1].update(metrics)

    @rank_zero_only
    def save(self) -> None:
        """Puts on disk what is not yet there."""
        columns = list(dict.fromkeys([*self._columns, *(key for row in self.rows[self._written :] for key in row)]))
        if columns != self._columns or self._written == 0:
            self._columns, self._written = columns, 0
            text = self._lines([{key: key for key in columns}, *self.rows])
            write_atomically(self.path, lambda staged: staged.write_text(text, encoding="utf-8"))
        else:
            append(self.path, self._lines(self.rows[self._written :]))
        self._written = len(self.rows)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        try:
            self.save()
        except RunError:
            if status != "failed":  # else what made the run fail is about to be printed
                raise

    def _lines(self, rows: list[Any]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self._columns, lineterminator="\n").writerows(rows)
        return text.getvalue()


def finite(value: float) -> float | None:
    """JSON has no NaN and no infinities: None in their place."""
    return value if math.isfinite(value) else None
