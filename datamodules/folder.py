"""Your own images: a folder, a zip or a tar of them, of any size and format."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Originals, Part
from infogan.datamodules.sources.pictures import READER, Decoder, files_of, pictures_in, some


class Folder(ImageDataModule):
    """Every image in `path`, cut to a square and resized to `size` pixels, gray or in colour. Where all of them lie in
    two sub-folders or more, those are the labels. What is hidden is not looked at. A tenth is held out to test.
    """

    data_set = "folder"
    licence = "yours"
    reader = READER

    def __init__(self, context: DataContext, path: str, size: int, channels: int, skip_broken: bool) -> None:
        super().__init__(context)
        self.path = Path(path).expanduser().absolute()
        self.size, self.channels, self.skip_broken = size, channels, skip_broken
        self.image_shape = (channels, size, size)

    def options(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "size": self.size,
            "channels": self.channels,
            "skip_broken": self.skip_broken,
        }

    def files(self) -> list[Path]:
        return files_of(self.path)

    def originals(self) -> Originals:
        pictures = pictures_in(self.path)
        class_names, labels = labels_of([entry.name for entry in pictures.entries])
        train, test = held_out(len(pictures.entries))

        def part(rows: np.ndarray) -> Part:
            decoder = Decoder(pictures.only(rows), self.size, self.channels, self.skip_broken)
            return Part(len(rows), decoder, None if labels is None else labels[rows], parallel=True)

        remarks = pictures.remarks()
        if pictures.empty:
            remarks.append(f"folders in {self.path} without an image, which are no classes: {some(pictures.empty)}")
        return Originals(part(train), part(test), str(self.path), class_names, remarks=tuple(remarks))


def labels_of(names: list[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The sub-folders of images as class names, and the class of each image; none where some lie outside of one.

    A folder that holds all of them, as archives often have one, is looked through.
    """
    paths = [PurePosixPath(name).parent for name in names]
    common = PurePosixPath(os.path.commonpath(paths))
    inside = [path.relative_to(common).parts for path in paths]
    if not all(inside):
        return (), None
    class_names, labels = np.unique([parts[0] for parts in inside], return_inverse=True)
    return tuple(class_names.tolist()), labels
