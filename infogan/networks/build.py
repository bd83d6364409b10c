"""From the sections of the configuration to networks, by their kind."""

from typing import Any

from infogan.codes.latents import Latents
from infogan.config.networks import DiscriminatorConfig, GeneratorConfig
from infogan.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from infogan.networks.layers import Shape
from infogan.networks.volume import VolumeGenerator

Generator = DCGANGenerator | VolumeGenerator
"""G of any kind: `image_shape`, and (N, width) latents → (N, C, H, W) images."""

Discriminator = DCGANDiscriminator
"""D and Q of any kind: `trunk`, `head`, `posterior`, and features at `depths`."""

GENERATORS: dict[str, Any] = {"dcgan": DCGANGenerator, "volume": VolumeGenerator}
DISCRIMINATORS: dict[str, type[Discriminator]] = {"dcgan": DCGANDiscriminator}


def build_generator(config: GeneratorConfig, latents: Latents) -> Generator:
    """G for these latents. Raises ValueError where its layers do not fit together, ConfigError where it asks for a code
    that the latents have not."""
    return GENERATORS[config.kind](config, latents)


def build_discriminator(config: DiscriminatorConfig, image_shape: Shape, outputs: int) -> Discriminator:
    """D for images (channels, height, width), and Q with `outputs` columns. Raises ValueError likewise."""
    return DISCRIMINATORS[config.kind](config, image_shape, outputs)
