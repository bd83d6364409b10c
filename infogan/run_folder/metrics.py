"""metrics.csv: a row an iteration, a column a number, empty where it was not measured in that iteration."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan.errors import RunError
from infogan.run_folder.files import append, write_atomically

METRICS = "metrics.csv"
"""In every run folder."""

ITERATION = "iteration"
IMAGES_PER_SECOND = "images_per_second"
CLUSTERING = ("acc", "nmi", "ari")
"""The scored code against labels."""

REAL, FAKE = "D/real", "D/fake"
"""The mean of D's output."""

LOSSES = ("loss/discriminator", "loss/generator")
INFORMATION, ENTROPY = "information/", "entropy/"
"""How the columns of L_I begin, and what W&B is sent beside each: H(c), both in nats."""

BALANCE = "balance"
"""What the information's gradient at the generated images is scaled by, from 0 to 1; see `model.balance`."""

REGULARISER = "regulariser/"
REAL_INFORMATION, SHARED, AGREEMENT, RAREST = "/information", "/shared", "/agreement", "/rarest"
"""How the columns of real images end that consistency logs, as `regulariser/<its name>/<code>/information`: what Q's
categories of an image tell of those of its transform, and for two codes, `<code>_<code>`, of each other, in nats; the
share of the images that have one category with their transform; the rarest category as a part of an even one."""

SPREAD = "health/spread"
CATEGORIES = "health/categories/"
"""How the columns begin that say how evenly Q uses the categories of a code; see `callbacks.health`."""

Row = dict[str, float]


def information(code: str) -> str:
    """The column of L_I of a code, in nats."""
    return f"{INFORMATION}{code}"


def entropy(code: str) -> str:
    """What stands beside it."""
    return f"{ENTROPY}{code}"


def of_real_images(columns: Iterable[str], ending: str) -> dict[str, str]:
    """Those of the columns that consistency logs with one of the endings above, and the code that each is of."""
    parts = {column: column.split("/") for column in columns if column.startswith(REGULARISER)}
    return {column: part[2] for column, part in parts.items() if len(part) == 4 and column.endswith(ending)}


@dataclass(frozen=True)
class Metrics:
    """The rows in their order, without the empty cells; each has an iteration."""

    rows: Sequence[Row]

    @property
    def columns(self) -> list[str]:
        """In the order in which they were first measured."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    @property
    def iteration(self) -> int:
        """The last that was logged, 0 before the first."""
        return int(self.rows[-1][ITERATION]) if self.rows else 0

    def points(self, column: str) -> list[tuple[float, float]]:
        """(iteration, value) of each iteration in which it was measured."""
        return [(row[ITERATION], row[column]) for row in self.rows if column in row]

    def last(self, column: str) -> float | None:
        """The newest value; None where it was never measured."""
        return next((row[column] for row in reversed(self.rows) if column in row), None)


def read_metrics(folder: Path) -> Metrics:
    """That of a run folder, without a last line that has no end: the disk was full, or the process killed. No rows
    where there is no file. Raises RunError where it is damaged."""
    path = folder / METRICS
    try:
        whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
        lines = csv.DictReader(whole.splitlines())
        rows = [{key: _number(key, value) for key, value in row.items() if value} for row in lines]
    except FileNotFoundError:
        return Metrics([])
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{path} could not be read: {error}") from None
    if not all(ITERATION in row for row in rows):
        raise RunError(f"{path} is damaged: a row names no iteration")
    return Metrics(rows)


def write_metrics(folder: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes the file with a header of these columns. Raises RunError where that cannot be."""
    text = _lines(columns, [{name: name for name in columns}, *rows])
    write_atomically(folder / METRICS, lambda staged: staged.write_text(text, encoding="utf-8"))


def append_metrics(folder: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Adds rows to a file whose header has these columns. Raises RunError where that cannot be."""
    append(folder / METRICS, _lines(columns, rows))


def _lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, columns, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _number(column: str, text: str) -> float:
    return int(text) if column == ITERATION else float(text)
