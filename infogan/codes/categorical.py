"""A categorical code: one of K equally likely values."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from infogan.codes.domain import Choice
from infogan.config.codes import CategoricalCode


@dataclass(frozen=True)
class Categorical:
    """`classes` equally likely values, one-hot in the generator's input."""

    name: str
    classes: int
    uniforms = 1

    @classmethod
    def from_section(cls, name: str, section: CategoricalCode) -> "Categorical":
        """The code as it is configured."""
        return cls(name, section.classes)

    @property
    def domain(self) -> Choice:
        """Its categories."""
        return Choice(self.classes)

    @property
    def width(self) -> int:
        """A column a class."""
        return self.classes

    @property
    def outputs(self) -> int:
        """A logit a class."""
        return self.classes

    @property
    def entropy(self) -> float:
        """H(c) = ln K."""
        return math.log(self.classes)

    @property
    def groups(self) -> int:
        """Its categories."""
        return self.classes

    def sample(self, u: Tensor) -> Tensor:
        """(N, 1) numbers in [0, 1) → (N, K) one-hot rows."""
        index = (u[:, 0] * self.classes).long().clamp_max(self.classes - 1)
        return F.one_hot(index, self.classes).to(u.dtype)

    def rows(self, values: Tensor) -> Tensor:
        """(N, 1) categories → (N, K) one-hot rows."""
        return F.one_hot(values[:, 0].long(), self.classes).float()

    def values(self, rows: Tensor) -> Tensor:
        """(N, K) one-hot rows or probabilities → (N, 1), the likeliest category."""
        return rows.argmax(dim=1, keepdim=True)

    def log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor:
        """(N, K) one-hot rows, (N, K) logits → (N,), never above 0."""
        return (rows * F.log_softmax(q.float(), dim=1)).sum(dim=1)

    def refitted_log_likelihood(self, rows: Tensor, q: Tensor) -> None:
        """None: Q(c|x) has no width."""

    def share_read(self, information: float) -> float:
        """L_I as a part of H(c)."""
        return information / self.entropy

    def mean(self, q: Tensor) -> Tensor:
        """(N, K) logits → (N, K) probabilities."""
        return F.softmax(q.float(), dim=1)

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Its probabilities, (N, K)."""
        return {self.name: self.mean(q)}

    def group(self, rows: Tensor) -> Tensor:
        """The likeliest category, (N,)."""
        return rows.argmax(dim=1)

    def probabilities(self, q: Tensor) -> Tensor:
        """(N, K) logits → (N, K) probabilities."""
        return self.mean(q)

    def columns(self, mean: Tensor) -> Tensor:
        """The likeliest category alone, (N, 1): K probabilities repeat each other."""
        return mean.argmax(dim=1, keepdim=True)

    def unit(self, values: Tensor) -> None:
        """None: categories have no order."""
