"""D and Q: images → one logit, and the parameters of the posterior over the codes; they share a trunk."""

from torch import Tensor, nn

from infogan.config import DiscriminatorConfig
from infogan.networks.layers import Shape, stack


class Discriminator(nn.Module):
    """The trunk with its two heads: `head` for D, `posterior` for Q.

    (N, C, H, W) images → trunk → (N, features); head → (N,) logits; posterior → (N, outputs).
    """

    def __init__(self, config: DiscriminatorConfig, image_shape: Shape, outputs: int) -> None:
        super().__init__()
        self.trunk, (features, *_) = stack(config.trunk, image_shape, config.slope)
        self.head = nn.Sequential(nn.Linear(features, 1), nn.Flatten(0))
        hidden, (width, *_) = stack(config.posterior, (features,), config.slope)
        self.posterior = nn.Sequential(*hidden, nn.Linear(width, outputs))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of D, (N,), and Q's output, (N, outputs)."""
        features = self.trunk(images)
        return self.head(features), self.posterior(features)
