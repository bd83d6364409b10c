"""What one phase of an iteration computes: each quantity once, when it is first asked for."""

from collections.abc import Callable, Mapping
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


Change = Callable[[Tensor, Tensor], Tensor]
"""Images and the numbers of their changes, a row an image → changed images."""


@dataclass(frozen=True)
class Play:
    """A phase of the game. Nothing is computed before it is asked for.

    `latent`, (N, width), made `fake`, (N, C, H, W): detached in the D phase. `real`: as many real images. `inputs`:
    what regularisers were given for this iteration, by name: see `Regulariser`. `posterior_apart`: Q reads features
    that the information term does not change. `value_range`: of all images. `augment` changes what D's head is shown,
    by the numbers `augment_real` and `augment_fake` of `inputs`; `posterior_augmented`: and what Q reads.
    """

    discriminator: Judge
    latents: Latents
    latent: Tensor
    real: Tensor
    fake: Tensor
    value_range: tuple[float, float]
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    posterior_apart: bool = False
    augment: Change | None = None
    posterior_augmented: bool = False

    @cached_property
    def judged_real(self) -> Tensor:
        """The real images as D's head is shown them."""
        return self.real if self.augment is None else self.augment(self.real, self.inputs["augment_real"])

    @cached_property
    def judged_fake(self) -> Tensor:
        """The generated images as D's head is shown them, in the precision of the real ones where they are changed."""
        if self.augment is None:
            return self.fake
        return self.augment(self.fake.to(self.real.dtype), self.inputs["augment_fake"])

    @cached_property
    def real_features(self) -> Tensor:
        """Of the images as they are, whatever D's head is shown."""
        return self.discriminator.trunk(self.real)

    @cached_property
    def real_logits(self) -> Tensor:
        """(N,)."""
        features = self.real_features if self.augment is None else self.discriminator.trunk(self.judged_real)
        return self.discriminator.head(features)

    @cached_property
    def fake_features(self) -> Tensor:
        """Likewise."""
        return self.discriminator.trunk(self.fake)

    @cached_property
    def _judged_fake_features(self) -> Tensor:
        return self.fake_features if self.augment is None else self.discriminator.trunk(self.judged_fake)

    @cached_property
    def fake_logits(self) -> Tensor:
        """(N,)."""
        return self.discriminator.head(self._judged_fake_features)

    @cached_property
    def q(self) -> Tensor:
        """What Q reads from the generated images, (N, outputs).

        D and Q share the trunk. Where D's head is shown changed images, Q reads the images as they are: one more pass
        through the trunk a phase, and no code is lost that the changes would hide, such as light. Or, with
        `posterior_augmented`, the changed ones: no pass more, and L_I is of codes that survive the changes. It bounds
        I(c; G(z, c)) all the same, since a change that knows nothing of c tells nothing of c.
        """
        features = self._judged_fake_features if self.posterior_augmented else self.fake_features
        return self.discriminator.posterior(features.detach() if self.posterior_apart else features)

    def posteriors(self, features: Tensor) -> dict[str, Tensor]:
        """What Q reads from the features of other images than the generated ones: (M, …) → (M, code.outputs) each."""
        return self.latents.split_posterior(self.discriminator.posterior(features))
