"""From values and pictures to one file: in HTML with pictures inside as data URIs, everything from outside escaped."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from infogan.errors import InfoGANError
from infogan.run_folder.files import read_picture, write_atomically
from infogan.run_folder.paths import REPORT

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")


@dataclass(frozen=True)
class Gap:
    """What is missing, and the command that mends it, where there is one."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture inside the page. `alt` says what is on it, `caption` what it shows."""

    uri: str
    width: int
    height: int
    alt: str
    caption: str


def attempt(missing: list[Gap], read: Callable[..., T], *arguments: Any) -> T | None:
    """What `read` gives; None where it is missing or damaged, which is then added to `missing`."""
    try:
        return read(*arguments)
    except InfoGANError as error:
        missing.append(Gap(str(error)))
        return None


def figure_of(path: Path, alt: str, caption: str) -> Figure:
    """A PNG file as it is. Raises RunError where it is missing, or damaged."""
    data, picture = read_picture(path)
    return Figure(_uri(data), *picture.size, alt, caption)


def drawn(picture: Image.Image, alt: str, caption: str) -> Figure:
    """A picture that lies in no file."""
    stream = BytesIO()
    picture.save(stream, format="PNG")
    return Figure(_uri(stream.getvalue()), *picture.size, alt, caption)


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def write_page(folder: Path, template: str, values: Mapping[str, Any]) -> Path:
    """Renders a template of this package to report.html in `folder`, whole or not at all, and returns its path."""
    text = rendered("infogan.pages", template, {**values, "made": time.strftime("%Y-%m-%d %H:%M")})
    path = folder / REPORT
    write_atomically(path, lambda staged: staged.write_text(text, encoding="utf-8"))
    return path


def rendered(
    package: str, template: str, values: Mapping[str, Any], escaped: Callable[[Any], Any] | None = None
) -> str:
    """A template of that package's `templates/` with its values: as HTML, or as what `escaped` makes of each value."""
    return _environment(package, escaped).get_template(template).render(values)


@cache
def _environment(package: str, escaped: Callable[[Any], Any] | None) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=escaped is None,
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
