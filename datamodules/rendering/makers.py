"""Ranges of renders, made by workers: apart from the data sets, with which these would import PyTorch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infogan.datamodules.workers import Chunk

if TYPE_CHECKING:
    from infogan.datamodules.rendering.faces import Heads

VIEWS = 62
"""Of each chair."""


@dataclass(frozen=True)
class ChairMaker:
    """A range of views of these chairs → images and factors; chair by chair, in the order of the views."""

    models: np.ndarray
    size: int

    def __call__(self, rows: range) -> Chunk:
        from infogan.datamodules.rendering.chairs import render_chairs

        first, last = rows.start // VIEWS, (rows.stop - 1) // VIEWS
        rendered = [render_chairs(range(model, model + 1), 0, self.size) for model in self.models[first : last + 1]]
        images, factors = (np.concatenate(arrays) for arrays in zip(*rendered, strict=True))
        wanted = slice(rows.start - first * VIEWS, rows.stop - first * VIEWS)
        return Chunk(images[wanted], factors=factors[wanted])


@dataclass(frozen=True)
class FaceMaker:
    """A range of renders, counted from `first`."""

    heads: "Heads"
    first: int
    size: int

    def __call__(self, rows: range) -> Chunk:
        from infogan.datamodules.rendering.faces import render_faces

        images, factors = render_faces(self.heads, range(self.first + rows.start, self.first + rows.stop), 0, self.size)
        return Chunk(images, factors=factors)


@dataclass(frozen=True)
class HouseNumberMaker:
    """A range of house numbers, counted from `first`."""

    first: int

    def __call__(self, rows: range) -> Chunk:
        from infogan.datamodules.rendering.house_numbers import render_house_numbers

        images, factors = render_house_numbers(range(self.first + rows.start, self.first + rows.stop), 0)
        return Chunk(images, factors=factors)
