"""The networks of the paper: stacks of 4×4 convolutions and fully connected layers, as Radford et al. 2016 build
them."""

from collections.abc import Collection

from torch import Tensor, nn

from infogan.codes.latents import Latents
from infogan.config.networks import DCGANDiscriminator as DiscriminatorSection
from infogan.config.networks import DCGANGenerator as GeneratorSection
from infogan.config.networks import Linear
from infogan.networks.layers import Shape, blocks, linear_map, spectrally_normalised


class DCGANGenerator(nn.Module):
    """G: (N, width) latents → (N, C, H, W) images in the range of its output.

    The last layer of the preset gives the image; all before it have a norm where they ask for it and a rectifier.
    """

    def __init__(self, config: GeneratorSection, latents: Latents) -> None:
        super().__init__()
        *hidden, last = config.layers
        parts, shape = blocks(hidden, (latents.width,), config.slope, config.norm_last)
        self.hidden = nn.Sequential(*(module for block in parts for module in block))
        to_image, self.image_shape = linear_map(last, shape)
        unflatten = (
            [nn.Unflatten(1, self.image_shape)] if isinstance(last, Linear) and len(self.image_shape) > 1 else []
        )
        self.to_image = nn.Sequential(*to_image, *unflatten)
        self.squash = nn.Sigmoid() if config.output == "sigmoid" else nn.Tanh()

    def forward(self, latent: Tensor) -> Tensor:
        return self.squash(self.to_image(self.hidden(latent)))


class DCGANDiscriminator(nn.Module):
    """D and Q: a trunk with two heads, `head` for D, `posterior` for Q.

    (N, C, H, W) images → trunk → features; head → (N,) logits; posterior → (N, outputs).
    """

    def __init__(self, config: DiscriminatorSection, image_shape: Shape, outputs: int) -> None:
        super().__init__()
        parts, features = blocks(config.trunk, image_shape, config.slope)
        self.trunk = nn.Sequential(*(module for block in parts for module in block))
        self._depths = {f"trunk/{k}": sum(map(len, parts[:k])) for k in range(1, len(parts) + 1)}
        to_logit, _ = linear_map(Linear(fc=1), features)
        self.head = nn.Sequential(*to_logit, nn.Flatten(0))
        hidden, width = blocks(config.posterior, features, config.slope)
        to_parameters, _ = linear_map(Linear(fc=outputs), width)
        self.posterior = nn.Sequential(*(module for block in hidden for module in block), *to_parameters)
        if config.spectral_norm:
            spectrally_normalised(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of D, (N,), and Q's output, (N, outputs)."""
        features = self.trunk(images)
        return self.head(features), self.posterior(features)

    @property
    def depths(self) -> list[str]:
        """Where features can be asked for, from the image on: after each layer of the trunk, `trunk/1` and so on."""
        return list(self._depths)

    def features_at(self, images: Tensor, depths: Collection[str]) -> dict[str, Tensor]:
        """The trunk's features of (N, C, H, W) images at some of `depths`, by their names, no layer beyond the last of
        them being computed. Raises KeyError for a name that is not one."""
        ends = {self._depths[name]: name for name in depths}
        found: dict[str, Tensor] = {}
        for k, module in enumerate(self.trunk, 1):
            if len(found) == len(ends):
                break
            images = module(images)
            if k in ends:
                found[ends[k]] = images
        return found
