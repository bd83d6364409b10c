"""What commands show on a terminal, whatever its size and the characters that it has."""

import codecs
import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.text import Text

T = TypeVar("T")

WORDS = {"λ": "lambda", "σ": "sigma", "²": "^2", "×": "x", "→": "->"}
"""How symbols of formulas are written where they cannot be shown; all else is transliterated."""

REPLACED = "infogan.replaced"
"""The name of the way in which Python's encoders treat what they cannot encode, once `take_any_text` was called."""


def take_any_text() -> None:
    """Lets standard output and standard error of this process take any text: what their encoding does not have is
    replaced, `λ` by `lambda`, `кошка` by `koshka`, a box's line by `-`, where Python would raise UnicodeEncodeError.
    """
    codecs.register_error(REPLACED, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's takes any text
            stream.reconfigure(errors=REPLACED)


def in_ascii(text: str) -> str:
    """The text in ASCII, as near to how it is read as one character after another allows."""
    from anyascii import anyascii

    def of_one(character: str) -> str:
        if found := WORDS.get(character) or anyascii(character):
            return found
        invisible = unicodedata.category(character) in ("Mn", "Me", "Cf")  # an accent on what stands before it
        return "" if invisible else character.encode("ascii", "backslashreplace").decode()

    if any(character not in WORDS for character in text) and text.isalpha():
        return anyascii(text)  # λ in a Greek word is a letter
    return "".join(of_one(character) for character in text)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere. Yields the function that advances it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def counted(
    items: Iterable[T], advance: Callable[[int], object], size: Callable[[T], int] = lambda item: 1
) -> Iterator[T]:
    """The same items; `advance` hears of each, by its size, once it has been used."""
    for item in items:
        yield item
        advance(size(item))


@dataclass(frozen=True)
class Column:
    """A column of a table. Where a terminal has no room for all columns, those of rank 0 are shown, and of the others
    those of the lowest `rank`. `right`: it holds numbers. `wraps`: it may be broken between words."""

    title: str
    rank: int = 0
    right: bool = False
    wraps: bool = False


LEAST = 24
"""Characters that a column needs which is broken between words."""

GAP = 3
"""Characters between two columns."""

Row = Sequence["str | Text"]


def show_table(title: str, columns: Sequence[Column], rows: Sequence[Row | None]) -> None:
    """Prints a table. None among the rows is a line; a column in which nothing stands is not shown. Where the output is
    no terminal it is as wide as it needs to be; on one, columns are left out by their ranks, and what is still too long
    runs on over the edge: a name is never cut.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    codecs.register_error(REPLACED, _replaced)

    def shown(cell: "str | Text", style: str = "") -> Text:
        text = cell if isinstance(cell, Text) else Text(cell, style)
        # replaced now, since a replacement may be longer: the columns are made for what will be seen
        return Text(text.plain.encode(console.encoding, REPLACED).decode(console.encoding), text.style)

    heads = [shown(column.title, "bold") for column in columns]
    cells = [None if row is None else [shown(cell) for cell in row] for row in rows]
    filled = [k for k in range(len(columns)) if any(row[k].plain for row in cells if row)]
    widths = {k: max(row[k].cell_len for row in [heads, *cells] if row) for k in filled}
    room = console.width
    if console.is_terminal:
        widths = {k: min(width, LEAST) if columns[k].wraps else width for k, width in widths.items()}
        widths = with_room(widths, [column.rank for column in columns], room)
    console.width = max(room, _total(widths))
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="", show_header=any(map(str, heads)))
    for k in widths:
        table.add_column(heads[k], justify="right" if columns[k].right else "left", no_wrap=not columns[k].wraps)
    for row in cells:
        if row is None:
            table.add_section()
        else:
            table.add_row(*(row[k] for k in widths))

    def rendered(what: "Table | Text", wrapped: bool = True) -> str:
        with console.capture() as captured:  # where nobody reads it any more, Rich would end the process by itself
            console.print(what, soft_wrap=not wrapped)
        return captured.get().removesuffix("\n")

    padding = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)  # a terminal would wrap it
    lines = padding.sub(r"\1", rendered(table)).split("\n")
    console.width = room
    print(f"\n{rendered(shown(title, 'bold'), wrapped=False)}")
    print("\n".join(line[:room] if console.is_terminal and set(line) <= set("─-+") else line for line in lines))
    if left_out := [heads[k].plain for k in filled if k not in widths]:
        print(rendered(shown(f"no room for: {', '.join(left_out)}", "dim")))


def with_room(widths: Mapping[int, int], ranks: Sequence[int], room: int) -> dict[int, int]:
    """Which of the columns, width by number, are shown in so many characters: those of rank 0, and of the others, by
    their ranks, each for which there is room still. Where there is none for those of rank 0, the last of them has to
    run on over the edge anyhow, and counts as half of it."""
    chosen = {k: width for k, width in widths.items() if ranks[k] == 0}
    counted = dict(chosen)
    if chosen and _total(chosen) > room:
        last = max(chosen)
        counted[last] = min(chosen[last], room // 2)
    for k in sorted((k for k in widths if ranks[k]), key=lambda k: ranks[k]):
        if _total(counted) + GAP + widths[k] <= room:
            chosen[k] = counted[k] = widths[k]
    return {k: chosen[k] for k in sorted(chosen)}


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def print_records(records: Sequence[Mapping[str, object]], form: Literal["csv", "json"]) -> None:
    """Prints records that have the same keys, for another program."""
    if form == "json":
        print(json.dumps(records, indent=2))
    elif records:
        table = csv.DictWriter(sys.stdout, list(records[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(records)


@contextmanager
def aside(form: str) -> Iterator[TextIO]:
    """Where a command's output is for another program, what it says meanwhile goes to standard error. Yields standard
    output."""
    output = sys.stdout
    with nullcontext() if form == "table" else redirect_stdout(sys.stderr):
        yield output


def age(seconds: float) -> str:
    """A time span in its largest unit: `40 s`, `3 min`, `5 h`, `12 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(int(seconds), 0)} s"
