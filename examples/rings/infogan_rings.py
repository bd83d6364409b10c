"""A package beside the laboratory: a data set, a callback, a code and a regulariser, by entry point or import path.

    pip install -e examples/rings
    infogan train --config-dir examples/rings/conf data=rings model=digits logger=none \\
      'model.codes.c4={kind: coin}' 'model.regularisers.thrift={kind: ink, weight: 0.1, every: 1}' \\
      'callbacks.further.mine={kind: count, to: seen.txt}'

Each name after `kind` could be the path of the class instead: `infogan_rings:Coin`.
"""

from pathlib import Path
from typing import ClassVar, Literal

import lightning as L
import numpy as np

from infogan.codes.categorical import Categorical
from infogan.config.codes import CodeSection
from infogan.config.data import DataSection
from infogan.config.regularisers import RegulariserSection
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.objective.terms import Term


class RingsSection(DataSection):
    radius: float


class Rings(ImageDataModule):
    """Rings of `radius` pixels around the middle of 8×8, thin or thick."""

    data_set, section, licence, image_shape = "rings", RingsSection, "CC0", (1, 8, 8)

    def __init__(self, context, radius):
        super().__init__(context)
        self.radius = radius

    def options(self):
        return {"radius": self.radius}

    def originals(self):
        y, x = np.mgrid[-3.5:4, -3.5:4]
        thick = np.arange(600) % 2
        from_ring = np.abs(np.hypot(x, y) - self.radius) / (0.5 + thick)[:, None, None]
        images = (255 * np.clip(1 - from_ring, 0, 1)).astype(np.uint8)[:, None]
        train, test = part_of_arrays(images[:500], thick[:500]), part_of_arrays(images[500:], thick[500:])
        return Originals(train, test, "drawn", ("thin", "thick"))


class Count(L.Callback):
    """Writes to a file how many iterations it has seen, from `start` on."""

    def __init__(self, to, start=0):
        self.to, self.seen = Path(to), start

    def on_train_batch_end(self, trainer, module, *_):
        self.seen += 1

    def on_train_end(self, trainer, module):
        self.to.write_text(str(self.seen), encoding="utf-8")


class CoinSection(CodeSection):
    weighed_as: ClassVar[Literal["categorical", "continuous"]] = "categorical"


class Coin(Categorical):
    """A categorical code of two categories. One that is no relative of the project's own has all of `Code`."""

    section = CoinSection

    @classmethod
    def from_section(cls, name, section):
        return cls(name, 2)


class InkSection(RegulariserSection):
    pass


class Ink:
    """What it costs the generator to draw: the mean pixel of its images, in the range of the networks."""

    section, phase, further_images, parts = InkSection, "generator", 0, None
    differentiates_real = differentiates_fake = False

    def __init__(self, name):
        self.name = name

    @classmethod
    def from_section(cls, name, section, latents):
        return cls(name)

    def draws(self, seed, iteration, positions):
        return None

    def terms(self, play, weight):
        return {f"regulariser/{self.name}": Term(play.fake.float().mean(), weight, unit="pixel")}
