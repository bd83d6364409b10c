"""Consistency on real images: Q reads the same group from an image and from its transform, and uses all groups."""

from torch import Tensor

from infogan.codes.draws import Draws
from infogan.codes.latents import Latents
from infogan.config.regularisers import ConsistencySection
from infogan.errors import ConfigError
from infogan.objective.across_ranks import over_all_ranks
from infogan.objective.information import information_of_joint, joint_of_pairs
from infogan.objective.play import Play
from infogan.objective.terms import Term, Terms, Weight
from infogan.objective.transforms import AFFINE, affine


class Consistency:
    """The mutual information of Q's groups on real images x and on their transforms T(x), to be maximised (invariant
    information clustering, Ji et al. 2019): I(q(x), q(T x)) = Σ P ln(P / (P_i P_j)), P the symmetric mean of
    q(x) q(T x)ᵀ over all images of all devices. At most ln K nats, where each image has one group, the same as its
    transform's, and the groups are equally large.
    """

    phase = "discriminator"
    differentiates_real = False
    parts = None

    def __init__(self, name: str, section: ConsistencySection) -> None:
        self.name, self.section = name, section
        self.further_images = section.images
        self._draws = Draws(AFFINE, 0, "uniform")

    @classmethod
    def from_section(cls, name: str, section: ConsistencySection, latents: Latents) -> "Consistency":
        """Raises ConfigError where the model has no such code, or the code no groups."""
        grouping = [code.name for code in latents.codes if code.groups is not None]
        if section.code not in grouping:
            allowed = f"one of {', '.join(grouping)}" if grouping else "none: the model has no code with groups"
            raise ConfigError(f"model.regularisers.{name}.code={section.code}: can be {allowed}")
        return cls(name, section)

    def draws(self, seed: int, iteration: int, positions: range) -> Tensor:
        """(len(positions), AFFINE) in [0, 1)."""
        return self._draws.draw(seed, f"regulariser {self.name}", iteration, positions)

    def terms(self, play: Play, weight: Weight) -> Terms:
        """One term, in nats."""
        images, u = play.inputs[f"{self.name}/images"], play.inputs[f"{self.name}/draws"]
        ranges = self.section.rotation, self.section.scale, self.section.shear, self.section.shift
        views = (images, affine(images, u, *ranges))
        first, second = (self._probabilities(play, view) for view in views)
        information = information_of_joint(over_all_ranks(joint_of_pairs(first, second)))
        return {f"regulariser/{self.name}": Term(information, weight, maximised=True)}

    def _probabilities(self, play: Play, images: Tensor) -> Tensor:
        probabilities = play.latents.code(self.section.code).probabilities(play.posterior(images, self.section.code))
        assert probabilities is not None
        return probabilities
