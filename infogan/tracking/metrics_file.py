"""metrics.csv, which every run has."""

import math
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from infogan.errors import RunError
from infogan.run_folder.metrics import ITERATION, Metrics, append_metrics, read_metrics, write_metrics


class MetricsFile(Logger):
    """metrics.csv of a run folder, while it trains.

    Opened again by a resumed run, it drops the rows after `iteration`, which will be measured again.
    """

    def __init__(self, folder: Path, iteration: int) -> None:
        super().__init__()
        self.folder = folder
        self.rows = [row for row in read_metrics(folder).rows if row[ITERATION] <= iteration]
        self._columns = self.logged.columns
        self._written = 0

    @property
    def logged(self) -> Metrics:
        """What was logged so far, also what is not yet on the disk."""
        return Metrics(self.rows)

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
        if not self.rows or self.rows[-1][ITERATION] != step:
            self.save()
            self.rows.append({ITERATION: step})
        elif self._written == len(self.rows):
            self._written = 0
        self.rows[-1].update(metrics)

    @rank_zero_only
    def save(self) -> None:
        """Puts on disk what is not yet there."""
        columns = list(dict.fromkeys([*self._columns, *(key for row in self.rows[self._written :] for key in row)]))
        if columns != self._columns or self._written == 0:
            self._columns, self._written = columns, 0
            write_metrics(self.folder, columns, self.rows)
        else:
            append_metrics(self.folder, columns, self.rows[self._written :])
        self._written = len(self.rows)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        try:
            self.save()
        except RunError:
            if status != "failed":  # else what made the run fail is about to be printed
                raise


def finite(value: float) -> float | None:
    """JSON has no NaN and no infinities: None in their place."""
    return value if math.isfinite(value) else None
