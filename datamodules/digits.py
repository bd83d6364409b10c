"""scikit-learn's 1,797 handwritten digits, 8×8: embedded, no download."""

import numpy as np
import torch

from datamodules.base import ImageDataModule, LabelledImages, Split

SPLIT_SEED = 0


class Digits(ImageDataModule):
    """1,437 images to train on, 360 to test: a fixed stratified 80/20 split, the same for every seed of a run."""

    data_set = "digits"
    image_shape = (1, 8, 8)
    class_names = tuple("0123456789")
    train_size = 1437

    def read(self, split: Split) -> LabelledImages:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        images, labels = load_digits(return_X_y=True)
        train, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=SPLIT_SEED)
        rows = train if split == "train" else test
        pixels = np.rint(images[rows] * (255 / 16)).astype(np.uint8).reshape(-1, *self.image_shape)
        return LabelledImages(torch.from_numpy(pixels), torch.from_numpy(labels[rows].astype(np.int64)))
