"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28×28."""

from pathlib import Path
from typing import ClassVar

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.build_store import Originals
from infogan.datamodules.sources.idx import idx_files, idx_originals


class FashionMNIST(ImageDataModule):
    """torchvision's layout: `FashionMNIST/raw` under the data root."""

    data_set = "fashion_mnist"
    image_shape = (1, 28, 28)
    names = (
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
    expected_train_size = 60_000
    licence = "MIT"

    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    }

    def originals(self) -> Originals:
        return idx_originals(self.root, "FashionMNIST", self.md5, self.names)

    def files(self) -> list[Path]:
        return idx_files(self.root, "FashionMNIST", self.md5)
