"""Images in: one module a data set, on one shared base."""

from importlib import import_module
from typing import TYPE_CHECKING

from infogan.config.extensions import find
from infogan.errors import ConfigError

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
    """The class of a data set: of this project, of which only its file is imported, or of another package. Raises
    ConfigError where that has none."""
    if name in DATA_MODULES:
        return getattr(import_module(f"infogan.datamodules.{name}"), DATA_MODULES[name])
    from infogan.datamodules.base import ImageDataModule

    try:
        found = find("data", name)
    except ValueError as error:
        raise ConfigError(f"data.name={name} {error}") from None
    if not (isinstance(found, type) and issubclass(found, ImageDataModule)):
        raise ConfigError(f"data.name={name}: is no subclass of infogan.datamodules.base.ImageDataModule")
    if found.data_set in DATA_MODULES:  # it would be given that one's store
        raise ConfigError(f"data.name={name}: its data_set = {found.data_set!r} is that of a data set of this project")
    return found
