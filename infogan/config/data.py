"""The schema of the data sets."""

from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    Tag,
    model_validator,
)

from infogan.config.fields import BatchSize, ImageSize, Positive, Section, not_a_bool, union_by_value


class PlainDataConfig(Section):
    """`batch_size` images an iteration, over all devices together: here, and for every data set below."""

    name: Literal["digits", "mnist", "fashion_mnist"]
    batch_size: BatchSize


class SVHNConfig(Section):
    """`extra` adds the 531,131 easier images to the 73,257 to train on."""

    name: Literal["svhn"]
    batch_size: BatchSize
    extra: bool


class CelebAConfig(Section):
    """`path` names the images where they do not lie in celeba/ under paths.data (null). `size`: pixels of a side.
    `skip_broken` leaves broken images out, counted; else the first one ends the command."""

    name: Literal["celeba"]
    batch_size: BatchSize
    path: str | None
    size: ImageSize
    skip_broken: bool


class FacesConfig(Section):
    """`source`: rendered (heads of the free model anny), bfm (a Basel Face Model in `path`), tensor
    (basel_face_renders.pth in faces/ under paths.data, or `path`), folder (the images in `path`).
    `images` renders of `identities` heads, for rendered and bfm. `size`: pixels of a side."""

    name: Literal["faces"]
    batch_size: BatchSize
    source: Literal["rendered", "bfm", "tensor", "folder"]
    path: str | None
    size: ImageSize
    images: Annotated[int, Field(ge=20)]
    identities: Positive
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None and self.source in ("bfm", "folder"):
            raise ValueError(f"path=<where they are> must name the originals of source={self.source}")
        return self


class ChairsConfig(Section):
    """`source`: archive (Aubry's renders, in rendered_chairs/ or .tar under paths.data, or in `path`; downloaded where
    missing) or rendered (`models` parametric chairs from the same 62 views). `size`: pixels of a side."""

    name: Literal["chairs"]
    batch_size: BatchSize
    source: Literal["archive", "rendered"]
    path: str | None
    size: ImageSize
    models: Annotated[int, Field(ge=2)]
    skip_broken: bool


class DSpritesConfig(Section):
    """`path`: the .npz, or the folder that holds it (null: dsprites/ under paths.data)."""

    name: Literal["dsprites"]
    batch_size: BatchSize
    path: str | None


class FolderConfig(Section):
    """Your own images: `path` is a folder, a zip or a tar of them; they become squares of `size` pixels with 1 (gray)
    or 3 (colour) `channels`."""

    name: Literal["folder"]
    batch_size: BatchSize
    path: str | None
    size: ImageSize
    channels: Annotated[Literal[1, 3], BeforeValidator(not_a_bool)]
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None:
            raise ValueError("path=<folder, zip or tar> must name your images")
        return self


DataConfig = Annotated[
    Annotated[PlainDataConfig, Tag("<digits>")]
    | Annotated[PlainDataConfig, Tag("<mnist>")]
    | Annotated[PlainDataConfig, Tag("<fashion_mnist>")]
    | Annotated[SVHNConfig, Tag("<svhn>")]
    | Annotated[CelebAConfig, Tag("<celeba>")]
    | Annotated[FacesConfig, Tag("<faces>")]
    | Annotated[ChairsConfig, Tag("<chairs>")]
    | Annotated[DSpritesConfig, Tag("<dsprites>")]
    | Annotated[FolderConfig, Tag("<folder>")],
    union_by_value(
        "name", "digits", "mnist", "fashion_mnist", "svhn", "celeba", "faces", "chairs", "dsprites", "folder"
    ),
]
