"""CelebA: faces of celebrities, in colour, with 40 attributes where their files are there."""

from pathlib import Path
from typing import Any

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Originals, Part
from infogan.datamodules.sources.pictures import READER, Decoder, Pictures, files_of, pictures_in
from infogan.datamodules.sources.tables import Table, read_table
from infogan.errors import DataError

CROPS = {(178, 218): 148}
"""The square that the field cuts from the centre of an aligned image."""


class CelebA(ImageDataModule):
    """torchvision's folder `celeba/`, or only images, in any number and size, zipped or not.

    Images of 178×218 are cut to their central 148×148, others to a central square, and resized to `size`. The
    attributes (list_attr_celeba.txt) become factors of 0 and 1; the split is that of list_eval_partition.txt
    (validation counts as training). Both may be .csv files, and know more images than are there; images that they do
    not know are left out. Without the files there are no factors, and a tenth is held out to test; that is also so
    where the images are a part of all that lies in one split.
    """

    data_set = "celeba"
    licence = "for non-commercial research (the authors)"
    reader = READER

    def __init__(self, context: DataContext, path: str | None, size: int, skip_broken: bool) -> None:
        super().__init__(context)
        self.path = context.root / "celeba" if path is None else Path(path).expanduser().absolute()
        self.size, self.skip_broken, self.elsewhere = size, skip_broken, path is not None
        self.image_shape = (3, size, size)

    def options(self) -> dict[str, Any]:
        return {"path": str(self.path), "size": self.size, "skip_broken": self.skip_broken}

    def files(self) -> list[Path]:
        return files_of(self.path)

    def originals(self) -> Originals:
        if self.elsewhere and not self.path.exists():
            raise DataError(f"data.path={self.path} does not exist")
        if not files_of(self.path):
            self._download()
        every = self._pictures()
        stems = [Path(entry.name).stem for entry in every.entries]
        attributes, partition = self._table("list_attr_celeba"), self._table("list_eval_partition")
        tables = [table for table in (attributes, partition) if table]
        remarks = [*every.remarks((".txt", ".csv")), *(line for table in tables for line in table.remarks(stems))]
        known = [row for row, stem in enumerate(stems) if all(stem in table.rows for table in tables)]
        pictures, stems = every.only(known), [stems[row] for row in known]
        train, test = held_out(len(stems))
        if partition:
            split = np.array([partition.rows[stem][0] for stem in stems])
            if 0 < (split == 2).sum() < len(stems):
                train, test = np.flatnonzero(split < 2), np.flatnonzero(split == 2)
        names = attributes.columns if attributes else ()
        factors = np.array([attributes.rows[stem] > 0 for stem in stems], np.float32) if attributes else None

        def part(rows: np.ndarray) -> Part:
            decoder = Decoder(pictures.only(rows), self.size, 3, self.skip_broken, CROPS)
            return Part(len(rows), decoder, factors=None if factors is None else factors[rows], parallel=True)

        return Originals(part(train), part(test), str(pictures.place), factor_names=names, remarks=tuple(remarks))

    def _pictures(self) -> Pictures:
        """The images: torchvision's folder or zip, else the only zip, else whatever lies there."""
        if not self.path.is_dir():
            return pictures_in(self.path)
        for place in (self.path / "img_align_celeba", self.path / "img_align_celeba.zip"):
            if place.exists():
                return pictures_in(place)
        zips = sorted(path for path in self.path.glob("*.zip") if not path.name.startswith("."))
        return pictures_in(zips[0] if len(zips) == 1 else self.path)

    def _table(self, name: str) -> Table | None:
        """One of the authors' text files, or a copy of it as .csv; None where there is none."""
        folder = self.path if self.path.is_dir() else self.path.parent
        paths = [path for ending in (".txt", ".csv") if (path := folder / f"{name}{ending}").is_file()]
        return read_table(paths[0]) if paths else None

    def _download(self) -> None:
        from torchvision import datasets

        print(f"CelebA is not in {self.root}: downloading")
        try:
            datasets.CelebA(str(self.path.parent), split="all", download=True)
        except Exception as error:  # Google Drive's refusals come as many kinds of errors
            raise DataError(
                f"CelebA could not be downloaded ({type(error).__name__}; Google Drive often refuses): put "
                f"img_align_celeba.zip, or a folder of its images, into {self.path}, or name one with data.path"
            ) from None
