"""Checkpoints and weights as safetensors: nothing in them can run code."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogan.errors import RunError
from infogan.run_folder.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor


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
