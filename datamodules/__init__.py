"""Images in: one module a data set, on one shared base."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule

DATA_MODULES = {
    "digits": "Digits",
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "svhn": "SVHN",
    "celeba": "CelebA",
    "faces": "Faces",
    "chairs": "Chairs",
    "dsprites": "DSprites",
    "folder": "Folder",
}
"""The class in the file of that name; the names are those that `data=` takes."""


def data_module(name: str) -> "type[ImageDataModule]":
    """The class of a data set; only its file is imported."""
    return getattr(import_module(f"infogan.datamodules.{name}"), DATA_MODULES[name])
