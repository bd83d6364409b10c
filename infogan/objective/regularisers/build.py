"""From the sections of the configuration to the regularisers of a model."""

from typing import Any

from infogan.codes.latents import Latents
from infogan.config.extensions import find
from infogan.config.model import ModelConfig
from infogan.objective.regularisers.alignment import Alignment
from infogan.objective.regularisers.consistency import Consistency
from infogan.objective.regularisers.r1 import R1, R2
from infogan.objective.regularisers.regulariser import Regulariser

KINDS: dict[str, Any] = {"r1": R1, "r2": R2, "consistency": Consistency, "alignment": Alignment}


def build_regularisers(config: ModelConfig, latents: Latents) -> dict[str, Regulariser]:
    """By name, of kinds of this project or of classes of other packages. Raises ConfigError where one does not fit the
    model."""
    kinds = {name: KINDS.get(section.kind) or find("regularisers", section.kind)
             for name, section in config.regularisers.items()}  # fmt: skip
    return {name: kinds[name].from_section(name, section, latents) for name, section in config.regularisers.items()}
