"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28×28."""

from typing import ClassVar

from datamodules.base import ImageDataModule, LabelledImages, Split
from datamodules.sources.idx import read_split


class FashionMNIST(ImageDataModule):
    """torchvision's layout: `FashionMNIST/raw` under the data root."""

    data_set = "fashion_mnist"
    image_shape = (1, 28, 28)
    class_names = (
        "T-shirt",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "boot",
    )
    train_size = 60_000

    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    }

    def read(self, split: Split) -> LabelledImages:
        return LabelledImages(*read_split(self.root, "FashionMNIST", split, self.md5))
