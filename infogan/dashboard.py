"""`python -m infogan.dashboard`: W&B's workspace and report on a run, or on a sweep."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import RunError, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import DashboardConfig


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="dashboard")
def job(values: DictConfig) -> None:
    """Arranges the panels, and sends them or says why not."""
    from infogan.config.check import check_section
    from infogan.config.opening import DashboardConfig

    with ends_as_one_line():
        dashboard(check_section(plain(values), DashboardConfig))


def dashboard(config: "DashboardConfig") -> None:
    """Saves workspace and report in W&B and prints where; writes them to dashboard.json where that cannot be."""
    try:
        from infogan.tracking import workspace
    except ImportError:
        raise RunError("a dashboard needs an extra of this package: pip install 'infogan-lab[dashboard]'") from None
    from infogan.tracking.wandb_session import wandb_mode

    folder, folders = chosen(config)
    runs = workspace.tracked_runs(folders)
    if not runs:
        raise RunError(f"{folder}: nothing there was logged to W&B: logger=wandb does it while a run trains")
    shown = workspace.dashboard_of(folder.name, None if config.sweep is None else folder.name, runs)
    if wandb_mode("auto") == "offline":
        reason = "W&B is offline here: there are no credentials, or WANDB_MODE says so"
    else:
        try:
            addresses = workspace.send(shown)
        except Exception as error:  # of W&B, of its transport, of the library on top of both
            reason = " ".join(str(error).split()) or type(error).__name__
        else:
            print(f"workspace: {addresses['workspace']}\nreport:    {addresses['report']}")
            return
    path = workspace.write_dashboard(shown, folder)
    synced = f"wandb sync {folder}/{'wandb' if config.sweep is None else '*/wandb'}/offline-run-*"
    print(f"not sent: {reason}; {path} holds what would be; to send it: wandb login; {synced}; this command again")


def chosen(config: "DashboardConfig") -> "tuple[Path, list[Path]]":
    """The folder that is asked for, and the run folders there. Raises RunError where there is none."""
    from pathlib import Path

    from infogan.run_folder.paths import find_run, runs_of

    if config.run is not None:
        folder = find_run(config.run, Path(config.paths.outputs))
        return folder, [folder]
    assert config.sweep is not None
    folder = Path(config.sweep).expanduser().absolute()
    return folder, runs_of(folder)


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
