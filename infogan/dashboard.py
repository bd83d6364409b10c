"""`python -m infogan.dashboard`: W&B's workspace and report on a run, or on a sweep."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import RunError, ends_as_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infogan.config.opening import DashboardConfig
    from infogan.tracking.workspace import Logged, Shown


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="dashboard")
def job(values: DictConfig) -> None:
    """Arranges the panels, and sends them or says why not."""
    from infogan.config.check import check_section
    from infogan.config.opening import DashboardConfig

    with ends_as_one_line():
        dashboard(check_section(plain(values), DashboardConfig))


def dashboard(config: "DashboardConfig") -> None:
    """Saves workspace and report in W&B and prints where; leaves them as dashboard.json where that cannot be."""
    try:
        from infogan.tracking import workspace
    except ImportError:
        raise RunError("a dashboard needs an extra of this package: pip install 'infogan-lab[dashboard]'") from None
    from infogan.tracking.wandb_session import wandb_mode

    folder, runs = chosen(config)
    what = workspace.shown(folder.name, None if config.sweep is None else folder.name, runs)
    if wandb_mode("auto") == "offline":
        reason = "W&B is offline here: there are no credentials, or WANDB_MODE says so"
    elif not (reason := send(what)):
        return
    path = leave(what, folder)
    synced = f"wandb sync {folder}/{'wandb' if config.sweep is None else '*/wandb'}/offline-run-*"
    print(f"not sent: {reason}; {path} holds what would be; to send it: wandb login; {synced}; this command again")


def chosen(config: "DashboardConfig") -> "tuple[Path, Sequence[Logged]]":
    """The folder that is asked for, and its runs that have a W&B run.

    Raises RunError where there is none.
    """
    from pathlib import Path

    from infogan.config.training import WandbConfig
    from infogan.run_folder.paths import find_run, runs_of
    from infogan.run_folder.status import read_status
    from infogan.tracking.wandb_session import wandb_id
    from infogan.tracking.workspace import Logged

    if config.run is not None:
        folder = find_run(config.run, Path(config.paths.outputs))
        folders = [folder]
    else:
        assert config.sweep is not None
        folder = Path(config.sweep).expanduser().absolute()
        folders = runs_of(folder)
    statuses = [read_status(each) for each in folders]
    for status in statuses:
        if status.config is None:
            raise RunError(status.reason)
    runs = [
        Logged(status, status.config, status.config.logger.project, wandb_id(status.folder))
        for status in statuses
        if status.config is not None
        and isinstance(status.config.logger, WandbConfig)
        and (status.folder / "wandb" / "id").is_file()
    ]
    if not runs:
        raise RunError(f"{folder}: nothing there was logged to W&B: logger=wandb does it while a run trains")
    return folder, runs


def send(what: "Shown") -> str:
    """Saves workspace and report in W&B and prints their addresses; else returns why not, in one line."""
    import wandb

    from infogan.tracking import workspace

    try:
        api = wandb.Api()
        entity = str(api.default_entity)
        api.run(f"{entity}/{what.project}/{what.ids[0]}").load()
        saved = workspace.workspace(what, entity).save()
        report = workspace.report(what, entity).save()
    except Exception as error:  # of W&B, of its transport, of the library on top of both
        return " ".join(str(error).split()) or type(error).__name__
    print(f"workspace: {saved.url}")
    print(f"report:    {report.url}")
    return ""


def leave(what: "Shown", folder: "Path") -> "Path":
    """dashboard.json: workspace and report as W&B takes them."""
    import json

    from infogan.run_folder.files import write_json
    from infogan.tracking import workspace

    models = {"workspace": workspace.workspace(what, "")._to_model(), "report": workspace.report(what, "")._to_model()}
    path = folder / "dashboard.json"
    texts = {name: model.model_dump_json(by_alias=True, exclude_none=True) for name, model in models.items()}
    write_json(path, {"project": what.project, **{name: json.loads(text) for name, text in texts.items()}})
    return path


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
