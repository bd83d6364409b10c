"""The schema of the kinds of codes."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    PlainValidator,
    Tag,
    model_validator,
)

from infogan.config.fields import Lambda, Section, sigma, union_by_value


class CategoricalCode(Section):
    """`classes` equally likely values. `lambda_code` weighs this code alone (null: model.lambda_categorical)."""

    kind: Literal["categorical"]
    classes: Annotated[int, Field(ge=2)]
    lambda_code: Lambda | None


class UniformCode(Section):
    """Uniform on [low, high]. Q's standard deviation is `sigma`, or learned. `lambda_code` weighs this code alone
    (null: model.lambda_continuous)."""

    kind: Literal["uniform"]
    low: FiniteFloat
    high: FiniteFloat
    sigma: Annotated[float | Literal["learned"], PlainValidator(sigma)]
    lambda_code: Lambda | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        return self


CodeConfig = Annotated[
    Annotated[CategoricalCode, Tag("<categorical>")] | Annotated[UniformCode, Tag("<uniform>")],
    union_by_value("kind", "categorical", "uniform"),
]
