"""A contact sheet of a data set, and one of what consistency makes of its images."""

import numpy as np
from PIL import Image

from infogan.codes.latents import Latents
from infogan.config.model import ModelConfig
from infogan.config.regularisers import ConsistencySection
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import drawn_rows
from infogan.errors import ConfigError
from infogan.figures.grids import labelled_grid
from infogan.networks.value_range import scaled, to_uint8
from infogan.objective.regularisers.consistency import Consistency
from infogan.objective.transforms import transformed

COLUMNS = 12
ROWS = 10
VIEWS = COLUMNS - 1
"""Transforms of an image beside it."""


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


def consistencies(model: ModelConfig) -> list[Consistency]:
    """The regularisers of a model that transform real images. Raises ConfigError where it has none."""
    latents = Latents.from_config(model)
    found = [
        Consistency.from_section(name, section, latents)
        for name, section in model.regularisers.items()
        if isinstance(section, ConsistencySection)
    ]
    if not found:
        grouping = any(code.groups is not None for code in latents.codes)
        advice = "experiment=consistent adds it" if grouping else "its codes have no categories to be kept"
        raise ConfigError(f"transforms=true: the model has no regulariser of kind consistency; {advice}")
    return found


def transforms_sheet(data: ImageDataModule, regulariser: Consistency, seed: int) -> Image.Image:
    """Images to train on, one of each class in as many rows as there are, else any, and at the right of each what the
    regulariser makes of it: with the numbers of a run's first iteration, whose seed it is."""
    train, transforms = data.split("train"), regulariser.section.transforms
    names: list[str] = []
    if train.labels is not None and data.classes <= 2 * ROWS:
        labels, names = train.labels.numpy(), list(data.class_names)
        rows = [_drawn(np.flatnonzero(labels == k), 1)[0] for k in range(data.classes)]
    else:
        rows = list(_drawn(np.arange(len(train.images)), ROWS))
    images = scaled(train.images[rows], data.value_range)
    u = regulariser.draws(seed, 0, range(len(rows) * VIEWS))
    views = transformed(images.repeat_interleave(VIEWS, dim=0), u, transforms, data.value_range)
    shown = to_uint8(views, data.value_range)
    shown = shown.reshape(len(rows), VIEWS, *shown.shape[1:])
    sheet = np.concatenate([to_uint8(images, data.value_range)[:, None], shown], axis=1)
    asked = [name if value is True else f"{name} {value:g}" for name, value in transforms if value]
    codes = ", ".join(regulariser.section.codes)
    title = f"{data.data_set}: an image a row, transforms that must not change {codes}: {', '.join(asked) or 'none'}"
    return labelled_grid(sheet, title, ["as it is", *[""] * VIEWS], names)


def _drawn(candidates: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, drawn over all and in their order, with repetition where there are fewer."""
    return _in_even_steps(candidates[drawn_rows(len(candidates), count, seed=0).numpy()], count)


def _in_even_steps(candidates: np.ndarray, count: int) -> np.ndarray:
    """`count` of them in even steps from the first to the last, with repetition where there are fewer."""
    return candidates[np.linspace(0, len(candidates) - 1, count).astype(int)]
