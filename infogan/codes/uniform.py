"""A continuous code, uniform on an interval; Q is a Gaussian."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infogan.codes.domain import Interval
from infogan.config.codes import UniformCode

LOG_SIGMA_FLOOR = math.log(1e-2)
"""A learned σ stops at 0.01: L_I of a continuous code has no ceiling, and its gradient grows as 1/σ²."""

LARGEST_EXPONENT = 700.0
"""exp overflows a float64 beyond 709."""


class Floored(torch.autograd.Function):
    """max(x, floor), whose gradient still lifts an x below the floor: with clamp's, which is 0 there, such an x never
    comes back. What would push it further down is dropped."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, floor: float) -> Tensor:
        return x.clamp_min(floor)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0] >= inputs[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (above,) = ctx.saved_tensors
        return torch.where(above, gradient, gradient.clamp_max(0)), None  # a step goes against the gradient


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high]; Q is a Gaussian with mean μ(x) and the standard deviation `sigma`, which Q learns as σ(x)
    where `sigma` is None."""

    name: str
    low: float
    high: float
    sigma: float | None
    uniforms = 1
    width = 1
    groups = None

    @classmethod
    def from_section(cls, name: str, section: UniformCode) -> "Uniform":
        """The code as it is configured."""
        return cls(name, section.low, section.high, None if section.sigma == "learned" else section.sigma)

    @property
    def domain(self) -> Interval:
        """What training drew from; people may look beyond."""
        return Interval(self.low, self.high)

    @property
    def outputs(self) -> int:
        """μ, then ln σ where it is learned."""
        return 2 if self.sigma is None else 1

    @property
    def entropy(self) -> float:
        """H(c) = ln(high - low)."""
        return math.log(self.high - self.low)

    def sample(self, u: Tensor) -> Tensor:
        """(N, 1) numbers in [0, 1) → (N, 1) values in [low, high)."""
        return self.low + (self.high - self.low) * u

    def rows(self, values: Tensor) -> Tensor:
        """A row is its value."""
        return values.float()

    def values(self, rows: Tensor) -> Tensor:
        """A value is its row."""
        return rows

    def log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor:
        """(N, 1) values, (N, outputs) → (N,). A density: it can be above 0."""
        q = q.float()
        error = rows[:, 0] - q[:, 0]
        if self.sigma is not None:
            return -0.5 * math.log(2 * math.pi) - math.log(self.sigma) - 0.5 * (error / self.sigma).square()
        log_sigma = Floored.apply(q[:, 1], LOG_SIGMA_FLOOR)
        return -0.5 * math.log(2 * math.pi) - log_sigma - 0.5 * (error * torch.exp(-log_sigma)).square()

    def refitted_log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor | None:
        """With σ² = MSE, the best constant width for Q's means: -½ ln(2πe MSE). None where σ is learned."""
        if self.sigma is None:
            return None
        mse = (rows[:, 0] - q[:, 0].float()).square().mean()
        return -0.5 * torch.log(2 * math.pi * math.e * mse)

    def share_read(self, information: float) -> float:
        """The part of the code's variance that Q's mean explains, by what L_I is. For a learned σ that of the constant
        width whose L_I this would be."""
        variance = (self.high - self.low) ** 2 / 12
        surprise = self.entropy - information  # the mean of -log Q(c|x)
        if self.sigma is None:
            return 1 - math.exp(min(2 * surprise - 1, LARGEST_EXPONENT)) / (2 * math.pi * variance)
        return 1 - (surprise - math.log(self.sigma) - 0.5 * math.log(2 * math.pi)) * 2 * self.sigma**2 / variance

    def mean(self, q: Tensor) -> Tensor:
        """(N, outputs) → (N, 1), not confined to [low, high]."""
        return q[:, :1].float()

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Its mean, and where it is learned `<name>_sigma`, (N, 1) each."""
        sigma = {} if self.sigma is not None else {f"{self.name}_sigma": q[:, 1:].clamp_min(LOG_SIGMA_FLOOR).exp()}
        return {self.name: self.mean(q), **sigma}

    def group(self, rows: Tensor) -> None:
        """None: there are no groups."""

    def probabilities(self, q: Tensor) -> None:
        """None: there are no groups."""

    def columns(self, mean: Tensor) -> Tensor:
        """The mean, (N, 1)."""
        return mean

    def unit(self, values: Tensor) -> Tensor:
        """(N, 1) values, [low, high] becoming [-1, 1]."""
        return (2 * values - self.low - self.high) / (self.high - self.low)
