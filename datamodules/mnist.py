"""MNIST: 60,000 + 10,000 handwritten digits, 28×28."""

from typing import ClassVar

from datamodules.base import ImageDataModule, LabelledImages, Split
from datamodules.sources.idx import read_split


class MNIST(ImageDataModule):
    """torchvision's layout: `MNIST/raw` under the data root."""

    data_set = "mnist"
    image_shape = (1, 28, 28)
    class_names = tuple("0123456789")
    train_size = 60_000

    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }

    def read(self, split: Split) -> LabelledImages:
        return LabelledImages(*read_split(self.root, "MNIST", split, self.md5))
