"""The schema of the regularisers: terms of the loss beside the game and the information of the codes."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PlainValidator, SerializeAsAny

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


class R1Section(RegulariserSection):
    """½ weight E|∇ₓ D(x)|² on the real images of the game (Mescheder et al. 2018)."""

    kind: Literal["r1"]


class Transforms(Section):
    """What must not change what is on an image; nothing is done where a range is left out. Rotation by up to ±`rotation`
    degrees, scale by up to ±`scale` of the size, shear by up to ±`shear`, shift by up to ±`shift` of the width, each
    drawn evenly."""

    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    shear: NonNegative = 0.0
    shift: Annotated[float, Field(ge=0, le=1)] = 0.0


class ConsistencySection(RegulariserSection):
    """The mutual information of Q's groups on real images and on their `transforms` (Ji et al. 2019), of the code
    `code`. Of `images` further real images an iteration, or of the game's own where that is 0. `marginals`: the weight
    of the entropies of the groups within the information, 1 in its definition."""

    kind: Literal["consistency"]
    code: str
    images: Annotated[int, Field(ge=0)]
    marginals: NonNegative
    transforms: Transforms


SECTIONS: Mapping[str, type[RegulariserSection]] = {"r1": R1Section, "consistency": ConsistencySection}


def _regulariser(value: Any) -> RegulariserSection:
    return section_of(value, "regularisers", SECTIONS, RegulariserSection)


RegulariserConfig = Annotated[SerializeAsAny[RegulariserSection], PlainValidator(_regulariser)]
