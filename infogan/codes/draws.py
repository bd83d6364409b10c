"""What the host draws: uniform numbers for the codes, and noise. The device makes codes of them.

A pure function of (seed, stream, iteration, position), so that a resumed run, and each of several devices, draws what
one uninterrupted process would have drawn.
"""

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

BLOCK = 8
"""Numbers of 32 bits that one step of the counter of Philox gives: from there on it can start without those before."""


@dataclass(frozen=True)
class Draws:
    """How `uniforms` numbers in [0, 1) and then `noise` dimensions z are drawn for each row."""

    uniforms: int
    noise: int
    noise_distribution: Literal["uniform", "normal"]

    @property
    def width(self) -> int:
        """Columns of what is drawn."""
        return self.uniforms + self.noise

    def draw(self, seed: int, stream: str, iteration: int, positions: range) -> Tensor:
        """(len(positions), width) float32 on the CPU: row p is the same in a batch of any size and on any rank.
        `positions`: consecutive. `stream` keeps training, figures and scores apart.

        Only these rows are drawn; of normal noise, whose numbers take differently many bits each, also those before.
        """
        u = _uniform(_generator(seed, stream, iteration, 0), positions, self.uniforms)
        generator = _generator(seed, stream, iteration, 1)
        if self.noise_distribution == "uniform":
            z = 2 * _uniform(generator, positions, self.noise) - 1
        else:
            z = generator.standard_normal((positions.stop, self.noise), dtype=np.float32)[positions.start :]
        return torch.cat([torch.from_numpy(u), torch.from_numpy(z)], dim=1)


def _uniform(generator: np.random.Generator, positions: range, columns: int) -> np.ndarray:
    """The rows `positions` of (rows, columns) numbers in [0, 1) that the generator would draw from its start."""
    skipped, first = divmod(positions.start * columns, BLOCK)
    generator.bit_generator.advance(skipped)  # type: ignore[attr-defined]
    drawn = generator.random(first + len(positions) * columns, dtype=np.float32)
    return drawn[first:].reshape(len(positions), columns)


def _generator(seed: int, stream: str, iteration: int, part: int) -> np.random.Generator:
    key = np.random.SeedSequence((seed, zlib.crc32(stream.encode()), iteration, part))
    return np.random.Generator(np.random.Philox(key))
