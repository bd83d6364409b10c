"""D and Q: images → one logit, and the parameters of the posterior over the codes; they share a trunk."""

from torch import Tensor, nn

from infogan.config.networks import DiscriminatorConfig, Linear
from infogan.networks.layers import Shape, linear_map, spectrally_normalised, stack


class Discriminator(nn.Module):
    """The trunk with its two heads: `head` for D, `posterior` for Q.

    (N, C, H, W) images → trunk → features; head → (N,) logits; posterior → (N, outputs).
    """

    def __init__(self, config: DiscriminatorConfig, image_shape: Shape, outputs: int) -> None:
        super().__init__()
        self.trunk, features = stack(config.trunk, image_shape, config.slope)
        to_logit, _ = linear_map(Linear(fc=1), features)
        self.head = nn.Sequential(*to_logit, nn.Flatten(0))
        hidden, width = stack(config.posterior, features, config.slope)
        to_parameters, _ = linear_map(Linear(fc=outputs), width)
        self.posterior = nn.Sequential(*hidden, *to_parameters)
        if config.spectral_norm:
            spectrally_normalised(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of D, (N,), and Q's output, (N, outputs)."""
        features = self.trunk(images)
        return self.head(features), self.posterior(features)
