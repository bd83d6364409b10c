"""From a section of the configuration to a code."""

from typing import Any

from infogan.codes.categorical import Categorical
from infogan.codes.circular import Circular
from infogan.codes.code import Code
from infogan.codes.uniform import Uniform
from infogan.config.codes import CodeSection
from infogan.config.extensions import find

KINDS: dict[str, Any] = {"categorical": Categorical, "uniform": Uniform, "circular": Circular}


def build_code(name: str, section: CodeSection) -> Code:
    """The code of that name: of a kind of this project, or of a class of somebody's package that the section names."""
    kind = KINDS.get(section.kind) or find("codes", section.kind)
    return kind.from_section(name, section)
