"""MNIST: 60,000 + 10,000 handwritten digits, 28×28."""

from pathlib import Path
from typing import ClassVar

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.build_store import Originals
from infogan.datamodules.sources.idx import idx_files, idx_originals


class MNIST(ImageDataModule):
    """torchvision's layout: `MNIST/raw` under the data root."""

    data_set = "mnist"
    image_shape = (1, 28, 28)
    names = tuple("0123456789")
    expected_train_size = 60_000
    licence = "CC BY-SA 3.0"

    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }

    def originals(self) -> Originals:
        return idx_originals(self.root, "MNIST", self.md5, self.names)

    def files(self) -> list[Path]:
        return idx_files(self.root, "MNIST", self.md5)
