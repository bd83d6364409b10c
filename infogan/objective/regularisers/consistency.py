"""Consistency on real images: Q reads the same group from an image and from its transform, and uses all groups."""

from itertools import combinations

import torch
from torch import Tensor

from infogan.codes.draws import Draws
from infogan.codes.latents import Latents
from infogan.config.regularisers import ConsistencySection
from infogan.errors import ConfigError
from infogan.objective.across_ranks import over_all_ranks
from infogan.objective.information import entropy, information_of_joint, joint_of_pairs
from infogan.objective.play import Play
from infogan.objective.terms import Term, Terms, Weight
from infogan.objective.transforms import numbers, transformed
from infogan.run_folder.metrics import AGREEMENT, RAREST, REAL_INFORMATION, REGULARISER, SHARED


class Consistency:
    """The mutual information of Q's groups on real images x and on their transforms T(x), to be maximised (invariant
    information clustering, Ji et al. 2019, equations 2 and 3): I(q(x), q(T x)) = Σ P ln(P / (P_i P_j)), P the symmetric
    mean of q(x) q(T x)ᵀ over all images of all devices. At most ln K nats, where each image has one group, the same as
    its transform's, and the groups are equally large.

    I = H(P_i) + H(P_j) - H(P): `marginals` above 1 weighs the first two more, as their code does, so that no group is
    left empty. Of two codes I(q_a(x), q_b(x)) is minimised with the weight `apart`: left alone they would find the same
    groups, where the game draws them independently of each other.
    """

    phase = "discriminator"
    differentiates_real = differentiates_fake = False
    parts = None

    def __init__(self, name: str, section: ConsistencySection) -> None:
        self.name, self.section = name, section
        self.further_images = section.images
        self._draws = Draws(numbers(section.transforms), 0, "uniform")

    @classmethod
    def from_section(cls, name: str, section: ConsistencySection, latents: Latents) -> "Consistency":
        """Raises ConfigError where the model has no such code, or the code no groups."""
        grouping = [code.name for code in latents.codes if code.groups is not None]
        allowed = f"of {', '.join(grouping)}, each once" if grouping else "none: the model has no code with groups"
        for code in section.codes:
            if code not in grouping or section.codes.count(code) > 1:
                raise ConfigError(
                    f"model.regularisers.{name}.codes={section.codes}: can be {allowed}; "
                    f"~model.regularisers.{name} leaves it out"
                )
        return cls(name, section)

    def draws(self, seed: int, iteration: int, positions: range) -> Tensor:
        """(len(positions), numbers of the transforms) in [0, 1)."""
        return self._draws.draw(seed, f"regulariser {self.name}", iteration, positions)

    def terms(self, play: Play, weight: Weight) -> Terms:
        """In nats, by code: the information, and what belongs to it. For the log alone: which share of the images has
        one group with its transform (`agreement`), and the rarest group as a share of an even one's (`rarest`)."""
        images = play.inputs[f"{self.name}/images"] if self.further_images else play.real
        features = play.discriminator.trunk(images) if self.further_images else play.real_features
        u = play.inputs[f"{self.name}/draws"]
        views = transformed(images, u, self.section.transforms, play.value_range)
        first = self._probabilities(play, features)
        second = self._probabilities(play, play.discriminator.trunk(views))
        terms: Terms = {}
        for code in self.section.codes:
            terms |= self._of_code(f"{REGULARISER}{self.name}/{code}", first[code], second[code], weight)
        for a, b in combinations(self.section.codes, 2):
            shared = information_of_joint(over_all_ranks(first[a].T @ first[b] / len(images)))
            terms[f"{REGULARISER}{self.name}/{a}_{b}{SHARED}"] = Term(shared, self.section.apart * weight)
        return terms

    def _of_code(self, name: str, first: Tensor, second: Tensor, weight: Weight) -> Terms:
        joint = over_all_ranks(joint_of_pairs(first, second))
        terms = {f"{name}{REAL_INFORMATION}": Term(information_of_joint(joint), weight, maximised=True)}
        if (more := self.section.marginals - 1) != 0:
            marginals = entropy(joint.sum(dim=0)) + entropy(joint.sum(dim=1))
            terms[f"{name}/marginals"] = Term(marginals, more * weight, maximised=True)
        with torch.no_grad():
            same = (first.argmax(dim=1) == second.argmax(dim=1)).float().mean()
            rarest = joint.sum(dim=0).min() * len(joint)
        terms[f"{name}{AGREEMENT}"] = Term(over_all_ranks(same), 0.0, unit="1")
        terms[f"{name}{RAREST}"] = Term(rarest, 0.0, unit="1")
        return terms

    def _probabilities(self, play: Play, features: Tensor) -> dict[str, Tensor]:
        q = play.posteriors(features)
        found = {code: play.latents.code(code).probabilities(q[code]) for code in self.section.codes}
        return {code: p for code, p in found.items() if p is not None}
