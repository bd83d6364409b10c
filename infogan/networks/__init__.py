"""Generator and discriminator, a file a kind."""

from infogan.networks.build import Discriminator, Generator, build_discriminator, build_generator

__all__ = ["Discriminator", "Generator", "build_discriminator", "build_generator"]
