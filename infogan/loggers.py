"""Where numbers go: metrics.csv in the run folder always; Weights & Biases where it is asked for."""

import csv
import io
import logging
import math
import netrc
import os
import secrets
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from PIL.Image import Image
from wandb.errors import Error

from infogan.config import Config, WandbConfig
from infogan.errors import RunError
from infogan.records import read_metrics
from infogan.storage import append, write_atomically

log = logging.getLogger("infogan")


class MetricsFile(Logger):
    """metrics.csv: one row an iteration, one column a number, empty where it was not measured in that iteration.

    Opened again by a resumed run, it drops the rows after `iteration`, which will be measured anew.
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
            write_atomically(self.path, lambda staged: staged.write_text(text))
        else:
            append(self.path, self._lines(self.rows[self._written :]))
        self._written = len(self.rows)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        try:
            self.save()
        except RunError:
            if status != "failed":  # else what made the run fail is on its way to be told
                raise

    def _lines(self, rows: list[Any]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self._columns, lineterminator="\n").writerows(rows)
        return text.getvalue()


HEADLINES = ("acc", "nmi", "ari", "information/*", "D/*", "loss/*")


class WandbRun(WandbLogger):
    """A W&B run whose only x axis is `iteration`, and whose summaries are last values: the best would flatter."""

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        first = self._experiment is None
        self._wandb_init.pop("anonymous", None)  # Lightning passes it on, and wandb warns that it means nothing
        try:
            run = super().experiment
        except Error as error:
            raise RunError(f"W&B: {' '.join(str(error).split())}; logger.mode=offline needs no server") from None
        if first:
            if not run.offline:
                log.info(f"W&B: {run.url}")
            run.define_metric("iteration", hidden=True)
            run.define_metric("*", step_metric="iteration", step_sync=True)
            for name in HEADLINES:
                run.define_metric(name, step_metric="iteration", step_sync=True, summary="last")
            run.define_metric("images_per_second", step_metric="iteration", step_sync=True, summary="mean")
        return run

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.experiment.log({**metrics, "iteration": step})

    @rank_zero_only
    def log_pictures(self, pictures: Mapping[str, Image], iteration: int) -> None:
        """One image panel each, under `figures/`. Image panels have no x axis: the caption tells the iteration."""
        import wandb

        caption = f"iteration {iteration:,}"
        images = {f"figures/{name}": wandb.Image(picture, caption=caption) for name, picture in pictures.items()}
        self.experiment.log({**images, "iteration": iteration})


def add_evaluation(
    run_folder: Path,
    config: Config,
    rows: Mapping[str, tuple[float, float | None, float | None]],
    pictures: Mapping[str, Image],
) -> None:
    """Adds scores, by path as (value, low, high), and pictures to the W&B run of a run folder, where it has one."""
    if not isinstance(config.logger, WandbConfig) or not (run_folder / "wandb" / "id").is_file():
        return
    import wandb

    run = wandb.init(
        project=config.logger.project,
        id=wandb_id(run_folder),
        resume="allow",
        dir=run_folder,
        mode=wandb_mode(config.logger.mode),
        settings=wandb.Settings(silent=True),
    )
    try:
        lines = [[name, *row] for name, row in rows.items()]
        table = wandb.Table(columns=["score", "value", "low", "high"], data=lines)
        images = {f"evaluation/{name}": wandb.Image(picture) for name, picture in pictures.items()}
        run.log({"evaluation/scores": table, **images})
        run.summary.update({f"evaluation/{name}": value for name, (value, _, _) in rows.items()})
    finally:
        wandb.finish()


WandbMode = Literal["online", "offline"]


def wandb_mode(asked: Literal["auto", "online", "offline"]) -> WandbMode:
    """`auto` is online where there are credentials (WANDB_API_KEY or netrc), else offline; WANDB_MODE has its say."""
    if asked != "auto":
        return asked
    if os.environ.get("WANDB_MODE") in ("offline", "disabled", "dryrun"):
        return "offline"
    return "online" if os.environ.get("WANDB_API_KEY") or _in_netrc() else "offline"


def _in_netrc() -> bool:
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def wandb_id(run_folder: Path) -> str:
    """The id of this folder's W&B run: made once, and found again by a resumed run."""
    path = run_folder / "wandb" / "id"
    if not path.is_file():
        identifier = secrets.token_hex(4)
        write_atomically(path, lambda staged: staged.write_text(identifier))
    return path.read_text()


def finite(value: float) -> float | None:
    """JSON has no NaN and no infinities: None in their place."""
    return value if math.isfinite(value) else None
