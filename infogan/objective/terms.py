"""The terms of a phase: they make its loss, the log, the panels, and the answer to which of them was first not a
number."""

from dataclasses import dataclass

import torch
from torch import Tensor

Weight = float | Tensor
"""A number, or a scalar on the device where it changes while a CUDA graph is replayed."""


@dataclass(frozen=True)
class Term:
    """`weight` times `value`, a scalar, is minimised. What is to be maximised is `maximised`, its weight positive too.

    `unit`: of the value. A weight of 0 leaves the term out of the loss, and in the log.
    """

    value: Tensor
    weight: Weight = 1.0
    maximised: bool = False
    unit: str = "nats"

    @property
    def is_off(self) -> bool:
        """Whether the weight is the number 0."""
        return isinstance(self.weight, float | int) and self.weight == 0

    @property
    def weighted(self) -> Tensor:
        """weight · value."""
        return self.value if isinstance(self.weight, float | int) and self.weight == 1 else self.weight * self.value


Terms = dict[str, Term]
"""In the order in which one that is not finite spoils those after it."""


def loss(terms: Terms) -> Tensor:
    """Σ weight · value of what is minimised, minus that of what is maximised → scalar. Raises ValueError where every
    term is off."""
    parts = {
        sign: [term.weighted for term in terms.values() if term.maximised is sign and not term.is_off]
        for sign in (False, True)
    }
    if not (parts[False] or parts[True]):
        raise ValueError("a loss needs a term whose weight is not 0")
    if not parts[True]:
        return _sum(parts[False])
    return _sum(parts[False]) - _sum(parts[True]) if parts[False] else -_sum(parts[True])


def _sum(values: list[Tensor]) -> Tensor:
    return values[0] if len(values) == 1 else torch.stack(values).sum()
