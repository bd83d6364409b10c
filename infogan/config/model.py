"""The schema of a model and its objective."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    model_validator,
)

from infogan.config.codes import CodeConfig
from infogan.config.fields import CodeName, Lambda, LearningRate, RegulariserName, Section
from infogan.config.networks import DiscriminatorConfig, GeneratorConfig
from infogan.config.regularisers import AugmentSection, RegulariserConfig


class ModelConfig(Section):
    """The model and its objective.

    lambda_categorical, lambda_continuous: λ of the codes of that kind, for G and for D/Q.
    lambda_posterior: λ in the D/Q phase alone, for every code. null: each code's own λ, and 1 for a code whose λ is 0,
      so that Q measures what G was not asked for (figure 1's plain GAN). 0: Q does not learn.
    posterior_optimizer: who trains Q. `discriminator` (the authors): D's optimizer owns trunk and both heads, and the
      information term reaches the trunk in the D phase. `generator` (most ports): G's optimizer owns Q's head as
      well, and the trunk never sees the information term. `alone`: D's optimizer owns Q's head, which reads features
      that the information term does not change: with λ = 0 the game is that of a plain GAN.
    adversarial: the game of G and D. `non_saturating` is that of Goodfellow et al. 2014, as in the paper; `hinge` that
      of Lim and Ye 2017; `relativistic` compares each real image with a generated one (Jolicoeur-Martineau 2019), which
      with `r1` and `r2` among the regularisers is the game of R3GAN (Huang et al. 2024).
    balance: how many times the game's gradient at the generated images the information's may be, at most: in the G
      phase it is scaled by min(1, balance · ‖∇ₓ game‖ / ‖∇ₓ information‖), each norm the mean of the images', before it
      goes through G. Q's own parameters learn unscaled, whoever owns them. null: as large as λ makes it.
    regularisers: further terms of the loss, by name; none in the paper's presets.
    augment: how the images are changed that D's head is shown; null: not at all.
    ema_half_life: G is also kept as an average over training, in which an iteration counts half as much as one so many
      images later; that average is what is shown, scored and exported. null: G as it is.
    """

    name: str
    codes: Annotated[dict[CodeName, CodeConfig], Field(min_length=1)]
    noise: Annotated[int, Field(ge=0)]
    noise_distribution: Literal["uniform", "normal"]
    lambda_categorical: Lambda
    lambda_continuous: Lambda
    lambda_posterior: Lambda | None
    posterior_optimizer: Literal["discriminator", "generator", "alone"]
    adversarial: Literal["non_saturating", "hinge", "relativistic"]
    balance: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    regularisers: dict[RegulariserName, RegulariserConfig]
    augment: AugmentSection | None
    ema_half_life: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    learning_rate_generator: LearningRate
    learning_rate_discriminator: LearningRate
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)]

    @property
    def lambdas(self) -> dict[str, float]:
        """λ of each code in G's loss, by name: its own, else that of its kind."""
        by_kind = {"categorical": self.lambda_categorical, "continuous": self.lambda_continuous}
        return {
            name: by_kind[code.weighed_as] if code.lambda_code is None else code.lambda_code
            for name, code in self.codes.items()
        }

    @property
    def posterior_lambdas(self) -> dict[str, float]:
        """λ of each code in the D/Q loss, by name."""
        if self.lambda_posterior is not None:
            return dict.fromkeys(self.codes, self.lambda_posterior)
        return {name: weight or 1.0 for name, weight in self.lambdas.items()}

    @model_validator(mode="after")
    def _posterior_learns(self) -> Self:
        if self.posterior_optimizer == "generator":
            if self.lambda_posterior is not None:
                raise ValueError(
                    "lambda_posterior needs posterior_optimizer=discriminator or alone: there Q learns in the D phase"
                )
            for name, weight in self.lambdas.items():
                if weight == 0:
                    raise ValueError(f"λ of {name} is 0: with posterior_optimizer=generator Q would not learn")
        return self
