"""Files that are whole or not there: atomic writes, checkpoints without pickle, run folders."""

import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from infogan.errors import RunError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

CHECKPOINT_PATTERN = "iteration_*.safetensors"

REPORT = "report.html"
"""The page of infogan.report, in the folder of a run or of a sweep."""

PLACES = ("*", "sweeps/*/*", "searches/*/*")
"""Where run folders lie below `paths.outputs`: single runs, a sweep's jobs, a search's trials."""


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` on a name beside `path`, flushes to the disk, then moves it into place.

    A crash leaves the old file or the new one, never a part. Raises RunError where the folder cannot be written.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(staged)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        raise RunError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            staged.unlink()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder beside `folder`, which takes that name when the block has ended well, and goes else.

    Raises RunError where `folder` holds something already, or cannot be written.
    """
    folder = folder.resolve()
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise RunError(f"{folder} exists and is not an empty folder: name another one")
        staged.mkdir(parents=True)
        yield staged
        staged.replace(folder)
    except OSError as error:
        raise RunError(f"{folder} could not be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def unused(path: Path) -> Path:
    """`path`, or with -2, -3 … at the end of its stem where that is taken."""
    taken = (path.with_stem(f"{path.stem}-{attempt}") for attempt in count(2))
    return next(candidate for candidate in chain([path], taken) if not candidate.exists())


def append(path: Path, text: str) -> None:
    """Adds to the end of a file, of which a crash may leave a part. Raises RunError where it cannot be written."""
    try:
        with path.open("a") as file:
            file.write(text)
    except OSError as error:
        raise RunError(f"{path} could not be written: {error.strerror or error}") from error


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON; NaN and infinities are refused (ValueError), since JSON has none."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda staged: staged.write_text(text))


def save_picture(path: Path, picture: "Image") -> None:
    """As PNG, whole or not at all."""
    write_atomically(path, lambda staged: picture.save(staged, format="PNG"))


def read_picture(path: Path) -> "tuple[bytes, Image]":
    """A PNG file as it is, and the picture that it holds. Raises RunError where it is missing, or damaged."""
    from io import BytesIO

    from PIL import Image

    try:
        data = path.read_bytes()
        with Image.open(BytesIO(data), formats=["PNG"]) as picture:
            picture.load()
            return data, picture
    except FileNotFoundError:
        raise RunError(f"There is no picture {path.name}.") from None
    except (OSError, SyntaxError) as error:  # Pillow's word for a broken chunk is SyntaxError
        raise RunError(f"The picture {path.name} is damaged: {error}.") from None


def save_tree(path: Path, tree: object) -> None:
    """Nested dicts, lists, tuples, tensors and plain values as one safetensors file, written atomically.

    Tensors are stored as such, all else as JSON in the header: nothing in the file can run code when it is read.
    Raises TypeError for any other type.
    """
    tensors: dict[str, Tensor] = {}
    structure = json.dumps(_pack(tree, tensors))
    save_tensors(path, tensors, {"tree": structure})


def load_tree(path: Path) -> Any:
    """What `save_tree` stored, on the CPU. Raises RunError where the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            structure = (file.metadata() or {})["tree"]
            return _unpack(json.loads(structure), file.get_tensor)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except (SafetensorError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise RunError(f"{path} is not a checkpoint of this project, or is damaged: {reason}") from None


def save_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: dict[str, str] | None = None) -> None:
    """Tensors by name, each contiguous and with memory of its own, as one safetensors file, written atomically."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        write_atomically(path, lambda staged: save_file(dict(tensors), staged, metadata=metadata))
    except SafetensorError as error:  # its own name for an OSError
        raise RunError(f"{path} could not be written: {error}") from error


def load_tensors(path: Path) -> "dict[str, Tensor]":
    """The tensors of a safetensors file by name, on the CPU. Raises RunError where it is missing, or none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except (SafetensorError, ValueError, OSError) as error:
        raise RunError(f"{path} is not a safetensors file, or is damaged: {error}") from None


def _pack(node: Any, tensors: "dict[str, Tensor]") -> Any:
    import torch

    if isinstance(node, torch.Tensor):
        name = str(len(tensors))
        channels_last = node.dim() == 4 and node.is_contiguous(memory_format=torch.channels_last)
        tensors[name] = node.detach().cpu().contiguous().clone()
        return {"tensor": name, "channels_last": channels_last}
    if isinstance(node, Mapping) and all(isinstance(key, str | int) for key in node):
        return {"dict": [[key, _pack(value, tensors)] for key, value in node.items()]}
    if isinstance(node, tuple):
        return {"tuple": [_pack(value, tensors) for value in node]}
    if isinstance(node, list):
        return {"list": [_pack(value, tensors) for value in node]}
    if node is None or isinstance(node, str | bool | int | float):
        return {"value": node}
    raise TypeError(f"a checkpoint holds tensors and plain values only, not {type(node).__name__}")


def _unpack(node: Any, tensor: Callable[[str], Any]) -> Any:
    import torch

    ((kind, content), *_) = node.items()
    if kind == "tensor":
        # The fused optimizers walk weights and their moments as flat memory: both must come back in the same order.
        layout = torch.channels_last if node["channels_last"] else torch.contiguous_format
        return tensor(content).contiguous(memory_format=layout)
    if kind == "dict":
        return {key: _unpack(value, tensor) for key, value in content}
    if kind == "value":
        return content
    children = [_unpack(value, tensor) for value in content]
    return tuple(children) if kind == "tuple" else children


@contextmanager
def held(stream: IO[str], folder: Path) -> Iterator[None]:
    """Claims `folder`, by the lock on an open file in it, until the end or until the process ends, however it ends.

    Raises RunError where another process has it, and names that one. Claims nothing where the system has no such locks.
    """
    owner = folder / ".owner"
    if not _locked(stream):
        with suppress(OSError):  # it has the lock, and may not have written its name yet
            raise RunError(f"{folder}: another process is at work there ({owner.read_text()})")
        raise RunError(f"{folder}: another process is at work there")
    with suppress(OSError):  # a name for people: a full disk is found by what must be written
        owner.write_text(f"pid {os.getpid()} on {socket.gethostname()}")
    try:
        yield
    finally:
        with suppress(OSError):
            owner.unlink()


def remove_staged_checkpoints(run: Path) -> None:
    """Removes what a killed process left half-written. The caller holds the run, so that nobody is writing there."""
    for pattern in (f".{CHECKPOINT_PATTERN}.*", ".tmp*"):  # the latter is how safetensors stages a file in its turn
        for staged in (run / "checkpoints").glob(pattern):
            staged.unlink()


def is_held(file: Path) -> bool:
    """Whether a process, this one included, holds the folder of this file by it; see `held`."""
    try:
        with file.open() as stream:
            return not _locked(stream)
    except OSError:  # there is no such file
        return False


def _locked(stream: IO[str]) -> bool:
    """Locks the file until it is closed; False where another process has. True where the system has no such locks."""
    try:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True


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
    staged = path.with_name(f".{path.name}.{os.getpid()}")
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
    configs = [path for place in PLACES for path in outputs.glob(f"{place}/config.yaml")]
    if not configs:
        raise RunError(f"run=latest: there is no run in {outputs}; paths.outputs names another folder")
    return max(configs, key=lambda path: path.stat().st_mtime_ns).parent.resolve()


def all_runs(outputs: Path) -> list[Path]:
    """Every run folder below `outputs`, links aside, those that have lost their config.yaml included."""
    found = [folder for place in PLACES for folder in sorted(outputs.glob(place))]
    return [folder for folder in found if not folder.is_symlink() and _is_run(folder)]


def _is_run(folder: Path) -> bool:
    try:
        return any((folder / name).exists() for name in ("config.yaml", "provenance.json", "checkpoints"))
    except OSError:  # closed to this user: whoever reads it is told why
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
