"""R1: the gradient of D at real images is kept small."""

import torch
from torch import Tensor

from infogan.codes.latents import Latents
from infogan.config.regularisers import R1Section
from infogan.objective.play import Play
from infogan.objective.terms import Term, Terms, Weight


class R1:
    """½ γ E|∇ₓ D(x)|² over the real images of the game (Mescheder et al. 2018, equation 9), D being the logit.

    With batch norm in D the logit of one image depends on the others of its batch: the gradient is then that of the sum
    of all logits. Over several devices batch norm is synchronised, and PyTorch cannot derive that twice: refused.
    """

    phase = "discriminator"
    further_images = 0
    differentiates_real = True
    parts = None

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def from_section(cls, name: str, section: R1Section, latents: Latents) -> "R1":
        return cls(name)

    def draws(self, seed: int, iteration: int, positions: range) -> None:
        """None."""

    def terms(self, play: Play, weight: Weight) -> Terms:
        """One term: squared logits by squared pixels, in the range of the networks' images."""
        penalty = squared_gradient(play.real_logits, play.real)
        return {f"regulariser/{self.name}": Term(penalty, 0.5 * weight, unit="1 / pixel²")}


def squared_gradient(logits: Tensor, images: Tensor) -> Tensor:
    """E|∇ₓ D(x)|²: (N,) logits of (N, C, H, W) images that ask for gradients → scalar, which can be derived again."""
    (gradient,) = torch.autograd.grad(logits.float().sum(), images, create_graph=True)
    return gradient.float().square().flatten(1).sum(dim=1).mean()
