"""scikit-learn's 1,797 handwritten digits, 8×8: embedded, no download."""

import numpy as np

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.build_store import Originals, Part, part_of_arrays

SPLIT_SEED = 0


class Digits(ImageDataModule):
    """1,437 images to train on, 360 to test: a fixed stratified 80/20 split, the same for every seed of a run."""

    data_set = "digits"
    licence = "CC BY 4.0 (UCI Machine Learning Repository)"
    image_shape = (1, 8, 8)
    expected_train_size = 1437

    def originals(self) -> Originals:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        images, labels = load_digits(return_X_y=True)
        pixels = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, *self.image_shape)
        train, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=SPLIT_SEED)

        def part(rows: np.ndarray) -> Part:
            return part_of_arrays(pixels[rows], labels[rows])

        return Originals(part(train), part(test), "scikit-learn's load_digits", tuple("0123456789"))
