"""The adversarial game: a pair of pure functions on logits for each name."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F


def non_saturating_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), the discriminator's side of equation (1) of Chen et al. 2016, on logits: (N,),
    (M,) → scalar, in nats."""
    return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    """-E log D(G(z)), the non-saturating form of the generator's side of equation (1): (N,) logits → scalar, in
    nats."""
    return F.softplus(-fake_logits.float()).mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) on logits (Lim and Ye 2017, Miyato et al. 2018, equation 16): (N,),
    (M,) → scalar from 0, in units of the logit. An image on the right side of the margin of 1 moves nothing."""
    return F.relu(1 - real_logits.float()).mean() + F.relu(1 + fake_logits.float()).mean()


def hinge_generator(fake_logits: Tensor) -> Tensor:
    """-E D(G(z)) on logits (Miyato et al. 2018, equation 17): (N,) → scalar of either sign, in units of the logit."""
    return -fake_logits.float().mean()


def relativistic_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(-(D(x) - D(G(z)))) on logits (Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2): (N,), (N,) →
    scalar, in nats; ln 2 where D tells none apart.

    Image i is compared with image i: the pairs are as random as the batch. A number added to all logits changes
    nothing, so that the means of sigmoid(D), which are logged, only mean something beside each other.
    """
    return F.softplus(fake_logits.float() - real_logits.float()).mean()


def relativistic_generator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(-(D(G(z)) - D(x))), the same with the sides changed, which is non-saturating: (N,), (N,) → scalar, in
    nats."""
    return F.softplus(real_logits.float() - fake_logits.float()).mean()


@dataclass(frozen=True)
class Game:
    """The losses of D, from logits of real and of generated images, and of G.

    `generator` takes the logits of the generated images; where G `compares`, those of as many real images and then
    these: D reads the real images in the G phase as well, without gradients, and only for such a game.
    `unit`: of both losses.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    compares: bool = False
    unit: str = "nats"


GAMES = {
    "non_saturating": Game(non_saturating_discriminator, non_saturating_generator),
    "hinge": Game(hinge_discriminator, hinge_generator, unit="logit"),
    "relativistic": Game(relativistic_discriminator, relativistic_generator, compares=True),
}
"""By the names that `model.adversarial` takes."""
