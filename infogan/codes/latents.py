"""What goes into the generator: named codes and noise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType
from typing import Literal, Self

import torch
from torch import Tensor

from infogan.codes.build import build_code
from infogan.codes.code import Code
from infogan.codes.domain import Choice
from infogan.codes.draws import Draws
from infogan.codes.selection import Selection
from infogan.config.model import ModelConfig
from infogan.errors import ConfigError

Selected = Mapping[str, Selection]
"""Selections by the names of codes."""

NONE_SELECTED: Selected = MappingProxyType({})


@dataclass(frozen=True)
class Latents:
    """The generator's input: the codes in their order, then `noise` incompressible dimensions z."""

    codes: tuple[Code, ...]
    noise: int
    noise_distribution: Literal["uniform", "normal"]

    @classmethod
    def from_config(cls, config: ModelConfig) -> Self:
        """The codes in the order of the configuration, and the noise."""
        codes = tuple(build_code(name, section) for name, section in config.codes.items())
        return cls(codes, config.noise, config.noise_distribution)

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

    @property
    def noise_reach(self) -> float:
        """The largest absolute value that a dimension of the noise is drawn with."""
        return 1.0 if self.noise_distribution == "uniform" else math.inf

    @cached_property
    def draws(self) -> Draws:
        """How a row is drawn."""
        return Draws(sum(code.uniforms for code in self.codes), self.noise, self.noise_distribution)

    @property
    def entropies(self) -> dict[str, float]:
        """H(c) of each code in nats, by name."""
        return {code.name: float(code.entropy) for code in self.codes}

    def code(self, name: str) -> Code:
        """The code of that name; KeyError where there is none."""
        return {code.name: code for code in self.codes}[name]

    def code_for_classes(self, count: int) -> Code | None:
        """The first code that is a choice of as many categories as there are classes: each category can then be matched
        to one class."""
        return next((code for code in self.codes if isinstance(code.domain, Choice) and code.groups == count), None)

    def selections(self, given: Mapping[str, object]) -> dict[str, Selection]:
        """The values of `codes.<name>=…` by name. Raises ConfigError for a code or a value that does not exist."""
        names = [code.name for code in self.codes]
        selected = {}
        for name, value in given.items():
            if name not in names:
                raise ConfigError(f"codes.{name}: there is no such code; the model has {', '.join(names)}")
            try:
                selected[name] = self.code(name).domain.selection(value)
            except ValueError as error:
                written = str(value).replace(" ", "") if isinstance(value, list) else str(value)
                raise ConfigError(f"codes.{name}={written}: {error}") from None
        return selected

    def sample(
        self, seed: int, stream: str, iteration: int, positions: range, selected: Selected = NONE_SELECTED
    ) -> Tensor:
        """Codes and noise, (len(positions), width) float32 on the CPU: `assemble` of what is drawn. A code of
        `selected` takes its value from there; the others, and the noise, are what they are without."""
        return self.assemble(self.draws.draw(seed, stream, iteration, positions), selected)

    def assemble(self, draws: Tensor, selected: Selected = NONE_SELECTED) -> Tensor:
        """What was drawn, (N, draws.width), as codes and noise: (N, width), on its device."""
        *parts, z = draws.split([*(code.uniforms for code in self.codes), self.noise], dim=1)
        rows = [
            code.rows(selected[code.name].values(u[:, : len(code.domain.parts)])).to(draws)
            if code.name in selected
            else code.sample(u)
            for code, u in zip(self.codes, parts, strict=True)
        ]
        return torch.cat([*rows, z], dim=1)

    def traversal(self, name: str, points: int) -> tuple[Tensor, list[str]]:
        """The rows of a code over its domain, (steps, code.width), and how each value is written."""
        code = self.code(name)
        values, labels = code.domain.traversal(points)
        return code.rows(values), labels

    def walk(self, name: str, steps: int) -> Tensor:
        """The rows of a code along a walk through its domain, (steps, code.width)."""
        code = self.code(name)
        walk = code.domain.walk(steps)
        return (1 - walk.share) * code.rows(walk.before) + walk.share * code.rows(walk.after)

    def values(self, latent: Tensor) -> Tensor:
        """The codes of each row as people call them, a category by its number: (N, ≥ codes_width) → (N, all parts)."""
        rows = self.split(latent)
        return torch.cat([code.values(rows[code.name]).float() for code in self.codes], dim=1)

    @property
    def value_names(self) -> list[str]:
        """The names of the columns of `values`: c1, c2; of a code of several parts c3_1, c3_2."""
        return [
            code.name if len(code.domain.parts) == 1 else f"{code.name}_{k}"
            for code in self.codes
            for k in range(1, len(code.domain.parts) + 1)
        ]

    def split(self, latent: Tensor) -> dict[str, Tensor]:
        """(N, ≥ codes_width) → each code's (N, code.width) columns, by name."""
        return _split(latent, self.codes, [code.width for code in self.codes])

    def split_posterior(self, q: Tensor) -> dict[str, Tensor]:
        """Q's output, (N, outputs) → each code's (N, code.outputs) columns, by name."""
        return _split(q, self.codes, [code.outputs for code in self.codes])

    def log_likelihoods(self, latent: Tensor, q: Tensor) -> dict[str, Tensor]:
        """log Q(c|x) of every row in nats, by name: the latents that made the images and Q's output → (N,) each."""
        rows, parameters = self.split(latent), self.split_posterior(q)
        return {code.name: code.log_likelihood(rows[code.name], parameters[code.name]) for code in self.codes}

    def posterior_mean(self, q: Tensor) -> Tensor:
        """The codes as Q reads them, (N, outputs) → (N, codes_width), in the columns of the generator's input."""
        parameters = self.split_posterior(q)
        return torch.cat([code.mean(parameters[code.name]) for code in self.codes], dim=1)

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """Q's output, (N, outputs) → the parameters of Q(c|x) of every code by name: see `parameters` of each kind."""
        parts = self.split_posterior(q)
        return {name: value for code in self.codes for name, value in code.parameters(parts[code.name]).items()}

    def replaced(self, latent: Tensor, name: str, rows: Tensor) -> Tensor:
        """A copy of `latent` with one code's columns set to `rows`, (code.width,) or (N, code.width)."""
        first, end = self.columns[name]
        copy = latent.clone()
        copy[:, first:end] = rows.to(copy)
        return copy


def categories_in_turn(latents: Latents, count: int) -> dict[str, Tensor]:
    """For each code that is a choice of categories the rows of 0, 1, 2 … and from the first again, (count, width)."""
    choices = {code: code.domain for code in latents.codes if isinstance(code.domain, Choice)}
    return {code.name: code.rows((torch.arange(count) % domain.count).unsqueeze(1)) for code, domain in choices.items()}


def _split(rows: Tensor, codes: Sequence[Code], widths: list[int]) -> dict[str, Tensor]:
    parts = rows[:, : sum(widths)].split(widths, dim=1)
    return {code.name: part for code, part in zip(codes, parts, strict=True)}
