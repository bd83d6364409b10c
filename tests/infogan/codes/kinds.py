"""Kinds of codes that no package of the project knows: two unequal categories, an angle, and two numbers with a
choice."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch.nn import functional as F

from infogan.codes.domain import Choice, Circle, Interval, Product
from infogan.config.codes import CodeSection


class BinarySection(CodeSection):
    weighed_as: ClassVar[Literal["categorical", "continuous"]] = "categorical"
    share: Annotated[float, Field(gt=0, lt=1)]

    @property
    def description(self):
        return f"two categories, {self.share:.0%} of the second"


@dataclass(frozen=True)
class Binary:
    """Category 1 with the probability `share`, else category 0: one column."""

    name: str
    share: float
    uniforms, width, outputs, groups = 1, 1, 1, 2
    domain = Choice(2)
    section: ClassVar[type] = BinarySection

    @classmethod
    def from_section(cls, name, section):
        return cls(name, section.share)

    @property
    def entropy(self):
        """As a tensor, as of a prior that is learned."""
        p = torch.tensor([self.share, 1 - self.share])
        return torch.special.entr(p).sum()

    def sample(self, u):
        return (u < self.share).to(u.dtype)

    def rows(self, values):
        return values.float()

    def values(self, rows):
        return (rows > 0.5).long()

    def log_likelihood(self, rows, q):
        return (rows * F.logsigmoid(q.float()) + (1 - rows) * F.logsigmoid(-q.float()))[:, 0]

    def refitted_log_likelihood(self, rows, q):
        return None

    def share_read(self, information):
        return information / self.entropy.item()

    def mean(self, q):
        return q.float().sigmoid()

    def parameters(self, q):
        return {self.name: self.mean(q)}

    def group(self, rows):
        return (rows[:, 0] > 0.5).long()

    def probabilities(self, q):
        p = self.mean(q)
        return torch.cat([1 - p, p], dim=1)

    def columns(self, mean):
        return self.group(mean).unsqueeze(1)

    def unit(self, values):
        return None


class PlainSection(CodeSection):
    weighed_as: ClassVar[Literal["categorical", "continuous"]] = "continuous"


class Continuous:
    """What the two kinds below share: Q is a Gaussian of width 1 around each column."""

    section: ClassVar[type] = PlainSection
    groups = None

    @classmethod
    def from_section(cls, name, section):
        return cls(name)

    def log_likelihood(self, rows, q):
        return (-0.5 * math.log(2 * math.pi) - 0.5 * (rows - q.float()).square()).sum(dim=1)

    def refitted_log_likelihood(self, rows, q):
        return None

    def share_read(self, information):
        return 1.0

    def mean(self, q):
        return q.float()

    def parameters(self, q):
        return {self.name: self.mean(q)}

    def group(self, rows):
        return None

    def probabilities(self, q):
        return None

    def columns(self, mean):
        return mean


@dataclass(frozen=True)
class Angle(Continuous):
    """An angle, uniform on the turn: G gets its cosine and sine."""

    name: str
    uniforms, width, outputs = 1, 2, 2
    domain = Circle()
    entropy = math.log(2 * math.pi)

    def sample(self, u):
        return self.rows(360 * u - 180).to(u)

    def rows(self, values):
        radians = torch.deg2rad(values.float())
        return torch.cat([radians.cos(), radians.sin()], dim=1)

    def values(self, rows):
        return torch.rad2deg(torch.atan2(rows[:, 1:], rows[:, :1]))

    def unit(self, values):
        return values / 180


@dataclass(frozen=True)
class Pair(Continuous):
    """A number in [0, 2], and one of three categories as a number."""

    name: str
    uniforms, width, outputs = 2, 2, 2
    domain = Product((Interval(0.0, 2.0), Choice(3)))
    entropy = math.log(2) + math.log(3)

    def sample(self, u):
        return torch.cat([2 * u[:, :1], (3 * u[:, 1:]).floor()], dim=1)

    def rows(self, values):
        return values.float()

    def values(self, rows):
        return torch.cat([rows[:, :1], rows[:, 1:].round().clamp(0, 2)], dim=1)

    def unit(self, values):
        return values - 1
