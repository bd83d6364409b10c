"""A run folder at a glance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infogan.config.training import Config
from infogan.errors import InfoGANError
from infogan.run_folder.configuration import read_config
from infogan.run_folder.contents import COLLAPSED, read_object
from infogan.run_folder.locks import is_held
from infogan.run_folder.metrics import CLUSTERING, information, read_metrics
from infogan.run_folder.paths import iterations
from infogan.run_folder.summary import read_summary

State = Literal["finished", "running", "stopped", "collapsed", "damaged"]


@dataclass(frozen=True)
class RunStatus:
    """A run folder at a glance.

    `state`: `running` where another process is at work there; `collapsed` where training was ended because it no
    longer learned, and `damaged` where the run cannot be read, both for `reason`.
    `iterations`: how many were done, as far as anything in the folder shows. `information`: L_I of the first code in
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


def read_status(folder: Path) -> RunStatus:
    """Whatever lies in the folder gives a status: that of a run that cannot be read is `damaged`."""
    try:
        asked_at = (folder / "config.yaml").stat().st_mtime
    except OSError:
        asked_at = folder.stat().st_mtime
    try:
        config, summary, metrics = read_config(folder), read_summary(folder), read_metrics(folder)
        done = max([0, *iterations(folder)[:1], metrics.iteration])
        name, code = next(iter(config.model.codes.items()))
        if summary is not None and summary.iterations == config.trainer.max_iterations:
            found = (summary.refitted_information[name], summary.acc)
            return RunStatus(folder, asked_at, "finished", "", config, summary.iterations, *found)
        found = (None if code.has_fixed_width else metrics.last(information(name)), metrics.last(CLUSTERING[0]))
        reason = str(read_object(folder / COLLAPSED).get("reason", ""))
        state: State = "running" if is_held(folder) else "collapsed" if reason else "stopped"
        return RunStatus(folder, asked_at, state, reason, config, done, *found)
    except InfoGANError as error:
        return RunStatus(folder, asked_at, "damaged", str(error))
    except (KeyError, ValueError) as error:
        reason = f"{folder} holds what this version does not write: {type(error).__name__}: {error}"
        return RunStatus(folder, asked_at, "damaged", reason)


def lambda_text(config: Config) -> str:
    """λ of the codes in G's loss: one number where it is the same for all, else each code's own."""
    by_code = config.model.lambdas
    values = set(by_code.values())
    return f"{values.pop():g}" if len(values) == 1 else ", ".join(f"{name} {v:g}" for name, v in by_code.items())
