"""What other packages add: kinds of codes and regularisers, data sets, callbacks.

A name that is not one of this project's own is an entry point of the group `infogan.<group>`, such as `infogan.codes`,
or the path of a class, `package.module:Class`. The package must be installed; importing it is all that happens before
the class is checked. A path is imported only where the user of this process has given it: a run folder or an exported
model may come from anybody, and whoever opens it has not asked for what its files name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from shlex import quote
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from infogan.config.fields import AnySection, Section
from infogan.errors import RunError

Group = Literal["codes", "regularisers", "data", "callbacks"]

PATH = re.compile(r"(?=.{1,200}\Z)[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class NotGiven(RunError):
    """A file names the path of a class that the user of this process has not given."""


def _path(value: str) -> str:
    if not PATH.fullmatch(value):
        raise ValueError("must be the path of a class, package.module:Class")
    return value


class ImportsConfig(Section):
    """`imports`: of every command. Paths of classes, package.module:Class, that may be imported where a run folder or
    an exported model names them."""

    imports: list[Annotated[str, AfterValidator(_path)]]


_given: set[str] = set()


def give(values: Any) -> None:
    """Lets the paths of classes in these values, however deep, be imported from now on, also where a file names them:
    the user of this process has typed them."""
    _given.update(paths_in(values))


def paths_in(values: Any) -> Iterator[str]:
    """The texts in plain values, however deep, that are the path of a class."""
    if isinstance(values, str) and PATH.fullmatch(values):
        yield values
    elif isinstance(values, Mapping | list | tuple):
        for value in values.values() if isinstance(values, Mapping) else values:
            yield from paths_in(value)


def as_argument(paths: Iterable[str]) -> str:
    """The argument of a command that lets these paths be imported."""
    return quote(f"imports=[{','.join(paths)}]")


def find(group: Group, name: str) -> Any:
    """The class that `name` means. Raises ValueError, one line, where there is none, NotGiven for a path that may not
    be imported."""
    point = next(iter(entry_points(group=f"infogan.{group}", name=name)), None)
    path = name if point is None else point.value
    if not PATH.fullmatch(path):
        known = sorted(found.name for found in entry_points(group=f"infogan.{group}"))
        others = f", {', '.join(known)}" if known else ""
        raise ValueError(f"is none of this project's own{others}, and no path of a class (package.module:Class)")
    if point is None and name not in _given:
        raise NotGiven(
            f"{name}, a class that is imported only if you say so: {as_argument([name])}, where you trust it"
        )
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
    another package. Raises ValueError, which pydantic adds to what it says of the key, and NotGiven as `find`."""
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
