"""The adversarial game: a pair of pure functions on logits for each name. All values are in nats."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F


def non_saturating_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), the discriminator's side of equation (1) of Chen et al. 2016, on logits: (N,),
    (M,) → scalar."""
    return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    """-E log D(G(z)), the non-saturating form of the generator's side of equation (1): (N,) logits → scalar."""
    return F.softplus(-fake_logits.float()).mean()


@dataclass(frozen=True)
class Game:
    """The losses of D, from logits of real and of generated images, and of G, from those of generated images."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


GAMES = {"non_saturating": Game(non_saturating_discriminator, non_saturating_generator)}
"""By the names that `model.adversarial` takes."""
