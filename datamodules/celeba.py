"""CelebA: faces of celebrities, in colour, with 40 attributes where their files are there."""

from pathlib import Path
from typing import Any

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Originals, Part
from infogan.datamodules.sources.pictures import Decoder, Pictures, files_of, pictures_in
from infogan.errors import DataError

CROPS = {(178, 218): 148}
"""The square that the field cuts from the centre of an aligned image."""


class CelebA(ImageDataModule):
    """torchvision's folder `celeba/`, or only images, in any number and size, zipped or not.

    Images of 178×218 are cut to their central 148×148, others to a central square, and resized to `size`. The
    attributes (list_attr_celeba.txt) become factors of 0 and 1; the split is that of list_eval_partition.txt
    (validation counts as training). Without the files there are no factors, and a tenth is held out to test; that is
    also so where the images are a part of all that lies in one split.
    """

    data_set = "celeba"
    licence = "for non-commercial research (the authors)"

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
        pictures = self._pictures()
        stems = [Path(entry.name).stem for entry in pictures.entries]
        names, attributes = self._table("list_attr_celeba.txt", stems, header=True)
        _, partition = self._table("list_eval_partition.txt", stems, header=False)
        train, test = held_out(len(stems))
        if partition is not None and 0 < (partition == 2).sum() < len(stems):
            train, test = np.flatnonzero(partition[:, 0] < 2), np.flatnonzero(partition[:, 0] == 2)
        factors = None if attributes is None else (attributes > 0).astype(np.float32)

        def part(rows: np.ndarray) -> Part:
            decoder = Decoder(pictures.only(rows), self.size, 3, self.skip_broken, CROPS)
            return Part(len(rows), decoder, factors=None if factors is None else factors[rows], parallel=True)

        return Originals(part(train), part(test), str(pictures.place), factor_names=names)

    def _pictures(self) -> Pictures:
        """The images: torchvision's folder or zip, else the only zip, else whatever lies there."""
        if not self.path.is_dir():
            return pictures_in(self.path)
        for place in (self.path / "img_align_celeba", self.path / "img_align_celeba.zip"):
            if place.exists():
                return pictures_in(place)
        zips = sorted(self.path.glob("*.zip"))
        return pictures_in(zips[0] if len(zips) == 1 else self.path)

    def _table(self, file: str, stems: list[str], header: bool) -> tuple[tuple[str, ...], np.ndarray | None]:
        """Column names and the row of each image, (N, columns) int8, from one of the authors' text files.

        None where the file is not there. With `header` its first line is the count and its second the names.
        """
        path = (self.path if self.path.is_dir() else self.path.parent) / file
        if not path.is_file():
            return (), None
        try:
            lines = path.read_text().splitlines()
            names = tuple(lines[1].split()) if header else ("partition",)
            rows = [line.split() for line in lines[2 if header else 0 :] if line.strip()]
            table = {Path(name).stem: np.array(values, np.int8) for name, *values in rows}
            values = np.stack([table[stem] for stem in stems])
        except KeyError as error:
            raise DataError(f"{path} has no line for the image {error.args[0]}") from None
        except (OSError, ValueError, IndexError, OverflowError) as error:
            raise DataError(f"{path} is damaged: {error}") from None
        if values.shape[1] != len(names):
            raise DataError(f"{path} is damaged: {values.shape[1]} values a line for {len(names)} names")
        return names, values

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
