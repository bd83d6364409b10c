"""G: codes and noise → images."""

from torch import Tensor, nn

from infogan.config.networks import GeneratorConfig, Linear
from infogan.networks.layers import linear_map, stack


class Generator(nn.Module):
    """(N, width) latents → (N, C, H, W) images in `value_range`.

    The last layer of the preset gives the image; all before it have a norm where they ask for it and a rectifier.
    """

    def __init__(self, config: GeneratorConfig, width: int) -> None:
        super().__init__()
        *hidden, last = config.layers
        self.hidden, shape = stack(hidden, (width,), config.slope, config.norm_last)
        to_image, self.image_shape = linear_map(last, shape)
        unflatten = (
            [nn.Unflatten(1, self.image_shape)] if isinstance(last, Linear) and len(self.image_shape) > 1 else []
        )
        self.to_image = nn.Sequential(*to_image, *unflatten)
        self.squash = nn.Sigmoid() if config.output == "sigmoid" else nn.Tanh()

    def forward(self, latent: Tensor) -> Tensor:
        return self.squash(self.to_image(self.hidden(latent)))
