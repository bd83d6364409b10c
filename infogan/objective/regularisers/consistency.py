"""Consistency on real images: Q reads the same group from an image and from its transform, and uses all groups."""

from torch import Tensor

from infogan.codes.draws import Draws
from infogan.codes.latents import Latents
from infogan.config.regularisers import ConsistencySection
from infogan.errors import ConfigError
from infogan.objective.across_ranks import over_all_ranks
from infogan.objective.information import entropy, information_of_joint, joint_of_pairs
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
        """The information, and where `marginals` is not 1 the entropies of the groups of both views, in nats."""
        images, u, transforms = self._images(play), play.inputs[f"{self.name}/draws"], self.section.transforms
        ranges = transforms.rotation, transforms.scale, transforms.shear, transforms.shift
        first = self._probabilities(play, self._features(play))
        second = self._probabilities(play, play.discriminator.trunk(affine(images, u, *ranges)))
        joint = over_all_ranks(joint_of_pairs(first, second))
        terms = {f"regulariser/{self.name}": Term(information_of_joint(joint), weight, maximised=True)}
        if (more := self.section.marginals - 1) != 0:
            marginals = entropy(joint.sum(dim=0)) + entropy(joint.sum(dim=1))
            terms[f"regulariser/{self.name}/marginals"] = Term(marginals, more * weight, maximised=True)
        return terms

    def _images(self, play: Play) -> Tensor:
        return play.inputs[f"{self.name}/images"] if self.further_images else play.real

    def _features(self, play: Play) -> Tensor:
        return play.discriminator.trunk(self._images(play)) if self.further_images else play.real_features

    def _probabilities(self, play: Play, features: Tensor) -> Tensor:
        q = play.latents.split_posterior(play.discriminator.posterior(features))[self.section.code]
        probabilities = play.latents.code(self.section.code).probabilities(q)
        assert probabilities is not None
        return probabilities
