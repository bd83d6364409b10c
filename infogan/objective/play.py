"""What one phase of an iteration computes: each quantity once, when it is first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from torch import Tensor

from infogan.codes.latents import Latents

GAME = "game"
"""The name of the game's own real images among those of an iteration; a regulariser's have its name."""


class Judge(Protocol):
    """A discriminator as a play asks it: trunk, and on the features that it gives D's head and Q's."""

    def trunk(self, images: Tensor) -> Tensor:
        """(N, C, H, W) images → features."""

    def head(self, features: Tensor) -> Tensor:
        """Features → (N,) logits of D."""

    def posterior(self, features: Tensor) -> Tensor:
        """Features → (N, outputs), the parameters of Q."""


@dataclass(frozen=True)
class Play:
    """A phase of the game. Nothing is computed before it is asked for.

    `latent`, (N, width), made `fake`, (N, C, H, W): detached in the D phase. `real`: as many real images. `inputs`:
    what regularisers were given for this iteration, by name: see `Regulariser`. `posterior_apart`: Q reads features
    that the information term does not change. `value_range`: of all images.
    """

    discriminator: Judge
    latents: Latents
    latent: Tensor
    real: Tensor
    fake: Tensor
    value_range: tuple[float, float]
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    posterior_apart: bool = False

    @cached_property
    def real_features(self) -> Tensor:
        return self.discriminator.trunk(self.real)

    @cached_property
    def real_logits(self) -> Tensor:
        """(N,)."""
        return self.discriminator.head(self.real_features)

    @cached_property
    def fake_features(self) -> Tensor:
        return self.discriminator.trunk(self.fake)

    @cached_property
    def fake_logits(self) -> Tensor:
        """(N,)."""
        return self.discriminator.head(self.fake_features)

    @cached_property
    def q(self) -> Tensor:
        """What Q reads from the generated images, (N, outputs)."""
        features = self.fake_features
        return self.discriminator.posterior(features.detach() if self.posterior_apart else features)

    def posteriors(self, features: Tensor) -> dict[str, Tensor]:
        """What Q reads from the features of other images than the generated ones: (M, …) → (M, code.outputs) each."""
        return self.latents.split_posterior(self.discriminator.posterior(features))
