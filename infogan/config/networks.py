"""The schema of the networks: lists of layers."""

from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    Tag,
    model_validator,
)

from infogan.config.fields import Positive, Section, Slope, features, not_a_bool, union_by_key, union_by_value


class Conv(Section):
    """A 4×4 convolution to `conv` channels: stride 2 halves the size, stride 1 keeps it."""

    conv: Positive
    stride: Annotated[Literal[1, 2], BeforeValidator(not_a_bool)]
    batch_norm: bool = False
    slope: Slope | None = None


class Up(Section):
    """A transposed 4×4 convolution to `up` channels: stride 2 doubles the size, stride 1 keeps it."""

    up: Positive
    stride: Annotated[Literal[1, 2], BeforeValidator(not_a_bool)]
    batch_norm: bool = False
    slope: Slope | None = None


class Linear(Section):
    """A fully connected layer to `fc` features, or to [channels, height, width]."""

    fc: Annotated[int | list[int], PlainValidator(features)]
    batch_norm: bool = False
    slope: Slope | None = None


Layer = Annotated[
    Annotated[Conv, Tag("<conv>")] | Annotated[Up, Tag("<up>")] | Annotated[Linear, Tag("<fc>")],
    union_by_key("conv", "up", "fc"),
]


class DCGANGenerator(Section):
    """A stack of layers, as in the paper: `layers` from the latents to the image; `slope` of the leaky ReLU (0: ReLU),
    which a layer may set for itself; batch norm comes before the rectifier, or after it with `norm_last`; `output`
    squashes the last layer."""

    kind: Literal["dcgan"]
    layers: Annotated[list[Layer], Field(min_length=1)]
    slope: Slope
    norm_last: bool
    output: Literal["sigmoid", "tanh"]

    @model_validator(mode="after")
    def _image_is_not_normalised(self) -> Self:
        if self.layers[-1].batch_norm:
            raise ValueError("layers: the last one gives the image and takes no batch_norm")
        return self


class DCGANDiscriminator(Section):
    """A stack of layers, as in the paper: `trunk` is shared by D and Q, `posterior` are Q's own hidden layers;
    `slope` of the leaky ReLU of all of them. `spectral_norm` divides every weight, those of both output layers too,
    by its largest singular value."""

    kind: Literal["dcgan"]
    trunk: Annotated[list[Layer], Field(min_length=1)]
    posterior: list[Linear]
    slope: Slope
    spectral_norm: bool


GeneratorConfig = Annotated[Annotated[DCGANGenerator, Tag("<dcgan>")], union_by_value("kind", "dcgan")]
"""A family of generators a `kind`."""

DiscriminatorConfig = Annotated[Annotated[DCGANDiscriminator, Tag("<dcgan>")], union_by_value("kind", "dcgan")]
"""A family of discriminators a `kind`."""
