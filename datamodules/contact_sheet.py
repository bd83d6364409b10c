"""A contact sheet of a data set."""

import numpy as np
from PIL import Image

from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import drawn_rows
from infogan.figures.grids import labelled_grid

COLUMNS = 12
ROWS = 10


def contact_sheet(data: ImageDataModule) -> Image.Image:
    """Images to train on: a row for each class; else for each factor, which grows to the right; else any. Those of a
    class are drawn over all of it, those of one value of a factor likewise."""
    train = data.split("train")
    if train.labels is not None and data.classes <= 2 * ROWS:
        labels = train.labels.numpy()
        rows = [_drawn(np.flatnonzero(labels == k), COLUMNS) for k in range(data.classes)]
        names = list(data.class_names)
    elif train.factors is not None:
        order = np.random.default_rng(0).permutation(len(train.images))  # of those of one value
        factors = train.factors.numpy()[order].T[:ROWS]
        rows = [_in_even_steps(order[np.argsort(values, kind="stable")], COLUMNS) for values in factors]
        names = [f"{name}, low to high" for name in data.factor_names[:ROWS]]
    else:
        rows, names = list(_drawn(np.arange(len(train.images)), ROWS * COLUMNS).reshape(ROWS, COLUMNS)), []
    images = train.images.numpy()[np.stack(rows)].transpose(0, 1, 3, 4, 2)
    return labelled_grid(images, f"{data.data_set}: images to train on", [], names)


def _drawn(candidates: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, drawn over all and in their order, with repetition where there are fewer."""
    return _in_even_steps(candidates[drawn_rows(len(candidates), count, seed=0).numpy()], count)


def _in_even_steps(candidates: np.ndarray, count: int) -> np.ndarray:
    """`count` of them in even steps from the first to the last, with repetition where there are fewer."""
    return candidates[np.linspace(0, len(candidates) - 1, count).astype(int)]
