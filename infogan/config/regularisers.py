"""The schema of the regularisers: terms of the loss beside the game and the information of the codes."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, PlainValidator, SerializeAsAny, model_validator

from infogan.config.extensions import section_of
from infogan.config.fields import Positive, Section

NonNegative = Annotated[FiniteFloat, Field(ge=0)]


def _schedule(value: Any) -> float | list[list[float]]:
    def is_number(number: Any) -> bool:
        return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number < float("inf")

    if is_number(value):
        return float(value)
    if isinstance(value, list) and value and all(isinstance(point, list) and len(point) == 2 for point in value):
        iterations = [iteration for iteration, _ in value]
        whole = all(isinstance(iteration, int) and is_number(iteration) for iteration in iterations)
        if whole and all(is_number(weight) for _, weight in value) and all(a < b for a, b in pairwise(iterations)):
            return [[iteration, float(weight)] for iteration, weight in value]
    raise ValueError("must be a number, 0 or above, or a list of [iteration, weight] in the order of iterations")


Schedule = Annotated[Any, PlainValidator(_schedule)]
"""A weight: one number, or [[iteration, weight], …] with straight lines between, constant before and after."""


class RegulariserSection(Section):
    """What every regulariser has: it is computed every `every`-th iteration, with `every` times its `weight`."""

    kind: str
    weight: Schedule
    every: Positive


class GradientPenaltySection(RegulariserSection):
    """½ weight E|∇ₓ D(x)|² on the real images of the game (`r1`), or on the generated ones (`r2`) (Mescheder et al.
    2018)."""

    kind: Literal["r1", "r2"]


Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Transforms(Section):
    """What must not change the group of an image; what is left out is not done. Each is drawn evenly from its range:

    rotation: up to ± so many degrees. scale: larger or smaller by up to ± this share. shear: up to ± this slope.
    shift: up to ± this share of the width and height. flip: half of the images mirrored. crop: a part of the image
    that has lost up to this share of its width and height, enlarged to the whole.
    brightness: up to ± this share of the range of values. contrast, saturation: up to ± this share. hue: up to ± so
    many degrees around the colours. Saturation and hue leave gray images as they are.
    blur: a Gaussian of up to so many pixels. noise: normal, of this standard deviation as a share of the range.
    cutout: a rectangle of this share of the width and height, centred anywhere in the image, in the middle of the range
    of values.
    """

    rotation: Annotated[FiniteFloat, Field(ge=0, le=180)] = 0.0
    scale: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.0
    shear: NonNegative = 0.0
    shift: Share = 0.0
    flip: bool = False
    crop: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.0
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    hue: Annotated[FiniteFloat, Field(ge=0, le=180)] = 0.0
    blur: Annotated[FiniteFloat, Field(ge=0, le=10)] = 0.0
    noise: Share = 0.0
    cutout: Share = 0.0


class AugmentSection(Section):
    """What D's head is shown is changed, real and generated images alike (DiffAugment, Zhao et al. 2020), so that D
    cannot learn a small data set by heart; G is asked for images that look real when they are changed.

    Values may leave the range, so that every pixel keeps its gradient. Regularisers see real images as they are, R1 and
    R2 what D's head is shown. The averages of a batch norm in D are those of all the images that went through it.
    before_posterior: whether Q reads the codes from the changed images as well: see `Play.q`.
    """

    before_posterior: bool
    transforms: Transforms

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.transforms == Transforms():
            raise ValueError("transforms: none is asked for; model.augment=null leaves the images as they are")
        return self


class ConsistencySection(RegulariserSection):
    """The mutual information of Q's groups on real images and on their `transforms` (Ji et al. 2019).

    codes: those whose groups are meant. images: how many further real images an iteration; 0: the game's own.
    marginals: the weight of the entropies of the groups within the information, 1 in its definition. apart: the weight
      of the information that two of the codes share on real images, which is to be small; for one code it does nothing.
    """

    kind: Literal["consistency"]
    codes: Annotated[list[str], Field(min_length=1)]
    images: Annotated[int, Field(ge=0)]
    marginals: Annotated[FiniteFloat, Field(ge=1)]
    apart: NonNegative
    transforms: Transforms


class AlignmentSection(RegulariserSection):
    """Q reads the same angle of `code` from a real image and from its `transforms`, and all angles equally often (Wang
    and Isola 2020). mirrored: the transform is mirrored too, and then shows the opposite angle.
    """

    kind: Literal["alignment"]
    code: str
    mirrored: bool
    transforms: Transforms

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.mirrored and self.transforms == Transforms():
            raise ValueError("transforms: none is asked for, and the image is not mirrored either")
        return self


SECTIONS: Mapping[str, type[RegulariserSection]] = {
    "r1": GradientPenaltySection,
    "r2": GradientPenaltySection,
    "consistency": ConsistencySection,
    "alignment": AlignmentSection,
}


def _regulariser(value: Any) -> RegulariserSection:
    return section_of(value, "regularisers", SECTIONS, RegulariserSection)


RegulariserConfig = Annotated[SerializeAsAny[RegulariserSection], PlainValidator(_regulariser)]
