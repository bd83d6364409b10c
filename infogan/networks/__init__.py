"""Generator and discriminator, built from a preset's short lists of layers."""

from infogan.networks.discriminator import Discriminator
from infogan.networks.generator import Generator

__all__ = ["Discriminator", "Generator"]
