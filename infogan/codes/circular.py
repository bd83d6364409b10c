"""A circular code: an angle, uniform on the turn; Q is a von Mises distribution."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infogan.codes.domain import Circle
from infogan.config.codes import CircularCode

LEAST = 1e-6
"""Of the concentration: the length of a vector has no gradient at 0."""

HALVINGS = 60
"""Of the interval in which a concentration is looked for."""


@dataclass(frozen=True)
class Circular:
    """An angle θ, uniform on the turn; the generator gets (cos θ, sin θ).

    Q is a von Mises distribution in its natural parameters: log q(θ|x) = m(x) · (cos θ, sin θ) - ln 2π I₀(|m(x)|). Its
    mode is the direction of m, its concentration κ = |m|. Of Q's two outputs n it is m = n κ / |n|, κ = K tanh(|n| / K)
    with K = `largest_kappa`: without a bound L_I of a continuous code has no ceiling.
    """

    name: str
    largest_kappa: float
    uniforms = 1
    width = 2
    outputs = 2
    groups = None
    domain = Circle()
    entropy = math.log(2 * math.pi)

    @classmethod
    def from_section(cls, name: str, section: CircularCode) -> "Circular":
        """The code as it is configured."""
        return cls(name, section.largest_kappa)

    def sample(self, u: Tensor) -> Tensor:
        """(N, 1) numbers in [0, 1) → (N, 2), cosine and sine of angles from -π on."""
        return _direction(2 * math.pi * u - math.pi)

    def rows(self, values: Tensor) -> Tensor:
        """(N, 1) degrees, of any turn → (N, 2), cosine and sine."""
        return _direction(torch.deg2rad(values.float()))

    def values(self, rows: Tensor) -> Tensor:
        """(N, 2) of any length → (N, 1) degrees from -180 to 180."""
        return torch.rad2deg(torch.atan2(rows[:, 1:], rows[:, :1]))

    def log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor:
        """(N, 2) cosines and sines, (N, 2) → (N,). A density of θ in radians: it can be above 0."""
        m, kappa = self._natural(q)
        return (m * rows).sum(dim=1) - log_i0(kappa) - math.log(2 * math.pi)

    def refitted_log_likelihood(self, rows: Tensor, q: Tensor) -> None:
        """None: Q learns its concentration."""

    def share_read(self, information: float) -> float:
        """The part of the variance of (cos θ, sin θ) that Q's mean explains, A(κ)², for the concentration κ that all
        images have where L_I is this: κ A(κ) - ln I₀(κ), A = I₁ / I₀. Near 0 it is L_I itself, and so below."""
        if not information > 0:
            return information
        low, high = 0.0, math.exp(min(2 * information + 3, 100.0))  # L_I > ½ ln κ - 1.5
        for _ in range(HALVINGS):
            kappa = (low + high) / 2
            at = torch.tensor(kappa, dtype=torch.float64)
            gained = (at * _resultant(at) - log_i0(at)).item()
            low, high = (kappa, high) if gained < information else (low, kappa)
        return _resultant(torch.tensor(high, dtype=torch.float64)).square().item()

    def mean(self, q: Tensor) -> Tensor:
        """E[(cos θ, sin θ)|x] = A(κ) m / κ, A = I₁ / I₀: (N, 2) → (N, 2), shorter than 1."""
        m, kappa = self._natural(q)
        return m * (_resultant(kappa) / kappa).unsqueeze(1)

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """m, (N, 2): its direction is the mode, its length the concentration."""
        return {self.name: self._natural(q)[0]}

    def group(self, rows: Tensor) -> None:
        """None: there are no groups."""

    def probabilities(self, q: Tensor) -> None:
        """None: there are no groups."""

    def columns(self, mean: Tensor) -> Tensor:
        """The mean, (N, 2)."""
        return mean

    def unit(self, values: Tensor) -> Tensor:
        """(N, 1) degrees, half a turn becoming 1."""
        return values / 180

    def _natural(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """m, (N, 2), and its length κ, (N,)."""
        q = q.float()
        length = (q.square().sum(dim=1) + LEAST**2).sqrt()
        kappa = self.largest_kappa * torch.tanh(length / self.largest_kappa)
        return q * (kappa / length).unsqueeze(1), kappa


def log_i0(kappa: Tensor) -> Tensor:
    """ln I₀(κ) for κ ≥ 0 of any size: I₀(κ) itself overflows a float32 at 92."""
    return torch.special.i0e(kappa).log() + kappa


def _resultant(kappa: Tensor) -> Tensor:
    """A(κ) = I₁(κ) / I₀(κ), the length of the mean of (cos θ, sin θ), for κ ≥ 0: from 0 to 1."""
    return torch.special.i1e(kappa) / torch.special.i0e(kappa)


def _direction(angle: Tensor) -> Tensor:
    return torch.cat([angle.cos(), angle.sin()], dim=1)
