"""Where numbers go: metrics.csv in the run folder always; Weights & Biases where it is asked for."""

import csv
import io
import logging
import math
import netrc
import os
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlparse

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from PIL.Image import Image

from infogan.config import Config, WandbConfig
from infogan.errors import RunError
from infogan.records import read_metrics
from infogan.storage import append, checkpoint_path, write_atomically

if TYPE_CHECKING:
    from wandb import Artifact, Run

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


HEADLINES = ("acc", "nmi", "ari", "information/*", "entropy/*", "D/*", "loss/*")


class WandbRun(WandbLogger):
    """The W&B run of a run folder: its only x axis is `iteration`, its summaries are last values (the best would
    flatter), and the entropy of a code, the most that L_I can be, stands beside its bound.

    `about`: what W&B's filters and axes need of the run, beside the settings of `start_wandb`. `entropies` in nats, by
    code. What W&B raises once the run has begun is told in one line and ends its part: no training is lost by it.
    """

    def __init__(
        self, folder: Path, config: WandbConfig, about: Mapping[str, Any], entropies: Mapping[str, float]
    ) -> None:
        super().__init__(name=folder.name, project=config.project, save_dir=folder)
        self.folder, self.config = folder, config
        self._about = about
        self._entropies = {f"information/{name}": (f"entropy/{name}", value) for name, value in entropies.items()}
        self._lost = False

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """Started where it is first asked for; see `start_wandb` for what is raised."""
        if self._experiment is None:
            run = self._experiment = start_wandb(self.folder, self.config, self._about)
            if not run.offline:
                log.info(f"W&B: {run.url}")
            run.define_metric("iteration", hidden=True)
            run.define_metric("*", step_metric="iteration", step_sync=True)
            for name in HEADLINES:
                run.define_metric(name, step_metric="iteration", step_sync=True, summary="last")
            run.define_metric("images_per_second", step_metric="iteration", step_sync=True, summary="mean")
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        beside = dict(self._entropies[name] for name in metrics if name in self._entropies)
        self._send(lambda run: run.log({**metrics, **beside, "iteration": step}))

    @rank_zero_only
    def log_pictures(self, pictures: Mapping[str, Path], iteration: int) -> None:
        """One image panel for each PNG file, under `figures/`. Image panels have no x axis: the caption tells the
        iteration. Files, because encoding pictures a second time was most of what W&B cost the training loop."""
        import wandb

        def send(run: "Run") -> None:
            caption = f"iteration {iteration:,}"
            images = {f"figures/{name}": wandb.Image(path, caption=caption) for name, path in pictures.items()}
            run.log({**images, "iteration": iteration})

        self._send(send)

    @rank_zero_only
    def log_conclusion(self, summary: Mapping[str, Any]) -> None:
        """The content of summary.json as W&B's summary; tables of how codes follow factors and of the matching; with
        `logger.artifact` the final checkpoint, as a folder that `infogan.load` opens."""

        def send(run: "Run") -> None:
            run.summary.update(dict(summary))
            if tables := conclusion_tables(summary):
                run.log({**tables, "iteration": summary["iterations"]})
            if self.config.artifact:
                iteration = summary["iterations"]
                run.log_artifact(self._artifact(summary), aliases=["latest", f"iteration-{iteration}"])

        self._send(send)

    @rank_zero_only
    def log_evaluation(
        self, rows: Mapping[str, tuple[float, float | None, float | None]], pictures: Mapping[str, Image]
    ) -> None:
        """Scores, by path as (value, low, high), as summaries and as a table; pictures; all under `evaluation/`."""
        import wandb

        def send(run: "Run") -> None:
            lines = [[name, *row] for name, row in rows.items()]
            table = wandb.Table(columns=["score", "value", "low", "high"], data=lines)
            images = {f"evaluation/{name}": wandb.Image(picture) for name, picture in pictures.items()}
            run.log({"evaluation/scores": table, **images})
            run.summary.update({f"evaluation/{name}": value for name, (value, _, _) in rows.items()})

        self._send(send)

    def _artifact(self, summary: Mapping[str, Any]) -> "Artifact":
        import wandb

        headlines = {name: summary[name] for name in ("data", "seed", "iterations", "lambda", "acc", "nmi", "ari")}
        artifact = wandb.Artifact(f"model-{wandb_id(self.folder)}", type="model", metadata=headlines)
        checkpoint = checkpoint_path(self.folder, summary["iterations"])
        for path in (checkpoint, self.folder / "config.yaml", self.folder / "summary.json"):
            name = path.relative_to(self.folder).as_posix()
            # Else W&B would copy each file twice below the user's home, where runs that stay offline would pile up.
            artifact.add_file(str(path), name, policy="immutable", skip_cache=True)
        return artifact

    def _send(self, send: "Callable[[Run], object]") -> None:
        if self._lost:
            return
        try:
            send(self.experiment)
        except Exception as error:  # a full disk, W&B's process gone, whatever it is
            self._lost = True
            log.warning(f"W&B gets no more of this run: {_line(error)}")


def conclusion_tables(summary: Mapping[str, Any]) -> dict[str, Any]:
    """W&B tables of what summary.json tells of factors, code by factor for each score, and of classes, by key."""
    import wandb

    tables = {}
    lines = [(code, score, row) for score, by_code in summary["factors"].items() for code, row in by_code.items()]
    if factors := list(dict.fromkeys(name for _, _, row in lines for name in row)):
        data = [[code, score, *(row.get(name) for name in factors)] for code, score, row in lines]
        tables["codes_by_factor"] = wandb.Table(columns=["code", "score", *factors], data=data)
    if summary["matching"]:
        data = [[int(category), name] for category, name in summary["matching"].items()]
        tables["matching"] = wandb.Table(columns=["category", "class"], data=data)
    return tables


def start_wandb(folder: Path, config: WandbConfig, about: Mapping[str, Any]) -> "Run":
    """The W&B run of a run folder, new or gone on with; one line tells what becomes of it where it stays offline.
    `about`: further arguments of `wandb.init`.

    Where the server cannot be reached within `init_timeout` seconds, `mode=auto` goes on offline, and `mode=online`
    raises RunError. Raises RunError too where W&B cannot write into the folder.
    """
    import wandb
    from wandb.errors import Error

    def start(mode: WandbMode) -> "Run":
        return wandb.init(
            project=config.project,
            id=wandb_id(folder),
            resume="allow",
            dir=folder,
            mode=mode,
            settings=wandb.Settings(
                silent=True,
                init_timeout=config.init_timeout,
                finish_timeout=config.finish_timeout,
                finish_timeout_raises=True,
            ),
            **about,
        )

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # W&B's usage statistics, which fail when it does
    later = f"to send the run later: wandb login; wandb sync {folder}/wandb/offline-run-*"
    mode = wandb_mode(config.mode)
    try:
        if mode == "online":
            return start(mode)
        log.info(f"W&B: offline; {later}")
    except (Error, OSError) as error:
        if config.mode == "online":
            raise RunError(f"W&B: {_line(error)}; logger.mode=offline needs no server") from None
        with suppress(Exception):
            wandb.teardown()  # else W&B takes the run for one that is still in use
        log.warning(f"W&B: offline, for the server could not be used ({_line(error)}); {later}")
    try:
        return start("offline")
    except (Error, OSError) as error:
        raise RunError(f"W&B: {_line(error)}; logger=none leaves it out") from None


GRACE = 5.0
"""Seconds after which W&B's process is ended, where it has not kept to its own `finish_timeout`."""


def finish_wandb(failed: bool) -> None:
    """Closes this process's W&B run as finished or crashed: a second one would else write into it. Where not all of it
    was sent in time, one line tells how to send it later."""
    import wandb

    run = wandb.run
    if run is None:
        return
    problems: list[Exception] = []

    def finish() -> None:
        try:
            wandb.finish(exit_code=int(failed))
        except Exception as error:  # whatever it is, the run folder holds all that W&B was to show
            problems.append(error)

    thread = Thread(target=finish, daemon=True)
    thread.start()
    thread.join(run.settings.finish_timeout + GRACE)
    if stuck := thread.is_alive():  # with an artifact under way it retries without end, here and when Python exits
        with suppress(AttributeError):
            wandb.setup()._connection._proc._process.kill()  # type: ignore[union-attr]
        thread.join(GRACE)
    if problems or stuck:
        reason = "it took too long" if stuck else _line(problems[0])
        sync = f"wandb sync --no-skip-online {run.settings.sync_dir}"
        log.warning(f"W&B: not all of the run was sent ({reason}); to send it later: {sync}")
        with suppress(Exception):
            wandb.teardown()


def add_evaluation(
    run_folder: Path,
    config: Config,
    rows: Mapping[str, tuple[float, float | None, float | None]],
    pictures: Mapping[str, Image],
) -> None:
    """Adds scores, by path as (value, low, high), and pictures to the W&B run of a run folder, where it has one."""
    if isinstance(config.logger, WandbConfig) and (run_folder / "wandb" / "id").is_file():
        WandbRun(run_folder, config.logger, {}, {}).log_evaluation(rows, pictures)
        finish_wandb(failed=False)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


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
