"""A categorical code: one of K equally likely values."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan.codes.text import as_given
from infogan.errors import ConfigError


@dataclass(frozen=True)
class Categorical:
    """A categorical code of `classes` equally likely values, one-hot in the generator's input.

    `lambda_` weighs its information term in the generator's loss, `lambda_posterior` in the D/Q loss.
    """

    name: str
    classes: int
    lambda_: float
    lambda_posterior: float

    @property
    def width(self) -> int:
        """Columns in the generator's input."""
        return self.classes

    @property
    def outputs(self) -> int:
        """Columns in Q's output: one logit a class."""
        return self.classes

    @property
    def entropy(self) -> float:
        """H(c) = ln K, in nats."""
        return math.log(self.classes)

    def from_uniform(self, u: Tensor) -> Tensor:
        """(N,) numbers in [0, 1) → (N, K) one-hot rows."""
        index = (u * self.classes).long().clamp_max(self.classes - 1)
        return F.one_hot(index, self.classes).to(u.dtype)

    def log_likelihood(self, code: Tensor, q: Tensor) -> Tensor:
        """log Q(c|x) of each row, in nats: (N, K) one-hot, (N, K) logits → (N,), never above 0."""
        return (code * F.log_softmax(q.float(), dim=1)).sum(dim=1)

    def share_read(self, information: float) -> float:
        """L_I in nats as a part of H(c): 0 for a Q that does not look at the image, at most 1."""
        return information / self.entropy

    def mean(self, q: Tensor) -> Tensor:
        """The code as Q reads it, E[c|x]: (N, K) logits → (N, K) probabilities."""
        return F.softmax(q.float(), dim=1)

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Those of Q(c|x), named after the code: its probabilities, (N, K)."""
        return {self.name: self.mean(q)}

    def refitted_log_likelihood(self, code: Tensor, q: Tensor) -> None:
        """None: Q(c|x) has no width that was fixed beforehand."""

    def traversal(self, points: int) -> tuple[Tensor, list[str]]:
        """Every class once, whatever `points` is: (K, K) one-hot rows and their labels."""
        return torch.eye(self.classes), [str(k) for k in range(self.classes)]

    def walk(self, steps: int) -> Tensor:
        """A way through all categories and back to the first, (steps, K), whose last step ends where it began: between
        two one-hot rows their mixture, which training never drew, slowest at the ends."""
        position = torch.arange(steps) * (self.classes / steps)
        share = (1 - torch.cos(math.pi * position.frac())) / 2
        before, after = (F.one_hot((position.long() + k) % self.classes, self.classes) for k in (0, 1))
        return (1 - share).unsqueeze(1) * before + share.unsqueeze(1) * after

    def numbers(self, rows: Tensor) -> Tensor:
        """The value of each row as one number: (N, K) one-hot rows or probabilities → (N,), the likeliest category."""
        return rows.argmax(dim=1)

    def choice(self, given: object) -> "Categories":
        """What `codes.<name>=3` or `codes.<name>=[3,5]` asks for. Raises ConfigError where that is no category."""
        asked = given if isinstance(given, list) else [given]
        chosen = [k for k in asked if isinstance(k, int) and not isinstance(k, bool) and 0 <= k < self.classes]
        if not chosen or len(set(chosen)) < len(asked):
            raise ConfigError(
                f"codes.{self.name}={as_given(given)}: must be a category from 0 to {self.classes - 1}, or a list of "
                "different ones, such as [0,1]"
            )
        return Categories(self, tuple(chosen))


@dataclass(frozen=True)
class Categories:
    """Some categories of a code, equally likely, where the code itself would have all of them."""

    code: Categorical
    chosen: tuple[int, ...]

    @property
    def extrapolation(self) -> None:
        """None: there are no categories but those of training."""

    def from_uniform(self, u: Tensor) -> Tensor:
        """(N,) numbers in [0, 1) → (N, K) one-hot rows."""
        index = (u * len(self.chosen)).long().clamp_max(len(self.chosen) - 1)
        return self.points(0)[0].to(u.dtype)[index]

    def points(self, points: int) -> tuple[Tensor, list[str]]:
        """Each chosen category once, whatever `points` is: (n, K) one-hot rows and their labels."""
        return torch.eye(self.code.classes)[list(self.chosen)], [str(k) for k in self.chosen]
