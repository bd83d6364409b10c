"""What other packages add: kinds of codes and regularisers, data sets, callbacks.

A name that is not one of this project's own is an entry point of the group `infogan.<group>`, such as `infogan.codes`,
or the path of a class, `package.module:Class`. The package must be installed; importing it is all that happens before
the class is checked.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal

from infogan.config.fields import AnySection

Group = Literal["codes", "regularisers", "data", "callbacks"]


def find(group: Group, name: str) -> Any:
    """The class that `name` means. Raises ValueError, one line, where there is none."""
    point = next(iter(entry_points(group=f"infogan.{group}", name=name)), None)
    path = name if point is None else point.value
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", path):
        known = sorted(found.name for found in entry_points(group=f"infogan.{group}"))
        others = f", {', '.join(known)}" if known else ""
        raise ValueError(f"is none of this project's own{others}, and no path of a class (package.module:Class)")
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:  # whatever the module does when it is imported
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"could not be imported: {reason}") from None


def section_of(
    value: Any, group: Group, own: Mapping[str, type[AnySection]], base: type[AnySection], key: str = "kind"
) -> AnySection:
    """`value` as the section of what it names by `key`: one of this project's `own`, or the `section` of a class of
    another package. Raises ValueError, which pydantic adds to what it says of the key."""
    if isinstance(value, base):
        return value
    name = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(name, str):
        raise ValueError(f"{key} must be one of {', '.join(own)}, or a class of another package")
    if name in own:
        return own[name].model_validate(value)
    try:
        section = getattr(find(group, name), "section", None)
    except ValueError as error:
        raise ValueError(f"{key} must be one of {', '.join(own)}; {name[:60]} {error}") from None
    if not (isinstance(section, type) and issubclass(section, base)):
        raise ValueError(f"{key}={name[:60]}: its class must have a `section`, a subclass of {base.__name__}")
    return section.model_validate(value)
