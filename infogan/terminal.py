"""What commands show on a terminal while they work."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


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


def console_of_width(columns: int) -> "Console":
    """The terminal; where the output goes elsewhere, a console that wraps at this many columns."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=columns)


def age(seconds: float) -> str:
    """A time span in its largest unit: `40 s`, `3 min`, `5 h`, `12 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(int(seconds), 0)} s"
