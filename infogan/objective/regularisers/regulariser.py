"""What every regulariser says of itself."""

from typing import Literal, Protocol, Self

from torch import Tensor, nn

from infogan.codes.latents import Latents
from infogan.config.regularisers import RegulariserSection
from infogan.objective.play import Play
from infogan.objective.terms import Terms, Weight

Phase = Literal["discriminator", "generator"]


class Regulariser(Protocol):
    """A term, or several, of one phase's loss.

    How often and how strong are in its section: every `every`-th iteration with `every` times its weight. What it is
    given for an iteration lies in `Play.inputs` under `<name>/images` and `<name>/draws`.
    """

    phase: Phase
    """Whose loss its terms join. What looks at real images belongs to the D phase."""

    further_images: int
    """How many real images it wants beside the game's, over all devices; drawn by the same rule. 0: none."""

    differentiates_real: bool
    """Whether it derives what D says of the game's real images by these images, as R1 does."""

    differentiates_fake: bool
    """Whether it does so with the generated images of the D phase, as R2 does."""

    parts: nn.Module | None
    """What learns of its own, such as a head: owned by the optimizer of its phase, kept in checkpoints, not
    exported."""

    @classmethod
    def from_section(cls, name: str, section: RegulariserSection, latents: Latents) -> Self:
        """The regulariser as it is configured. Raises ConfigError where it does not fit the model."""

    def draws(self, seed: int, iteration: int, positions: range) -> Tensor | None:
        """The random numbers of an iteration, on the CPU: a row for each of `positions` among the further images. A
        pure function of its arguments. None where it needs none."""

    def terms(self, play: Play, weight: Weight) -> Terms:
        """The terms of this phase by their names in the log, with the weight of this iteration."""
