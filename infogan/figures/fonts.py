"""Text in pictures: fonts that have its letters, and labels that stay as large as they can be read."""

import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from infogan.terminal import in_ascii

LEAST = 10
"""Pixels a label's font has at least: smaller ones cannot be read."""

LONGEST = 28
"""Letters of a name in a plot."""

BREAKS = re.compile(r"(?<=[\s_/])(?=\S)|(?<=\w-)(?=[^\W\d])")
"""Where a label may be broken: not before a number, whose hyphen is a minus."""

UNREAL = ("lastresort", "adobeblank")
"""Fonts that have a box, or nothing, for every letter there is."""


def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """The font of a file, `size` pixels high."""
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=4096)
def drawable(text: str) -> tuple[str, Path]:
    """The text as it can be drawn, and the file of a font that has all its letters: DejaVu Sans, which comes with
    matplotlib and has Latin, Greek and Cyrillic ones, else one of this machine. Where none has them all, those that
    DejaVu Sans lacks are transliterated: 猫 to Mao.
    """
    own = _dejavu()
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in unicodedata.normalize("NFC", text))
    lacking = frozenset(letter for letter in text if not _has(own, letter))
    if not lacking:
        return text, own
    found = _system_font(frozenset(text))
    if found is not None:
        return text, found
    pattern = f"[{re.escape(''.join(sorted(lacking)))}]+"
    return re.sub(pattern, lambda letters: in_ascii(letters[0]), text), own


def fitted(
    text: str, width: float, lines: int, size: int, least: int = LEAST
) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The text in at most so many lines of `width` pixels, and its font: of `size` pixels, or of as many as let it be
    broken between words, `least` at the least. What is longer still is broken anywhere and loses its middle.
    """
    text, path = drawable(text)
    for pixels in range(size, least - 1, -1):
        sized = font(path, pixels)
        found = _broken(text, sized, width, inside=False)
        if len(found) <= lines and all(sized.getlength(line) <= width for line in found):
            return found, sized
    sized, ends = font(path, least), text if len(text) < 400 else text[:200] + text[-200:]

    def has_too_many(letters: int) -> bool:
        return len(_broken(shortened(ends, letters), sized, width, inside=True)) > lines

    most = bisect_left(range(len(ends)), True, lo=1, key=lambda kept: has_too_many(kept + 1))
    return _broken(shortened(ends, most), sized, width, inside=True), sized


def shortened(text: str, letters: int = LONGEST) -> str:
    """A text of so many letters: a longer one loses its middle, since names differ at their ends as well."""
    if len(text) <= letters:
        return text
    last = (letters - 1) // 3
    return f"{text[: letters - 1 - last].rstrip()}…{text[len(text) - last :].lstrip()}"


def in_plots(text: str, letters: int = LONGEST) -> str:
    """A name as it stands in a plot of matplotlib, inside `fonts_of_plots`."""
    return drawable(shortened(" ".join(text.split()), letters))[0]


@contextmanager
def fonts_of_plots(texts: Iterable[str]) -> Iterator[None]:
    """Lets what matplotlib draws meanwhile have the fonts of these texts, and takes a `$` in them for a `$`."""
    import matplotlib
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    paths = dict.fromkeys([_dejavu(), *(drawable(text)[1] for text in texts)])
    known = {entry.fname for entry in fontManager.ttflist}
    for path in paths:
        if str(path) not in known:
            fontManager.addfont(path)
    families = [FT2Font(path).family_name for path in paths]
    with matplotlib.rc_context({"font.family": families, "text.parse_math": False}):
        yield


def _broken(text: str, sized: ImageFont.FreeTypeFont, width: float, inside: bool) -> list[str]:
    lines = []
    for part in text.split("\n"):
        line = ""
        for word in BREAKS.split(part):
            too_long = inside and sized.getlength(word.rstrip()) > width
            for piece in word if too_long else [word]:
                if line and sized.getlength((line + piece).rstrip()) > width:
                    lines.append(line.rstrip())
                    line = ""
                line += piece
        lines.append(line.rstrip())
    return lines


def _dejavu() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@lru_cache(maxsize=4096)
def _has(path: Path, letter: str) -> bool:
    from matplotlib.ft2font import FT2Font

    return letter == "\n" or FT2Font(path).get_char_index(ord(letter)) > 0


@lru_cache(maxsize=256)
def _system_font(letters: frozenset[str]) -> Path | None:
    """A font of this machine that has all the letters, one without serifs before others."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    best: tuple[float, str] = (math.inf, "")
    for path in font_manager.findSystemFonts():
        try:
            face = FT2Font(path)
            name = f"{face.family_name} {face.style_name}".lower()
            if not face.scalable or any(unreal in name.replace(" ", "") for unreal in UNREAL):
                continue
            if all(letter == "\n" or face.get_char_index(ord(letter)) for letter in letters):
                marks = [not re.search("regular|book|normal", name), "sans" not in name, "mono" in name]
                best = min(best, (sum(marks), path))
        except (OSError, RuntimeError):  # no font, or one that FreeType does not read
            continue
    return Path(best[1]) if best[1] else None
