"""The schema of the kinds of codes."""

from collections.abc import Mapping
from itertools import groupby
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, PlainValidator, SerializeAsAny, model_validator

from infogan.config.extensions import section_of
from infogan.config.fields import Lambda, Section, sigma


class CodeSection(Section):
    """What every kind of code has. `lambda_code` weighs this code alone (null, or left out: model.lambda_categorical or
    model.lambda_continuous, as `weighed_as` says)."""

    weighed_as: ClassVar[Literal["categorical", "continuous"]]

    kind: str
    lambda_code: Lambda | None = None

    @property
    def description(self) -> str:
        """The code in a few words, for people."""
        return self.kind

    @property
    def has_fixed_width(self) -> bool:
        """Whether Q(c|x) has a width that was fixed beforehand, so that L_I falls short of what Q knows."""
        return False


class CategoricalCode(CodeSection):
    """`classes` equally likely values."""

    weighed_as = "categorical"

    kind: Literal["categorical"]
    classes: Annotated[int, Field(ge=2)]

    @property
    def description(self) -> str:
        return f"{self.classes} categories"


class UniformCode(CodeSection):
    """Uniform on [low, high]. Q's standard deviation is `sigma`, or learned."""

    weighed_as = "continuous"

    kind: Literal["uniform"]
    low: FiniteFloat
    high: FiniteFloat
    sigma: Annotated[float | Literal["learned"], PlainValidator(sigma)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        return self

    @property
    def description(self) -> str:
        sigma = "learned" if self.sigma == "learned" else f"{self.sigma:g}"
        return f"uniform on [{self.low:g}, {self.high:g}], σ of Q {sigma}"

    @property
    def has_fixed_width(self) -> bool:
        return self.sigma != "learned"


class CircularCode(CodeSection):
    """An angle, uniform on the whole turn. Q's concentration is learned; it stays below `largest_kappa`."""

    weighed_as = "continuous"

    kind: Literal["circular"]
    largest_kappa: Annotated[FiniteFloat, Field(gt=0)]

    @property
    def description(self) -> str:
        return f"an angle, κ of Q below {self.largest_kappa:g}"


SECTIONS: Mapping[str, type[CodeSection]] = {
    "categorical": CategoricalCode,
    "uniform": UniformCode,
    "circular": CircularCode,
}


def in_words(codes: Mapping[str, CodeSection]) -> str:
    """All of them, for people: `c1 (10 categories), c2, c3 (uniform on [-1, 1], σ of Q 1)`."""
    alike = groupby(codes, lambda name: codes[name].description)
    return ", ".join(f"{', '.join(names)} ({description})" for description, names in alike)


def _code(value: Any) -> CodeSection:
    return section_of(value, "codes", SECTIONS, CodeSection)


CodeConfig = Annotated[SerializeAsAny[CodeSection], PlainValidator(_code)]
