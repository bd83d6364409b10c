"""From the sections of the configuration to networks, by their kind."""

from infogan.config.networks import DiscriminatorConfig, GeneratorConfig
from infogan.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from infogan.networks.layers import Shape

Generator = DCGANGenerator
"""G of any kind: `image_shape`, and (N, width) latents → (N, C, H, W) images."""

Discriminator = DCGANDiscriminator
"""D and Q of any kind: `trunk`, `head`, `posterior`, and features at `depths`."""

GENERATORS: dict[str, type[Generator]] = {"dcgan": DCGANGenerator}
DISCRIMINATORS: dict[str, type[Discriminator]] = {"dcgan": DCGANDiscriminator}


def build_generator(config: GeneratorConfig, width: int) -> Generator:
    """G for latents of `width` columns. Raises ValueError where its layers do not fit together."""
    return GENERATORS[config.kind](config, width)


def build_discriminator(config: DiscriminatorConfig, image_shape: Shape, outputs: int) -> Discriminator:
    """D for images (channels, height, width), and Q with `outputs` columns. Raises ValueError likewise."""
    return DISCRIMINATORS[config.kind](config, image_shape, outputs)
