"""A contact sheet of a data set."""

import numpy as np
from PIL import Image

from infogan.datamodules.base import ImageDataModule
from infogan.figures.grids import labelled_grid

COLUMNS = 12
ROWS = 10


def contact_sheet(data: ImageDataModule) -> Image.Image:
    """Images to train on: a row for each class; else for each factor, which grows to the right; else any."""
    train = data.split("train")
    if train.labels is not None and data.classes <= 2 * ROWS:
        labels = train.labels.numpy()
        rows = [_spread(np.flatnonzero(labels == k)) for k in range(data.classes)]
        names = list(data.class_names)
    elif train.factors is not None:
        rows = [_spread(np.argsort(values, kind="stable")) for values in train.factors.numpy().T[:ROWS]]
        names = [f"{name}, low to high" for name in data.factor_names[:ROWS]]
    else:
        rows, names = list(_spread(np.arange(len(train.images)), ROWS * COLUMNS).reshape(ROWS, COLUMNS)), []
    images = train.images.numpy()[np.stack(rows)].transpose(0, 1, 3, 4, 2)
    return labelled_grid(images, f"{data.data_set}: images to train on", [], names)


def _spread(candidates: np.ndarray, count: int = COLUMNS) -> np.ndarray:
    """`count` of them in even steps from the first to the last, with repetition where there are fewer."""
    return candidates[np.linspace(0, len(candidates) - 1, count).astype(int)]
