"""A continuous code, uniform on an interval."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from infogan.codes.text import as_given, signed
from infogan.errors import ConfigError

LOG_SIGMA_FLOOR = math.log(1e-2)
"""A learned σ stops at 0.01: L_I of a continuous code has no ceiling, and its gradient grows as 1/σ²."""


@dataclass(frozen=True)
class Uniform:
    """A continuous code, uniform on [low, high]; Q is a Gaussian with mean μ(x) and the standard deviation `sigma`,
    which Q learns as σ(x) where `sigma` is None.
    """

    name: str
    low: float
    high: float
    sigma: float | None
    lambda_: float
    lambda_posterior: float

    @property
    def classes(self) -> None:
        """None: a continuous code has no categories."""

    @property
    def width(self) -> int:
        """Columns in the generator's input."""
        return 1

    @property
    def outputs(self) -> int:
        """Columns in Q's output: μ, then ln σ where it is learned."""
        return 2 if self.sigma is None else 1

    @property
    def entropy(self) -> float:
        """H(c) = ln(high - low), in nats."""
        return math.log(self.high - self.low)

    def from_uniform(self, u: Tensor) -> Tensor:
        """(N,) numbers in [0, 1) → (N, 1) values in [low, high)."""
        return (self.low + (self.high - self.low) * u).unsqueeze(1)

    def log_likelihood(self, code: Tensor, q: Tensor) -> Tensor:
        """log Q(c|x) of each row, in nats: (N, 1) values, (N, outputs) → (N,). A density: it can be above 0."""
        q = q.float()
        error = code[:, 0] - q[:, 0]
        if self.sigma is not None:
            return -0.5 * math.log(2 * math.pi) - math.log(self.sigma) - 0.5 * (error / self.sigma).square()
        log_sigma = q[:, 1].clamp_min(LOG_SIGMA_FLOOR)
        return -0.5 * math.log(2 * math.pi) - log_sigma - 0.5 * (error * torch.exp(-log_sigma)).square()

    def share_read(self, information: float) -> float:
        """The part of the code's variance that Q's mean explains, told by L_I in nats: 0 for a Q that does not look at
        the image, 1 at best. For a learned σ that of the constant width whose L_I this would be.
        """
        variance = (self.high - self.low) ** 2 / 12
        surprise = self.entropy - information  # the mean of -log Q(c|x)
        if self.sigma is None:
            return 1 - math.exp(2 * surprise - 1) / (2 * math.pi * variance)
        return 1 - (surprise - math.log(self.sigma) - 0.5 * math.log(2 * math.pi)) * 2 * self.sigma**2 / variance

    def mean(self, q: Tensor) -> Tensor:
        """The code as Q reads it, E[c|x]: (N, outputs) → (N, 1), not confined to [low, high]."""
        return q[:, :1].float()

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Those of Q(c|x), named after the code: its mean, and where it is learned `<name>_sigma`, (N, 1) each."""
        sigma = {} if self.sigma is not None else {f"{self.name}_sigma": q[:, 1:].clamp_min(LOG_SIGMA_FLOOR).exp()}
        return {self.name: self.mean(q), **sigma}

    def unit(self, values: np.ndarray) -> np.ndarray:
        """Values of the code on the scale where its interval is [-1, 1]."""
        return (2 * values - self.low - self.high) / (self.high - self.low)

    def refitted_log_likelihood(self, code: Tensor, q: Tensor) -> Tensor | None:
        """E log Q(c|x) with σ² = MSE, the best constant width for Q's means: -½ ln(2πe MSE), a scalar.

        None where σ is learned.
        """
        if self.sigma is None:
            return None
        mse = (code[:, 0] - q[:, 0].float()).square().mean()
        return -0.5 * torch.log(2 * math.pi * math.e * mse)

    def traversal(self, points: int) -> tuple[Tensor, list[str]]:
        """`points` even steps over twice the interval (U(-1, 1): from -2 to 2, figure 2): (points, 1) and labels."""
        centre, reach = (self.low + self.high) / 2, self.high - self.low
        values = torch.linspace(centre - reach, centre + reach, points)
        return values.unsqueeze(1), [signed(value, 2) for value in values.tolist()]

    def walk(self, steps: int) -> Tensor:
        """A way from one end of `traversal` to the other and back, (steps, 1), whose last step ends where it began,
        slowest at the ends."""
        (low, high), _ = self.traversal(2)
        return low + (high - low) * (1 - torch.cos(torch.arange(steps).unsqueeze(1) * (2 * math.pi / steps))) / 2

    def numbers(self, rows: Tensor) -> Tensor:
        """The value of each row as one number: (N, 1) → (N,)."""
        return rows[:, 0]

    def choice(self, given: object) -> "Interval":
        """What `codes.<name>=1.5` or `codes.<name>=-2:2` asks for, inside of [low, high] or not. Raises ConfigError
        where that is neither a number nor an interval."""
        ends = given.split(":") if isinstance(given, str) else [given, given]
        try:
            start, end = (math.nan if isinstance(value, bool) else float(value) for value in ends)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            start = end = math.nan
        if not (math.isfinite(start) and math.isfinite(end)):
            raise ConfigError(
                f"codes.{self.name}={as_given(given)}: must be a number such as 1.5, or an interval such as -2:2"
            )
        return Interval(self, start, end)


@dataclass(frozen=True)
class Interval:
    """A continuous code drawn evenly between `start` and `end`, the same twice for one value."""

    code: Uniform
    start: float
    end: float

    @property
    def extrapolation(self) -> str | None:
        """One line that says so where values lie outside of what training drew; else None."""
        if all(self.code.low <= value <= self.code.high for value in (self.start, self.end)):
            return None
        return (
            f"{self.code.name} was drawn from {self.code.low:g} to {self.code.high:g} in training: "
            "what lies outside is extrapolated"
        )

    def from_uniform(self, u: Tensor) -> Tensor:
        """(N,) numbers in [0, 1) → (N, 1) values."""
        return (self.start + (self.end - self.start) * u).unsqueeze(1)

    def points(self, points: int) -> tuple[Tensor, list[str]]:
        """`points` even steps from start to end, one where they are the same: (points, 1) values and their labels."""
        values = torch.linspace(self.start, self.end, 1 if self.start == self.end else points)
        return values.unsqueeze(1), [signed(value, 3) for value in values.tolist()]
