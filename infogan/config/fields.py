"""What the sections of the schema are made of: types of values, and unions."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
)


def sigma(value: Any) -> float | str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "learned" or (number and 0 < value < math.inf):
        return value
    raise ValueError("must be a number above 0, or learned")


def features(value: Any) -> int | list[int]:
    sizes = value if isinstance(value, list) else [value]
    whole = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes)
    if whole and len(sizes) in (1, 3):
        return value
    raise ValueError("must be a number of features, or [channels, height, width]")


def not_a_bool(value: Any) -> Any:
    if isinstance(value, bool):  # Python takes True for 1
        raise ValueError("must be a number")
    return value


def union_by_key(*keys: str) -> Discriminator:
    """Which class of a union is meant, by the key that only it has."""

    def tag(value: Any) -> str | None:
        present = value if isinstance(value, Mapping) else vars(value) if isinstance(value, BaseModel) else ()
        return next((f"<{key}>" for key in keys if key in present), None)

    return Discriminator(
        tag, custom_error_type="union", custom_error_message=f"needs one of the keys {', '.join(keys)}"
    )


def union_by_value(key: str, *values: str) -> Discriminator:
    """Which class of a union is meant, by the value of a key that all have."""

    def tag(value: Any) -> str | None:
        found = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
        return f"<{found}>" if found in values else None

    return Discriminator(
        tag, custom_error_type="union", custom_error_message=f"{key} must be one of {', '.join(values)}"
    )


def code_name(name: str) -> str:
    if not name.isidentifier() or name in ("samples", "real", "curves"):
        raise ValueError("a code's name is one word, and not that of another picture (samples, real, curves)")
    return name


def _word(name: str) -> str:
    if not name.isidentifier():
        raise ValueError("the name of a regulariser or callback is one word")
    return name


CodeName = Annotated[str, AfterValidator(code_name)]

RegulariserName = Annotated[str, AfterValidator(_word)]

CallbackName = Annotated[str, AfterValidator(_word)]
Positive = Annotated[int, Field(ge=1)]

LearningRate = Annotated[float, Field(gt=0, le=1)]

Lambda = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Slope = Annotated[float, Field(ge=0, lt=1)]

OutputFormat = Literal["table", "csv", "json"]
"""Of what a command prints: for people, or for another program."""

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the configuration: no unknown keys, no silent conversions, no change after it was checked."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AnySection = TypeVar("AnySection", bound=Section)

BatchSize = Annotated[int, Field(ge=2)]

ImageSize = Annotated[int, Field(ge=8, le=1024)]


def class_name(value: Any) -> Any:
    """A class may be named by a number: Hydra reads `label=3` as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def low_and_high(bounds: list[float]) -> list[float]:
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise ValueError("must be [low, high], low not above high; the same twice keeps the value")
    return bounds
