"""The adversarial game, as pure functions on logits. Numbers refer to Chen et al. 2016."""

from torch import Tensor
from torch.nn import functional as F


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), the discriminator's side of equation (1), on logits: (N,), (M,) → scalar."""
    return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-E log D(G(z)), the non-saturating form of the generator's side of equation (1): (N,) logits → scalar."""
    return F.softplus(-fake_logits.float()).mean()
