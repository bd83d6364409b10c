"""What a person can do with a code: a choice of categories, an interval, a circle, or several of these together.

Kinds of codes are open, domains are not: whoever draws a grid, a slider or a film looks at the domain alone. A value
of a domain is a row of numbers, one for each of its `parts`: (N, parts). A selection is what `codes.<name>=…` asks
for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from infogan.codes.selection import Categories, Labelled, Selections, Span, labelled


@dataclass(frozen=True)
class Walk:
    """A way through a domain whose last step ends where it began: at each step a mixture of the rows of two values,
    `share` of the second. `before`, `after`: (steps, parts); `share`: (steps, 1) from 0 to 1."""

    before: Tensor
    after: Tensor
    share: Tensor


@dataclass(frozen=True)
class Choice:
    """One of `count` categories, by its number from 0."""

    count: int

    @property
    def parts(self) -> "tuple[Choice]":
        return (self,)

    @property
    def start(self) -> tuple[int]:
        """Where a control stands at first: category 0."""
        return (0,)

    def label(self, value: Sequence[float]) -> str:
        """A value as people write it."""
        return str(int(value[0]))

    def in_film(self, value: Sequence[float]) -> str:
        """As `label`."""
        return self.label(value)

    def given(self, value: Sequence[float]) -> int:
        """A value as `selection` takes it."""
        return int(value[0])

    def on_control(self, value: float) -> int:
        """The value that a picker can show."""
        return int(value)

    def traversal(self, points: int) -> Labelled:
        """Every category once, whatever `points` is: (count, 1) values and their labels."""
        return labelled(self, torch.arange(self.count).unsqueeze(1))

    def walk(self, steps: int) -> Walk:
        """Through all categories and back to the first: between two of them their mixture, which training never drew,
        slowest at the ends."""
        position = torch.arange(steps) * (self.count / steps)
        before, after = ((position.long() + k) % self.count for k in (0, 1))
        share = (1 - torch.cos(math.pi * position.frac())) / 2
        return Walk(before.unsqueeze(1), after.unsqueeze(1), share.unsqueeze(1))

    def selection(self, given: object) -> "Categories":
        """What `3` or `[3,5]` asks for. Raises ValueError, which says what is allowed, where that is no category."""
        asked = given if isinstance(given, list) else [given]
        chosen = [k for k in asked if isinstance(k, int) and not isinstance(k, bool) and 0 <= k < self.count]
        if not chosen or len(set(chosen)) < len(asked):
            raise ValueError(
                f"must be a category from 0 to {self.count - 1}, or a list of different ones, such as [0,1]"
            )
        return Categories(self, tuple(chosen))


@dataclass(frozen=True)
class Interval:
    """A number; training drew from `low` to `high`, and people may look beyond."""

    low: float
    high: float

    @property
    def parts(self) -> "tuple[Interval]":
        return (self,)

    @property
    def start(self) -> tuple[float]:
        """Where a control stands at first: the middle of what training drew."""
        return ((self.low + self.high) / 2,)

    @property
    def reach(self) -> tuple[float, float]:
        """As far as traversals and sliders go: twice the interval."""
        centre, reach = (self.low + self.high) / 2, self.high - self.low
        return centre - reach, centre + reach

    def label(self, value: Sequence[float]) -> str:
        """A value as people write it: `+1.5`."""
        return _signed(value[0], 3)

    def in_film(self, value: Sequence[float]) -> str:
        """As `label`, always as long."""
        return f"{value[0]:+.2f}"

    def given(self, value: Sequence[float]) -> float:
        """A value as `selection` takes it."""
        return value[0]

    def traversal(self, points: int) -> Labelled:
        """`points` even steps over twice the interval (U(-1, 1): from -2 to 2, figure 2 of the paper)."""
        values = torch.linspace(*self.reach, points)
        return values.unsqueeze(1), [_signed(value, 2) for value in values.tolist()]

    def walk(self, steps: int) -> Walk:
        """From one end of `traversal` to the other and back, slowest at the ends."""
        (low, high), _ = self.traversal(2)
        return _along(low + (high - low) * _there_and_back(steps))

    def selection(self, given: object) -> "Span":
        """What `1.5` or `-2:2` asks for, inside of [low, high] or not. Raises ValueError, which says what is allowed,
        where that is neither a number nor an interval."""
        return Span(self, *_ends(given, "1.5", "-2:2"))

    def on_control(self, value: float) -> float:
        """The value that a slider can show: within its reach, and in so many digits as are of use."""
        low, high = self.reach
        return min(max(round(value, 2 - math.floor(math.log10(high - low))), low), high)

    def beyond(self, start: float, end: float) -> str | None:
        """What is to be said of values outside of what training drew; None for those inside."""
        if all(self.low <= value <= self.high for value in (start, end)):
            return None
        return f"was drawn from {self.low:g} to {self.high:g} in training: what lies outside is extrapolated"


@dataclass(frozen=True)
class Circle:
    """An angle in degrees, drawn from the whole turn: -180 and 180 are one value."""

    @property
    def parts(self) -> "tuple[Circle]":
        return (self,)

    @property
    def start(self) -> tuple[float]:
        """Where a dial stands at first."""
        return (0.0,)

    @property
    def reach(self) -> tuple[float, float]:
        """The ends of a dial."""
        return -180.0, 180.0

    def label(self, value: Sequence[float]) -> str:
        """A value as people write it: `+30°`."""
        return f"{_signed(self.on_control(value[0]), 3)}°"

    def in_film(self, value: Sequence[float]) -> str:
        """As `label`, always as long."""
        return f"{self.on_control(value[0]):+4.0f}°"

    def given(self, value: Sequence[float]) -> float:
        """A value as `selection` takes it."""
        return self.on_control(value[0])

    def traversal(self, points: int) -> Labelled:
        """`points` even steps around the turn, from -180° on to the one before 180°, which is the first again."""
        return labelled(self, (-180 + 360 / points * torch.arange(points)).unsqueeze(1))

    def walk(self, steps: int) -> Walk:
        """Once around, evenly."""
        return _along((-180 + 360 / steps * torch.arange(steps)).unsqueeze(1))

    def selection(self, given: object) -> "Span":
        """What `45` or `-30:30` asks for, in degrees. Raises ValueError, which says what is allowed, for what is
        neither an angle nor an arc."""
        return Span(self, *_ends(given, "45 (degrees)", "-30:30"))

    def on_control(self, value: float) -> float:
        """The value that a dial can show: in (-180, 180], in tenths of a degree."""
        return -((180 - round(value, 1)) % 360 - 180)

    def beyond(self, start: float, end: float) -> None:
        """None: a turn has no outside."""


Part = Choice | Interval | Circle


@dataclass(frozen=True)
class Product:
    """Several at once, as the numbers of one code of several dimensions are."""

    parts: tuple[Part, ...]

    @property
    def start(self) -> tuple[int | float, ...]:
        """Where the controls stand at first."""
        return tuple(part.start[0] for part in self.parts)

    def label(self, value: Sequence[float]) -> str:
        """The values of the parts: `(+1.5, 3)`."""
        return f"({', '.join(part.label([number]) for part, number in zip(self.parts, value, strict=True))})"

    def in_film(self, value: Sequence[float]) -> str:
        """As `label`, always as long."""
        return f"({', '.join(part.in_film([number]) for part, number in zip(self.parts, value, strict=True))})"

    def given(self, value: Sequence[float]) -> list[int | float]:
        """A value as `selection` takes it."""
        return [part.given([number]) for part, number in zip(self.parts, value, strict=True)]

    def traversal(self, points: int) -> Labelled:
        """Part by part, the others standing where their controls start."""
        values, labels = [], []
        for k, part in enumerate(self.parts):
            steps, written = part.traversal(points)
            values.append(self._beside_start(k, steps))
            labels += [f"{k + 1}: {label}" for label in written]
        return torch.cat(values), labels

    def walk(self, steps: int) -> Walk:
        """Part by part, each with its share of the steps."""
        ends = [k * steps // len(self.parts) for k in range(len(self.parts) + 1)]
        walks = [part.walk(max(1, b - a)) for part, a, b in zip(self.parts, ends, ends[1:], strict=False)]
        before, after = (
            torch.cat([self._beside_start(k, getattr(walk, side)) for k, walk in enumerate(walks)])[:steps]
            for side in ("before", "after")
        )
        return Walk(before, after, torch.cat([walk.share for walk in walks])[:steps])

    def selection(self, given: object) -> "Selections":
        """What a list with an entry for each part asks for. Raises ValueError, which says what is allowed."""
        if not isinstance(given, list) or len(given) != len(self.parts):
            raise ValueError(f"must be a list of {len(self.parts)} values, one for each part")
        selections = [part.selection(value) for part, value in zip(self.parts, given, strict=True)]
        return Selections(self, tuple(selections))

    def _beside_start(self, k: int, values: Tensor) -> Tensor:
        rows = torch.tensor(self.start, dtype=torch.float32).repeat(len(values), 1)
        rows[:, k] = values[:, 0]
        return rows


Domain = Choice | Interval | Circle | Product


def _along(values: Tensor) -> Walk:
    return Walk(values, values, torch.zeros(len(values), 1))


def _there_and_back(steps: int) -> Tensor:
    return (1 - torch.cos(torch.arange(steps).unsqueeze(1) * (2 * math.pi / steps))) / 2


def _ends(given: object, number: str, interval: str) -> tuple[float, float]:
    """The two ends that are asked for, the same twice for one number."""
    ends = given.split(":") if isinstance(given, str) else [given, given]
    try:
        start, end = (math.nan if isinstance(value, bool) else float(value) for value in ends)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        start = end = math.nan
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError(f"must be a number such as {number}, or an interval such as {interval}")
    return start, end


def _signed(value: float, digits: int) -> str:
    return f"{round(value, 6):+.{digits}g}" if abs(value) > 1e-6 else "0"
