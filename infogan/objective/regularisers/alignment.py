"""Alignment on real images: Q reads the same angle from an image and from its transform, the opposite one from its
mirror image, and uses the whole turn."""

import math

import torch
from torch import Tensor

from infogan.codes.domain import Circle, Interval
from infogan.codes.draws import Draws
from infogan.codes.latents import Latents
from infogan.config.regularisers import AlignmentSection
from infogan.errors import ConfigError
from infogan.objective.across_ranks import over_all_ranks
from infogan.objective.play import Play
from infogan.objective.terms import Term, Terms, Weight
from infogan.objective.transforms import numbers, transformed


class Alignment:
    """E cos(θ(x) - θ(T x)) is maximised, θ(x) being the angle that Q reads from a real image x and T its transform;
    where T also mirrors, E cos(θ(x) + θ(T x)): most objects are their own mirror image, which shows them turned the
    other way. An angle that is always the same would do; so the angles of all images and transforms are spread over the
    turn, by the first two moments of their distribution, |E exp(iθ)|² + |E exp(2iθ)|², which are minimised
    (alignment and uniformity, Wang and Isola 2020, on the circle). Expectations are over the images of all devices.

    For a code on an interval what training drew is taken for the whole turn, as the rotation score takes it.
    """

    phase = "discriminator"
    further_images = 0
    differentiates_real = differentiates_fake = False
    parts = None

    def __init__(self, name: str, section: AlignmentSection) -> None:
        self.name, self.section = name, section
        self._numbers = numbers(section.transforms)

    @classmethod
    def from_section(cls, name: str, section: AlignmentSection, latents: Latents) -> "Alignment":
        """Raises ConfigError where the model has no such code, or the code is no angle or number."""
        angles = [code.name for code in latents.codes if isinstance(code.domain, Circle | Interval)]
        if section.code not in angles:
            allowed = ", ".join(angles) if angles else "none: the model has no code that is an angle or a number"
            raise ConfigError(
                f"model.regularisers.{name}.code={section.code}: can be {allowed}; "
                f"~model.regularisers.{name} leaves it out"
            )
        return cls(name, section)

    def draws(self, seed: int, iteration: int, positions: range) -> Tensor | None:
        """(len(positions), numbers of the transforms) in [0, 1); None without transforms."""
        if not self._numbers:
            return None
        return Draws(self._numbers, 0, "uniform").draw(seed, f"regulariser {self.name}", iteration, positions)

    def terms(self, play: Play, weight: Weight) -> Terms:
        """The mean cosine, from -1 to 1, and the squared moments, from 0 to 2."""
        views = play.real
        if self._numbers:
            u = play.inputs[f"{self.name}/draws"]
            views = transformed(views, u, self.section.transforms, play.value_range)
        if self.section.mirrored:
            views = views.flip(3)
        angle, of_view = (self._angles(play, each) for each in (play.real_features, play.discriminator.trunk(views)))
        aligned = torch.cos(angle + of_view if self.section.mirrored else angle - of_view).mean()
        spread = over_all_ranks(moments(torch.cat([angle, of_view]))).square().sum()
        name = f"regulariser/{self.name}/{self.section.code}"
        return {
            name: Term(over_all_ranks(aligned), weight, maximised=True, unit="1"),
            f"{name}/moments": Term(spread, weight, unit="1"),
        }

    def _angles(self, play: Play, features: Tensor) -> Tensor:
        """(N,) radians."""
        code = play.latents.code(self.section.code)
        unit = code.unit(code.values(code.mean(play.posteriors(features)[code.name])))
        assert unit is not None  # as of every circle and interval
        return math.pi * unit[:, 0]


def moments(angles: Tensor) -> Tensor:
    """E exp(iθ) and E exp(2iθ), the first two Fourier coefficients of the angles' density: (N,) radians → (4,), the
    real and the imaginary part of each. All 0 where the angles are uniform on the turn."""
    twice = torch.stack([angles, 2 * angles])
    return torch.cat([twice.cos().mean(dim=1), twice.sin().mean(dim=1)])
