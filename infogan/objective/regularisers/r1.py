"""R1 and R2: the gradient of D at real images, or at generated ones, is kept small."""

from typing import Self

import torch
from torch import Tensor

from infogan.codes.latents import Latents
from infogan.config.regularisers import GradientPenaltySection
from infogan.objective.play import Play
from infogan.objective.terms import Term, Terms, Weight


class R1:
    """½ γ E|∇ₓ D(x)|² over the real images of the game (Mescheder et al. 2018, equation 9), D being the logit.

    The gradient is that at the images as D's head is shown them: with `model.augment` at the changed ones. With batch
    norm in D the logit of one image depends on the others of its batch: the gradient is then that of the sum of all
    logits. Over several devices batch norm is synchronised, and PyTorch cannot derive that twice: refused.
    """

    phase = "discriminator"
    further_images = 0
    differentiates_real, differentiates_fake = True, False
    parts = None

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def from_section(cls, name: str, section: GradientPenaltySection, latents: Latents) -> Self:
        return cls(name)

    def draws(self, seed: int, iteration: int, positions: range) -> None:
        """None."""

    def terms(self, play: Play, weight: Weight) -> Terms:
        """One term: squared logits by squared pixels, in the range of the networks' images."""
        penalty = squared_gradient(play.real_logits, play.judged_real)
        return {f"regulariser/{self.name}": Term(penalty, 0.5 * weight, unit="1 / pixel²")}


class R2(R1):
    """½ γ E|∇ₓ D(x)|² over the generated images (Mescheder et al. 2018, equation 10), otherwise as R1."""

    differentiates_real, differentiates_fake = False, True

    def terms(self, play: Play, weight: Weight) -> Terms:
        """One term, as R1's."""
        penalty = squared_gradient(play.fake_logits, play.judged_fake)
        return {f"regulariser/{self.name}": Term(penalty, 0.5 * weight, unit="1 / pixel²")}


def squared_gradient(logits: Tensor, images: Tensor) -> Tensor:
    """E|∇ₓ D(x)|²: (N,) logits of (N, C, H, W) images that ask for gradients → scalar, which can be derived again."""
    (gradient,) = torch.autograd.grad(logits.float().sum(), images, create_graph=True)
    return gradient.float().square().flatten(1).sum(dim=1).mean()
