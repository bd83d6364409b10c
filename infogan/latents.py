"""What goes into the generator: named codes and noise.

The object that samples a code also scores it under Q, knows its entropy, traverses it and labels its values:
a new kind of code is a new class here, and its keys in config.py.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from infogan.config import CodeConfig, ModelConfig

LOG_SIGMA_FLOOR = math.log(1e-2)
"""A learned σ stops at 0.01: L_I of a continuous code has no ceiling, and its gradient grows as 1/σ²."""


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

    def mean(self, q: Tensor) -> Tensor:
        """The code as Q reads it, E[c|x]: (N, K) logits → (N, K) probabilities."""
        return F.softmax(q.float(), dim=1)

    def refitted_log_likelihood(self, code: Tensor, q: Tensor) -> None:
        """None: Q(c|x) has no width that was fixed beforehand."""

    def traversal(self, points: int) -> tuple[Tensor, list[str]]:
        """Every class once, whatever `points` is: (K, K) one-hot rows and their labels."""
        return torch.eye(self.classes), [str(k) for k in range(self.classes)]


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

    def mean(self, q: Tensor) -> Tensor:
        """The code as Q reads it, E[c|x]: (N, outputs) → (N, 1), not confined to [low, high]."""
        return q[:, :1].float()

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
        return values.unsqueeze(1), [f"{round(v, 6):+.2g}" if abs(v) > 1e-6 else "0" for v in values.tolist()]


Code = Categorical | Uniform


@dataclass(frozen=True)
class Latents:
    """The generator's input: the codes in their order, then `noise` incompressible dimensions z."""

    codes: tuple[Code, ...]
    noise: int
    noise_distribution: Literal["uniform", "normal"]

    @classmethod
    def of(cls, config: ModelConfig) -> Self:
        """The codes in the order of the configuration, each with its two weights, and the noise."""
        return cls(
            tuple(_code(name, code, config) for name, code in config.codes.items()),
            config.noise,
            config.noise_distribution,
        )

    @property
    def width(self) -> int:
        """Columns of the generator's input (table 1 of the paper: MNIST 74)."""
        return self.codes_width + self.noise

    @property
    def codes_width(self) -> int:
        """Columns of the codes, which come before the noise."""
        return sum(code.width for code in self.codes)

    @property
    def outputs(self) -> int:
        """Columns of Q's output."""
        return sum(code.outputs for code in self.codes)

    def code(self, name: str) -> Code:
        """The code of that name; KeyError where there is none."""
        return {code.name: code for code in self.codes}[name]

    def sample(self, seed: int, stream: str, iteration: int, positions: range) -> Tensor:
        """Codes and noise, (len(positions), width) float32 on the CPU.

        A pure function of its arguments: row p is the same in a batch of any size and on any rank, so that a resumed
        run, and each of several devices, draws what one uninterrupted process would have drawn. `stream` keeps
        training, figures and scores apart.
        """
        rows = positions.stop
        codes = _generator(seed, stream, iteration, 0).random((rows, len(self.codes)), dtype=np.float32)
        noise_generator = _generator(seed, stream, iteration, 1)
        if self.noise_distribution == "uniform":
            noise = 2 * noise_generator.random((rows, self.noise), dtype=np.float32) - 1
        else:
            noise = noise_generator.standard_normal((rows, self.noise), dtype=np.float32)
        u = torch.from_numpy(codes)[positions.start :: positions.step]
        z = torch.from_numpy(noise)[positions.start :: positions.step]
        return torch.cat([*(code.from_uniform(u[:, j]) for j, code in enumerate(self.codes)), z], dim=1)

    def split(self, latent: Tensor) -> dict[str, Tensor]:
        """(N, ≥ codes_width) → each code's (N, code.width) columns, by name."""
        return _split(latent, self.codes, [code.width for code in self.codes])

    def split_posterior(self, q: Tensor) -> dict[str, Tensor]:
        """Q's output, (N, outputs) → each code's (N, code.outputs) columns, by name."""
        return _split(q, self.codes, [code.outputs for code in self.codes])

    def log_likelihoods(self, latent: Tensor, q: Tensor) -> dict[str, Tensor]:
        """log Q(c|x) of every row in nats, by name: the latents that made the images and Q's output → (N,) each."""
        values, parameters = self.split(latent), self.split_posterior(q)
        return {code.name: code.log_likelihood(values[code.name], parameters[code.name]) for code in self.codes}

    def posterior_mean(self, q: Tensor) -> Tensor:
        """The codes as Q reads them, (N, outputs) → (N, codes_width), in the columns of the generator's input."""
        parameters = self.split_posterior(q)
        return torch.cat([code.mean(parameters[code.name]) for code in self.codes], dim=1)

    def replaced(self, latent: Tensor, name: str, value: Tensor) -> Tensor:
        """A copy of `latent` with one code's columns set to `value`, (code.width,) or (N, code.width)."""
        columns = self.split(torch.arange(self.width).unsqueeze(0))[name][0]
        copy = latent.clone()
        copy[:, columns] = value.to(copy)
        return copy


def _code(name: str, code: CodeConfig, config: ModelConfig) -> Code:
    lambda_ = config.lambda_of(code)
    lambda_posterior = (lambda_ or 1.0) if config.lambda_posterior is None else config.lambda_posterior
    if code.kind == "categorical":
        return Categorical(name, code.classes, lambda_, lambda_posterior)
    sigma = None if code.sigma == "learned" else code.sigma
    return Uniform(name, code.low, code.high, sigma, lambda_, lambda_posterior)


def _split(rows: Tensor, codes: Sequence[Code], widths: list[int]) -> dict[str, Tensor]:
    parts = rows[:, : sum(widths)].split(widths, dim=1)
    return {code.name: part for code, part in zip(codes, parts, strict=True)}


def _generator(seed: int, stream: str, iteration: int, part: int) -> np.random.Generator:
    key = np.random.SeedSequence((seed, zlib.crc32(stream.encode()), iteration, part))
    return np.random.Generator(np.random.Philox(key))
