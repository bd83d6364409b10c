"""Starting and ending a Weights & Biases run, with a server or without."""

import json
import logging
import netrc
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlparse

from infogan.config.training import WandbConfig
from infogan.errors import RunError
from infogan.run_folder.files import write_atomically

if TYPE_CHECKING:
    from wandb import Run


def start_wandb(folder: Path, config: WandbConfig, metadata: Mapping[str, Any]) -> "Run":
    """The W&B run of a run folder, new or resumed; one line says what becomes of it where it stays offline.
    `metadata`: further arguments of `wandb.init`.

    Where the server cannot be reached within `init_timeout` seconds, `mode=auto` continues offline, and `mode=online`
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
            **metadata,
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
            raise RunError(f"W&B: {one_line(error)}; logger.mode=offline needs no server") from None
        with suppress(Exception):
            wandb.teardown()  # else W&B takes the run for one that is still in use
        log.warning(f"W&B: offline, for the server could not be used ({one_line(error)}); {later}")
    try:
        return start("offline")
    except (Error, OSError) as error:
        raise RunError(f"W&B: {one_line(error)}; logger=none leaves it out") from None


GRACE = 5.0
"""Seconds after which W&B's process is ended, where it has not kept to its own `finish_timeout`."""


SAID = "summary.json"
"""In a run folder's wandb/: what is kept there for a part that is written offline. `wandb sync` lets the summary of a
part replace that of those before it, where a server merges them while they run."""


def finish_wandb(failed: bool) -> None:
    """Closes this process's W&B run as finished or crashed: a second one would else write into it. Where not all of it
    was sent in time, one line says how to send it later."""
    import wandb

    run = wandb.run
    if run is None:
        return
    problems: list[Exception] = []

    def finish() -> None:
        with suppress(Exception):  # only a later part would have had a use for it
            _keep_said(run)
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
        reason = "it took too long" if stuck else one_line(problems[0])
        sync = f"wandb sync --no-skip-online {run.settings.sync_dir}"
        log.warning(f"W&B: not all of the run was sent ({reason}); to send it later: {sync}")
        with suppress(Exception):
            wandb.teardown()


def one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


log = logging.getLogger("infogan")

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


def said_before(run_folder: Path) -> dict[str, Any]:
    """The summary of the W&B run of this folder when its last part ended; empty without one."""
    try:
        return dict(json.loads((run_folder / "wandb" / SAID).read_text(encoding="utf-8")))
    except (OSError, ValueError):  # it is the first, or was killed
        return {}


def _keep_said(run: "Run") -> None:
    values = json.dumps({key: run.summary[key] for key in run.summary.keys()}, default=dict)  # noqa: SIM118
    path = Path(run.settings.wandb_dir) / SAID
    write_atomically(path, lambda staged: staged.write_text(values, encoding="utf-8"))


def is_new(run_folder: Path) -> bool:
    """Whether this folder has no W&B run yet."""
    return not (run_folder / "wandb" / "id").is_file()


def wandb_id(run_folder: Path) -> str:
    """The id of this folder's W&B run: made once, by W&B's agent where that has started it, and found again by a
    resumed run."""
    path = run_folder / "wandb" / "id"
    if is_new(run_folder):
        by_agent = os.environ.get("WANDB_RUN_ID") if "WANDB_SWEEP_ID" in os.environ else None
        identifier = by_agent or secrets.token_hex(4)
        write_atomically(path, lambda staged: staged.write_text(identifier, encoding="utf-8"))
    return path.read_text(encoding="utf-8")
