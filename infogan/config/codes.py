"""The schema of the kinds of codes."""

from collections.abc import Mapping
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


class CategoricalCode(CodeSection):
    """`classes` equally likely values."""

    weighed_as = "categorical"

    kind: Literal["categorical"]
    classes: Annotated[int, Field(ge=2)]


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


SECTIONS: Mapping[str, type[CodeSection]] = {"categorical": CategoricalCode, "uniform": UniformCode}


def _code(value: Any) -> CodeSection:
    return section_of(value, "codes", SECTIONS, CodeSection)


CodeConfig = Annotated[SerializeAsAny[CodeSection], PlainValidator(_code)]
