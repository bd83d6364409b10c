"""What `codes.<name>=…` asks for: some categories, a value, a range to draw from, or one of these for each part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Labelled = tuple[Tensor, list[str]]
"""Values, (N, parts), and how each is written."""


class Labels(Protocol):
    """A domain, as far as a selection asks it."""

    def label(self, value: Sequence[float]) -> str:
        """A value as people write it."""


class Ranged(Labels, Protocol):
    """A domain of numbers in an order."""

    def beyond(self, start: float, end: float) -> str | None:
        """What is to be said of values outside of what training drew; None for those inside."""


@dataclass(frozen=True)
class Categories:
    """Some categories, equally likely."""

    domain: Labels
    chosen: tuple[int, ...]

    @property
    def beyond(self) -> None:
        """None: there are no categories but those of training."""

    def values(self, u: Tensor) -> Tensor:
        """(N, 1) numbers in [0, 1) → (N, 1) categories."""
        index = (u * len(self.chosen)).long().clamp_max(len(self.chosen) - 1)
        return torch.tensor(self.chosen, device=u.device)[index]

    def points(self, points: int) -> Labelled:
        """Each chosen category once, whatever `points` is."""
        return labelled(self.domain, torch.tensor(self.chosen).unsqueeze(1))


@dataclass(frozen=True)
class Span:
    """Values drawn evenly between `start` and `end`, the same twice for one value."""

    domain: Ranged
    start: float
    end: float

    @property
    def beyond(self) -> str | None:
        """What is to be said of values outside of what training drew; else None."""
        return self.domain.beyond(self.start, self.end)

    def values(self, u: Tensor) -> Tensor:
        """(N, 1) numbers in [0, 1) → (N, 1) values."""
        return self.start + (self.end - self.start) * u

    def points(self, points: int) -> Labelled:
        """`points` even steps from start to end, one where they are the same."""
        return labelled(
            self.domain, torch.linspace(self.start, self.end, 1 if self.start == self.end else points).unsqueeze(1)
        )


@dataclass(frozen=True)
class Selections:
    """A selection for each part of a product."""

    domain: Labels
    parts: tuple[Categories | Span, ...]

    @property
    def beyond(self) -> str | None:
        """What is to be said of the first part outside of what training drew; else None."""
        return next((line for part in self.parts if (line := part.beyond) is not None), None)

    def values(self, u: Tensor) -> Tensor:
        """(N, parts) numbers in [0, 1) → (N, parts) values."""
        return torch.cat([part.values(u[:, k : k + 1]).float() for k, part in enumerate(self.parts)], dim=1)

    def points(self, points: int) -> Labelled:
        """All parts step by step together: as many points as the part with most has."""
        columns = [part.points(points)[0] for part in self.parts]
        most = max(len(column) for column in columns)
        spread = [column[torch.linspace(0, len(column) - 1, most).round().long()].float() for column in columns]
        return labelled(self.domain, torch.cat(spread, dim=1))


Selection = Categories | Span | Selections
"""A code's value, or where to draw it from."""


def labelled(domain: Labels, values: Tensor) -> Labelled:
    """(N, parts) values, and how each is written."""
    return values, [domain.label(value) for value in values.tolist()]
