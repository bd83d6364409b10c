"""The InfoGAN laboratory: the model, and what is done with it. Nothing is imported before it is used."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infogan.trained.model import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from infogan.trained.model import load

        return load
    raise AttributeError(f"module 'infogan' has no attribute '{name}'")
