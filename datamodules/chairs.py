"""Chairs seen from all around, gray: Aubry's renders of 1,393 models, or parametric ones rendered here."""

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Originals, Part
from infogan.datamodules.rendering.makers import VIEWS, ChairMaker
from infogan.datamodules.sources.download import download
from infogan.datamodules.sources.pictures import READER, Decoder, files_of, pictures_in
from infogan.errors import DataError

FACTORS = ("model", "azimuth", "elevation")
"""A chair's number, and the angles of the view in degrees."""

RENDERER = 1
"""Counts up when rendered chairs come to look different: stores of older ones are then made again."""

NAME = re.compile(r"(?:^|/)([0-9a-f]+)/renders/image_\d+_p(\d+)_t(\d+)_r\d+\.png$")


class Chairs(ImageDataModule):
    """Aubry et al. 2014: `rendered_chairs/` or `rendered_chairs.tar` (source=archive, downloaded where missing), or
    `models` parametric chairs from the same 62 views (source=rendered). A tenth of the chairs is held out to test.
    """

    data_set = "chairs"
    full_turns = ("azimuth",)
    unordered = ("model",)
    reader = READER

    url: ClassVar[str] = "https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar"

    def __init__(
        self,
        context: DataContext,
        source: Literal["archive", "rendered"],
        path: str | None,
        size: int,
        models: int,
        skip_broken: bool,
    ) -> None:
        super().__init__(context)
        self.source, self.size, self.models, self.skip_broken = source, size, models, skip_broken
        self.path = None if path is None else Path(path).expanduser().absolute()
        self.image_shape = (1, size, size)
        self.licence = "MIT, as this code" if source == "rendered" else "for research (the authors name no licence)"
        if source == "rendered":
            self.expected_train_size = VIEWS * len(held_out(models)[0])

    def options(self) -> dict[str, Any]:
        if self.source == "rendered":
            return {"source": "rendered", "renderer": RENDERER, "size": self.size, "models": self.models}
        place = str(self.path or self.root / "rendered_chairs")
        return {"source": "archive", "path": place, "size": self.size, "skip_broken": self.skip_broken}

    def files(self) -> list[Path]:
        return files_of(self._place()) if self.source == "archive" else []

    def originals(self) -> Originals:
        return self._rendered() if self.source == "rendered" else self._archive()

    def _place(self) -> Path:
        """The folder of the archive, or the tar where it is not unpacked."""
        if self.path is not None:
            return self.path
        folder = self.root / "rendered_chairs"
        return folder if folder.is_dir() else folder.with_suffix(".tar")

    def _archive(self) -> Originals:
        place = self._place()
        if not place.exists():
            if self.path is not None:
                raise DataError(f"data.path={place} does not exist")
            print(f"the chairs are not in {self.root}: downloading")
            try:
                download(self.url, place)
            except DataError as error:
                raise DataError(
                    f"{error}: put rendered_chairs.tar, or the folder that it holds, into {self.root}, or train on "
                    "parametric chairs: data.source=rendered model=chairs_narrow (on two cores without a GPU some "
                    "minutes of rendering, then one to two hours)"
                ) from None
        pictures = pictures_in(place)
        matches = [NAME.search(entry.name) for entry in pictures.entries]
        for entry, match in zip(pictures.entries, matches, strict=True):
            if match is None:
                raise DataError(
                    f"{pictures.where(entry)}: not named as in Aubry's archive, …/image_000_p020_t011_r096.png"
                )
        models, index = np.unique([match[1] for match in matches if match], return_inverse=True)
        angles = np.array([[int(match[3]), int(match[2])] for match in matches if match])
        factors = np.column_stack([index, angles])

        def part(chosen: np.ndarray) -> Part:
            rows = np.flatnonzero(np.isin(index, chosen))
            decoder = Decoder(pictures.only(rows), self.size, 1, self.skip_broken)
            return Part(len(rows), decoder, factors=factors[rows], parallel=True)

        train, test = held_out(len(models))
        return Originals(part(train), part(test), str(place), factor_names=FACTORS)

    def _rendered(self) -> Originals:

        def part(models: np.ndarray) -> Part:
            return Part(VIEWS * len(models), ChairMaker(models, self.size), parallel=True)

        train, test = held_out(self.models)
        return Originals(part(train), part(test), "parametric chairs, rendered here", factor_names=FACTORS)
