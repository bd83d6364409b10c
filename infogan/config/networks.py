"""The schema of the networks: lists of layers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    PlainValidator,
    Tag,
    model_validator,
)

from infogan.config.fields import CodeName, Positive, Section, Slope, features, not_a_bool, union_by_key, union_by_value


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

    @property
    def has_batch_norm(self) -> bool:
        return any(layer.batch_norm for layer in self.layers)

    @property
    def description(self) -> str:
        """Its layers, for people."""
        return f"{in_words(self.layers)}; {self.output}"


class Swing(Section):
    """An angle that `code` says, whose interval goes from `low` to `high` degrees."""

    code: CodeName
    low: FiniteFloat
    high: FiniteFloat


def _turn(value: Any) -> str | Swing:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | Swing):
        return Swing.model_validate(value)
    raise ValueError("must be the name of a circular code, or {code: …, low: …, high: …} in degrees")


def _tilt(value: Any) -> float | Swing:
    if isinstance(value, int | float) and not isinstance(value, bool) and -90 <= value <= 90:
        return float(value)
    if isinstance(value, Mapping | Swing):
        return Swing.model_validate(value)
    raise ValueError("must be a number of degrees from -90 to 90, or {code: …, low: …, high: …}")


class VolumeGenerator(Section):
    """3D features that a code turns before a camera looks at them (Nguyen-Phuoc et al. 2019). Noise and all other codes
    make the style, which scales and shifts features.

    turn: the circular code that turns them about the vertical axis once around, or a code on an interval with the
      degrees of its ends. tilt: by how many degrees the camera looks down, or a code likewise.
    style: features of both layers that make the style.
    volume: channels at 4³ voxels, at 8³ and so on; the last volume is turned.
    depth: channels of the turned volume, all of whose depth then becomes channels of one plane.
    image: channels of that plane, at twice its size, and so on; of the last one the image is made, of as many
      `channels`. Style scales and shifts all of them but the first and the last.
    slope: of the leaky ReLU. output: squashes the image.
    """

    kind: Literal["volume"]
    turn: Annotated[Any, PlainValidator(_turn)]
    tilt: Annotated[Any, PlainValidator(_tilt)]
    style: Positive
    volume: Annotated[list[Positive], Field(min_length=1, max_length=6)]
    depth: Positive
    image: Annotated[list[Positive], Field(min_length=1, max_length=8)]
    channels: Literal[1, 3]
    slope: Slope
    output: Literal["sigmoid", "tanh"]

    @property
    def has_batch_norm(self) -> bool:
        return False

    @property
    def description(self) -> str:
        """Its layers, for people."""
        turn, tilt = (
            f"{angle.code}, {angle.low:g}° to {angle.high:g}°" if isinstance(angle, Swing) else str(angle)
            for angle in (self.turn, self.tilt)
        )
        volume, image = (" → ".join(map(str, channels)) for channels in (self.volume, self.image))
        return f"volume {volume}, turned by {turn}, tilted by {tilt}; plane {image}; {self.output}"


class DCGANDiscriminator(Section):
    """A stack of layers, as in the paper: `trunk` is shared by D and Q, `posterior` are Q's own hidden layers;
    `slope` of the leaky ReLU of all of them. `spectral_norm` divides every weight, those of both output layers too,
    by its largest singular value."""

    kind: Literal["dcgan"]
    trunk: Annotated[list[Layer], Field(min_length=1)]
    posterior: list[Linear]
    slope: Slope
    spectral_norm: bool


GeneratorConfig = Annotated[
    Annotated[DCGANGenerator, Tag("<dcgan>")] | Annotated[VolumeGenerator, Tag("<volume>")],
    union_by_value("kind", "dcgan", "volume"),
]
"""A family of generators a `kind`."""

DiscriminatorConfig = Annotated[Annotated[DCGANDiscriminator, Tag("<dcgan>")], union_by_value("kind", "dcgan")]
"""A family of discriminators a `kind`."""


def in_words(layers: Sequence[Layer]) -> str:
    """Layers in their order, for people."""
    return " → ".join(f"{_layer(layer)}{' + batch norm' if layer.batch_norm else ''}" for layer in layers)


def _layer(layer: Layer) -> str:
    if isinstance(layer, Conv):
        return f"conv {layer.conv}, stride {layer.stride}"
    if isinstance(layer, Up):
        return f"transposed conv {layer.up}, stride {layer.stride}"
    return f"linear {'×'.join(map(str, layer.fc)) if isinstance(layer.fc, list) else layer.fc}"
