"""What goes into the generator: named codes and noise.

The object that samples a code also scores it under Q, knows its entropy, traverses it and labels its values:
a new kind of code is a new class here, and its keys in config.py.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from infogan.config import CodeConfig, ModelConfig
from infogan.errors import ConfigError

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
                f"codes.{self.name}={_given(given)}: must be a category from 0 to {self.classes - 1}, or a list of "
                "different ones, such as [0,1]"
            )
        return Categories(self, tuple(chosen))


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
        return values.unsqueeze(1), [_signed(value, 2) for value in values.tolist()]

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
                f"codes.{self.name}={_given(given)}: must be a number such as 1.5, or an interval such as -2:2"
            )
        return Interval(self, start, end)


Code = Categorical | Uniform


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
        return values.unsqueeze(1), [_signed(value, 3) for value in values.tolist()]


Choice = Categories | Interval
"""A code's value, or where to draw it from, as `codes.<name>=…` names it."""


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
    def columns(self) -> dict[str, tuple[int, int]]:
        """Where each code lies in the generator's input, by name: its first column, and the one after its last."""
        ends = list(accumulate(code.width for code in self.codes))
        return {code.name: (end - code.width, end) for code, end in zip(self.codes, ends, strict=True)}

    @property
    def outputs(self) -> int:
        """Columns of Q's output."""
        return sum(code.outputs for code in self.codes)

    def code(self, name: str) -> Code:
        """The code of that name; KeyError where there is none."""
        return {code.name: code for code in self.codes}[name]

    @property
    def noise_reach(self) -> float:
        """The largest absolute value that a dimension of the noise is drawn with."""
        return 1.0 if self.noise_distribution == "uniform" else math.inf

    def choices(self, given: Mapping[str, object]) -> dict[str, Choice]:
        """The values of `codes.<name>=…` by name. Raises ConfigError for a code or a value that does not exist."""
        names = [code.name for code in self.codes]
        for name in given:
            if name not in names:
                raise ConfigError(f"codes.{name}: there is no such code; the model has {', '.join(names)}")
        return {name: self.code(name).choice(value) for name, value in given.items()}

    def sample(
        self,
        seed: int,
        stream: str,
        iteration: int,
        positions: range,
        choices: Mapping[str, Choice] = MappingProxyType({}),
    ) -> Tensor:
        """Codes and noise, (len(positions), width) float32 on the CPU. A code of `choices` takes its value from there;
        the others, and the noise, are what they are without.

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
        columns = [choices.get(code.name, code).from_uniform(u[:, j]) for j, code in enumerate(self.codes)]
        return torch.cat([*columns, z], dim=1)

    def numbers(self, latent: Tensor) -> Tensor:
        """The codes of each row as numbers, a category by its index: (N, ≥ codes_width) → (N, codes) float32."""
        rows = self.split(latent)
        return torch.stack([code.numbers(rows[code.name]).float() for code in self.codes], dim=1)

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

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Q's output, (N, outputs) → the parameters of Q(c|x) of every code by name: see `parameters` of each kind."""
        parts = self.split_posterior(q)
        return {name: value for code in self.codes for name, value in code.parameters(parts[code.name]).items()}

    def replaced(self, latent: Tensor, name: str, value: Tensor) -> Tensor:
        """A copy of `latent` with one code's columns set to `value`, (code.width,) or (N, code.width)."""
        first, end = self.columns[name]
        copy = latent.clone()
        copy[:, first:end] = value.to(copy)
        return copy


def _code(name: str, code: CodeConfig, config: ModelConfig) -> Code:
    lambda_ = config.lambda_of(code)
    lambda_posterior = (lambda_ or 1.0) if config.lambda_posterior is None else config.lambda_posterior
    if code.kind == "categorical":
        return Categorical(name, code.classes, lambda_, lambda_posterior)
    sigma = None if code.sigma == "learned" else code.sigma
    return Uniform(name, code.low, code.high, sigma, lambda_, lambda_posterior)


def _signed(value: float, digits: int) -> str:
    return f"{round(value, 6):+.{digits}g}" if abs(value) > 1e-6 else "0"


def _given(value: object) -> str:
    """As it was written on the command line."""
    return str(value).replace(" ", "") if isinstance(value, list) else str(value)


def _split(rows: Tensor, codes: Sequence[Code], widths: list[int]) -> dict[str, Tensor]:
    parts = rows[:, : sum(widths)].split(widths, dim=1)
    return {code.name: part for code, part in zip(codes, parts, strict=True)}


def _generator(seed: int, stream: str, iteration: int, part: int) -> np.random.Generator:
    key = np.random.SeedSequence((seed, zlib.crc32(stream.encode()), iteration, part))
    return np.random.Generator(np.random.Philox(key))
