"""Where runs and their checkpoints lie."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from infogan.errors import RunError
from infogan.run_folder.configuration import read_config
from infogan.run_folder.staging import staged_name

STUDY = "study.db"
"""What infogan.search keeps of its trials, in the folder that holds their run folders."""


def sweep_of(folder: Path) -> str | None:
    """The name of the sweep or search that a run belongs to, None for a single run. Known by what Hydra and
    infogan.search leave there."""
    marks = ("multirun.yaml", STUDY)
    return folder.parent.name if any((folder.parent / mark).is_file() for mark in marks) else None


def checkpoint_iteration(checkpoint: Path | None) -> int:
    """The iteration after which a checkpoint was made, 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.stem.removeprefix("iteration_"))


CHECKPOINT_PATTERN = "iteration_*.safetensors"

REPORT = "report.html"
"""The page of infogan.report, in the folder of a run or of a sweep."""

PLACES = ("*", "sweeps/*/*", "searches/*/*")
"""Where run folders lie below `paths.outputs`: single runs, a sweep's jobs, a search's trials."""


def remove_staged_checkpoints(run: Path) -> None:
    """Removes what a killed process left half-written. The caller holds the run, so that nobody is writing there."""
    for pattern in (f".{CHECKPOINT_PATTERN}.*", ".tmp*"):  # the latter is how safetensors stages a file in its turn
        for staged in (run / "checkpoints").glob(pattern):
            staged.unlink()


def new_run_folder(outputs: Path, name: str) -> Path:
    """Makes `outputs/<name>`, or `<name>-2`, `-3` … where that is taken: two runs never share a folder."""
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 10_000):
            folder = outputs / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
    except OSError as error:
        raise RunError(f"paths.outputs={outputs} cannot be written: {error.strerror or error}") from error
    raise RunError(f"paths.outputs={outputs} holds 10,000 runs named {name}: move some away")


def run_folders(outputs: Path, name: str) -> list[Path]:
    """The folders that `new_run_folder` made of this name: `name`, `name-2`, `name-3` …"""
    found = [path for path in outputs.glob(f"{name}*") if re.fullmatch(rf"{re.escape(name)}(-\d+)?", path.name)]
    return sorted(found, key=lambda path: (len(path.name), path.name))


def set_link(path: Path, target: Path) -> None:
    """Makes `path` a relative link to the folder `target`, at once in place of an older one."""
    staged = staged_name(path)
    staged.symlink_to(os.path.relpath(target.resolve(), path.parent.resolve()))
    staged.replace(path)


def timestamp() -> str:
    """Local time as the start of a folder's name: sorts by age."""
    return time.strftime("%Y-%m-%d_%H-%M-%S")


def safe_name(text: str) -> str:
    """`text` as one part of a path, of characters that neither a shell nor Hydra's `run=` needs quoted."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", text).strip("_.")[:150]


def find_run(run: str, outputs: Path) -> Path:
    """The folder named by `run=<folder>`, or for `run=latest` the newest in `outputs`, those of sweeps and searches
    included.

    Raises RunError where there is no run.
    """
    if run != "latest":
        folder = Path(run).expanduser()
        if not (folder / "config.yaml").is_file():
            raise RunError(f"run={run} is not a run folder (it holds no config.yaml); run=latest takes the newest")
        return folder.resolve()
    return newest_first(outputs)[0]


def open_run(run: str, outputs: Path, notify: Callable[[str], object]) -> Path:
    """`find_run` for a command that opens the model: `run=latest` is the newest that can be opened, which has a
    configuration that can be read and a checkpoint. `notify` hears which one it is where that is not the newest of all.

    Raises RunError where there is no run, or none that can be opened.
    """
    if run != "latest":
        return find_run(run, outputs)
    folders = newest_first(outputs)
    found = next((folder for folder in folders if _why_not(folder) is None), None)
    reason = _why_not(folders[0])
    if found is None:
        raise RunError(f"run=latest: {reason}, and there is no older run in {outputs} that can be opened")
    if found != folders[0]:
        notify(f"run=latest: {reason}; the newest run that can be opened is {found}")
    return found


def _why_not(run: Path) -> str | None:
    """Why the model of a run folder cannot be opened, None where it can."""
    try:
        read_config(run)
    except RunError as error:
        return str(error)
    return f"{run} has no checkpoint yet" if newest_checkpoint(run) is None else None


def newest_first(outputs: Path) -> list[Path]:
    """The run folders below `outputs` by when they were last started. Raises RunError where there is none."""
    configs = [path for place in PLACES for path in outputs.glob(f"{place}/config.yaml")]
    if not configs:
        raise RunError(f"run=latest: there is no run in {outputs}; paths.outputs names another folder")
    times = {path.parent.resolve(): path.stat().st_mtime_ns for path in configs}
    return sorted(times, key=lambda folder: times[folder], reverse=True)


def all_runs(outputs: Path) -> list[Path]:
    """Every run folder below `outputs`, links aside, those that have lost their config.yaml included."""
    found = [folder for place in PLACES for folder in sorted(outputs.glob(place))]
    return [folder for folder in found if not folder.is_symlink() and _is_run(folder)]


def _is_run(folder: Path) -> bool:
    try:
        return any((folder / name).exists() for name in ("config.yaml", "provenance.json", "checkpoints"))
    except OSError:  # closed to this user: reading it raises the reason
        return True


def runs_of(sweep: Path) -> list[Path]:
    """The run folders of a sweep, links aside. Raises RunError where there is none."""
    folders = sorted(path.parent for path in sweep.glob("*/config.yaml") if not path.parent.is_symlink())
    if not folders:
        raise RunError(f"sweep={sweep} holds no run: it must be the folder that a sweep's runs lie in")
    return folders


def history(run: Path, name: str) -> list[Path]:
    """The grids of that name that were drawn while training, oldest first."""
    return sorted((run / "figures" / "history").glob(f"{name}_{'[0-9]' * 8}.png"))


def iterations(run: Path) -> list[int]:
    """Those that the run has checkpoints of, newest first."""
    return sorted(int(path.stem.rpartition("_")[2]) for path in (run / "checkpoints").glob(CHECKPOINT_PATTERN))[::-1]


def newest_checkpoint(run: Path) -> Path | None:
    """The checkpoint of the highest iteration, or None before the first."""
    return max((run / "checkpoints").glob(CHECKPOINT_PATTERN), default=None, key=lambda path: path.name)


def checkpoint_path(run: Path, iteration: int) -> Path:
    """Where the checkpoint after that many iterations lies; the names sort by iteration."""
    return run / "checkpoints" / CHECKPOINT_PATTERN.replace("*", f"{iteration:08d}")
