"""The objective of InfoGAN: the adversarial game, the information of the codes, and the regularisers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from infogan.codes.latents import Latents
from infogan.config.model import ModelConfig
from infogan.objective.adversarial import GAMES, Game
from infogan.objective.information import information_bound
from infogan.objective.play import Play
from infogan.objective.regularisers.build import build_regularisers
from infogan.objective.regularisers.regulariser import Phase, Regulariser
from infogan.objective.schedule import weight_at
from infogan.objective.terms import Term, Terms, Weight
from infogan.run_folder.metrics import INFORMATION

Schedule = float | list[list[float]]


@dataclass(frozen=True)
class Scheduled:
    """A regulariser, computed every `every`-th iteration with `every` times the weight that `schedule` gives."""

    regulariser: Regulariser
    schedule: Schedule
    every: int

    def is_due(self, iteration: int) -> bool:
        """In the first iteration, and in every `every`-th from there, where its weight is not 0."""
        return iteration % self.every == 0 and self.weight(iteration) != 0

    def weight(self, iteration: int) -> float:
        """Of the iteration."""
        return self.every * weight_at(self.schedule, iteration)


@dataclass(frozen=True)
class Objective:
    """min over G and Q, max over D of V(D, G) - Σ_j λ_j L_j(G, Q) (Chen et al. 2016, equation 6), as the authors' code
    does it, and the regularisers.

    D phase, on detached fakes: the game of D, and -Σ λ_j L_j, whose weights are `posterior_lambdas`.
    G phase, D and Q frozen: the game of G, and -Σ λ_j L_j, whose weights are `lambdas`; with `balance` its gradient at
    the images is scaled down to at most so many times the game's: see `balanced`.
    With `posterior_optimizer=generator` the information term leaves the D phase.
    """

    game: Game
    lambdas: Mapping[str, float]
    posterior_lambdas: Mapping[str, float]
    posterior_learns_with_d: bool
    trunk_learns_information: bool
    regularisers: Mapping[str, Scheduled]
    balance: float | None

    @classmethod
    def from_config(cls, config: ModelConfig, latents: Latents) -> Self:
        """Raises ConfigError where a regulariser does not fit the model."""
        built = build_regularisers(config, latents)
        sections = config.regularisers
        return cls(
            GAMES[config.adversarial],
            config.lambdas,
            config.posterior_lambdas,
            posterior_learns_with_d=config.posterior_optimizer != "generator",
            trunk_learns_information=config.posterior_optimizer == "discriminator",
            regularisers={name: Scheduled(built[name], sections[name].weight, sections[name].every) for name in built},
            balance=config.balance,
        )

    @property
    def is_balanced(self) -> bool:
        """Whether there is something to balance: without λ > 0 the information asks nothing of the images."""
        return self.balance is not None and any(weight > 0 for weight in self.lambdas.values())

    def due(self, iteration: int) -> tuple[str, ...]:
        """The regularisers of an iteration, counted from 0."""
        return tuple(name for name, each in self.regularisers.items() if each.is_due(iteration))

    def further_images(self, iteration: int) -> dict[str, int]:
        """How many real images each regulariser of the iteration wants beside the game's, over all devices, by name."""
        wanted = {name: self.regularisers[name].regulariser.further_images for name in self.due(iteration)}
        return {name: count for name, count in wanted.items() if count}

    def differentiates_real(self, due: tuple[str, ...]) -> bool:
        """Whether one of these regularisers derives by the game's real images."""
        return any(self.regularisers[name].regulariser.differentiates_real for name in due)

    def differentiates_fake(self, due: tuple[str, ...]) -> bool:
        """Whether one of them derives by the generated images of the D phase."""
        return any(self.regularisers[name].regulariser.differentiates_fake for name in due)

    def discriminator(self, play: Play, weights: Mapping[str, Weight]) -> Terms:
        """The terms of the D phase; `weights` of the regularisers that are due."""
        game = self.game.discriminator(play.real_logits, play.fake_logits)
        terms = {"game/discriminator": Term(game, unit=self.game.unit)}
        if self.posterior_learns_with_d:
            terms |= self._information(play, self.posterior_lambdas)
        return terms | self._regularised("discriminator", play, weights)

    def generator(self, play: Play, weights: Mapping[str, Weight]) -> Terms:
        """The terms of the G phase."""
        logits = (play.real_logits, play.fake_logits) if self.game.compares else (play.fake_logits,)
        terms = {"game/generator": Term(self.game.generator(*logits), unit=self.game.unit)}
        return terms | self._information(play, self.lambdas) | self._regularised("generator", play, weights)

    def _information(self, play: Play, lambdas: Mapping[str, float]) -> Terms:
        """L_I of each code, to be maximised."""
        bounds = information(play.latents, play.latent, play.q)
        return {f"{INFORMATION}{name}": Term(value, lambdas[name], maximised=True) for name, value in bounds.items()}

    def _regularised(self, phase: Phase, play: Play, weights: Mapping[str, Weight]) -> Terms:
        terms: dict[str, Term] = {}
        for name, weight in weights.items():
            regulariser = self.regularisers[name].regulariser
            if regulariser.phase == phase:
                terms |= regulariser.terms(play, weight)
        return terms


def information(latents: Latents, latent: Tensor, q: Tensor) -> dict[str, Tensor]:
    """L_I of each code in nats, by name: the latents that made the images, (N, width), and Q's output → scalars."""
    likelihoods = latents.log_likelihoods(latent, q)
    return {code.name: information_bound(likelihoods[code.name], code.entropy) for code in latents.codes}
