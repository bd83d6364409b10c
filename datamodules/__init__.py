"""Images in: one module a data set, on one shared base."""

from datamodules.base import ImageDataModule
from datamodules.digits import Digits
from datamodules.fashion_mnist import FashionMNIST
from datamodules.mnist import MNIST

DATA_MODULES: dict[str, type[ImageDataModule]] = {module.data_set: module for module in (Digits, MNIST, FashionMNIST)}
"""By the name that `data=` takes."""

__all__ = ["DATA_MODULES", "MNIST", "Digits", "FashionMNIST", "ImageDataModule"]
