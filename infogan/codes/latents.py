"""What goes into the generator: named codes and noise."""

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

from infogan.codes.categorical import Categorical, Categories
from infogan.codes.uniform import Interval, Uniform
from infogan.config.codes import CodeConfig
from infogan.config.model import ModelConfig
from infogan.errors import ConfigError

Code = Categorical | Uniform

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
            tuple(build_code(name, code, config) for name, code in config.codes.items()),
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


def build_code(name: str, code: CodeConfig, config: ModelConfig) -> Code:
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
