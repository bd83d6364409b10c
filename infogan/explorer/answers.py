"""What the page answers: codes in, HTML with images out. Everything from outside is escaped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from infogan.codes.code import Code
from infogan.codes.domain import Choice, Circle, Interval, Part
from infogan.codes.selection import Selection
from infogan.config.opening import InversionConfig
from infogan.datamodules.store import drawn_rows
from infogan.errors import DataError
from infogan.pages.page import Figure, drawn, rendered
from infogan.scoring.against_labels import most_followed
from infogan.trained.editing import as_read, described, edited, fitted, inverted, judged, reading
from infogan.trained.model import Trained

IMAGES = 16
"""How many draws of the noise are shown with the same codes."""

POINTS = 9
"""Steps of a continuous code in a grid."""


UPLOAD = 10 * 2**20
"""Bytes of a picture that is uploaded: more is refused."""


@dataclass(frozen=True)
class Encoded:
    """A picture that was read and found again. `original`, `reconstruction`: (H, W, C) uint8. `latent`: (1, width).
    `codes`: as Q reads them, those outside of their slider at its end. `lines`: what there is to say about it."""

    original: np.ndarray
    reconstruction: np.ndarray
    latent: Tensor
    codes: tuple[int | float, ...]
    lines: tuple[str, ...]
    poor: bool


@dataclass(frozen=True)
class Explorer:
    """A model, and the images of its data set that can be chosen: `real`, (N, H, W, C) uint8, or, where there are none,
    `why` not. `seed`: of the starts of the search for the noise."""

    trained: Trained
    real: np.ndarray
    why: str
    inversion: InversionConfig
    seed: int

    def many(self, noise: int, values: Sequence[object]) -> str:
        """IMAGES draws of the noise with the same codes; `noise` is their seed. Raises ConfigError for values that the
        codes do not have, as the others do."""
        selected = self._selected(values)
        images = self.trained.images(self.trained.latents.sample(noise, "explore", 0, range(IMAGES), selected))
        what = ", ".join(_labels(selected))
        figures = [_figure(image, f"image {k} of {IMAGES}: {what}") for k, image in enumerate(images, 1)]
        return self._html("many", figures=figures, notes=_beyond(selected))

    def grid(self, noise: int, across: str, down: str, values: Sequence[object]) -> str:
        """One draw of the noise: the values of one code across, those of another down, the other codes as given."""
        latents, selected = self.trained.latents, self._selected(values)
        (rows_x, labels_x), (rows_y, labels_y) = (self.steps(latents.code(name)) for name in (across, down))
        latent = latents.sample(noise, "explore", 0, range(1), selected).repeat(len(labels_y) * len(labels_x), 1)
        latent = latents.replaced(latent, across, rows_x.repeat(len(labels_y), 1))
        latent = latents.replaced(latent, down, rows_y.repeat_interleave(len(labels_x), dim=0))
        images = iter(self.trained.images(latent))
        rows = [(y, [_figure(next(images), f"{across} = {x}, {down} = {y}") for x in labels_x]) for y in labels_y]
        others = {name: selection for name, selection in selected.items() if name not in (across, down)}
        return self._html(
            "grid", across=across, down=down, columns=labels_x, rows=rows, others=", ".join(_labels(others)),
            notes=_beyond(others),
        )  # fmt: skip

    def chosen(self, k: object) -> np.ndarray:
        """The image of the data set that was clicked on, (H, W, C) uint8. Raises DataError where there is none."""
        if not isinstance(k, int) or not 0 <= k < len(self.real):
            raise DataError("there is no such image")
        return self.real[k]

    def picture(self, contents: bytes) -> np.ndarray:
        """An uploaded file as the model's (H, W, C) uint8. Raises DataError where it is no picture."""
        return fitted(contents, "the file", self.trained.generator.image_shape)

    def encode(self, image: np.ndarray, advance: Callable[[int], object]) -> Encoded:
        """Q's codes of an image (H, W, C) uint8, and the noise of it; `advance` hears of each iteration."""
        read = reading(self.trained, image)
        lines = [f"Q reads {described(read, self.trained)}"]
        values = {}
        for code in self.trained.latents.codes:
            parts = zip(code.domain.parts, read.values[code.name], strict=True)
            values[code.name] = shown = [part.on_control(value) for part, value in parts]
            for part, value in zip(code.domain.parts, shown, strict=True):
                if isinstance(part, Interval) and value in part.reach:
                    lines.append(f"{code.name} is taken as {value:+g}, where its slider ends")
        selected = as_read(self.trained, values)
        found = inverted(self.trained, image, selected, self.inversion, self.seed, advance)
        reconstruction = self.trained.images(found.latent)[0]
        lines += judged(found)
        on_controls = tuple(value for shown in values.values() for value in shown)
        return Encoded(image, reconstruction, found.latent, on_controls, tuple(lines), found.poor)

    def edit(self, encoded: Encoded | None, values: Sequence[object]) -> str:
        """The picture, its reconstruction, and the same with these codes; before one is chosen, what to do."""
        if encoded is None:
            return self._html("edit", encoded=None, figures=(), notes=())
        selected = self._selected(values)
        latent, _ = edited(self.trained, encoded.latent, selected, 1)
        what = ", ".join(_labels(selected))
        images = (encoded.original, encoded.reconstruction, self.trained.images(latent)[0])
        captions = ("original", "reconstruction", "edit")
        alts = ("The picture as the model reads it", "What the generator makes of it", f"The edit: {what}")
        figures = [_figure(*words) for words in zip(images, alts, captions, strict=True)]
        return self._html("edit", encoded=encoded, figures=figures, notes=_beyond(selected))

    def choices_of_images(self) -> str:
        """The images of the data set to choose from, each a button, and the field for a file."""
        figures = [_figure(image, f"image {k} of the data set") for k, image in enumerate(self.real, 1)]
        return self._html("choose", figures=figures, why=self.why, limit=UPLOAD)

    def title(self) -> str:
        """What was trained, and which run it is."""
        return self._html("title", config=self.trained.config, trained=self.trained)

    def steps(self, code: Code) -> tuple[Tensor, list[str]]:
        """The rows of a code in a grid, or under a picker, and their labels: `3 → 7` for a category that is matched to
        class 7."""
        rows, labels = self.trained.latents.traversal(code.name, POINTS)
        matching = self.trained.matching
        if matching is not None and code == self.trained.scored_code:
            labels = [f"{label} →\N{NO-BREAK SPACE}{matching[k]}" for k, label in enumerate(labels)]
        return rows, labels

    def label(self, code: Code) -> str:
        """A code's name, and what it was found to do where the run knows."""
        follows = most_followed(self.trained.factors, code.name)
        return f"{code.name}: follows {follows}" if follows else code.name

    def info(self, code: Code, part: Part) -> str:
        """What the values of a code are, or of a part of it."""
        if isinstance(part, Choice):
            return "category → the class it is matched to" if code == self.trained.scored_code else "category"
        if isinstance(part, Circle):
            return "degrees, around the whole turn"
        return f"training drew from {part.low:g} to {part.high:g}"

    def _selected(self, values: Sequence[object]) -> dict[str, Selection]:
        """What the controls say, one after the other: a code of several parts has several."""
        given: dict[str, object] = {}
        rest = list(values)
        for code in self.trained.latents.codes:
            count = len(code.domain.parts)
            given[code.name] = rest[0] if count == 1 else rest[:count]
            rest = rest[count:]
        return self.trained.latents.selections(given)

    def _html(self, template: str, **values: Any) -> str:
        return rendered("infogan.explorer", f"{template}.html", values)


def _labels(selected: dict[str, Selection]) -> list[str]:
    """`c2 = +0.5` of each code that has one value."""
    return [f"{name} = {selection.points(1)[1][0]}" for name, selection in selected.items()]


def _beyond(selected: dict[str, Selection]) -> list[str]:
    return [f"{name} {selection.beyond}" for name, selection in selected.items() if selection.beyond is not None]


def _figure(image: np.ndarray, alt: str, caption: str = "") -> Figure:
    pixels = image[:, :, 0] if image.shape[2] == 1 else image
    return drawn(Image.fromarray(pixels), alt, caption)


def some_of(images: Tensor, count: int, seed: int) -> np.ndarray:
    """`count` of (N, C, H, W) uint8 images, drawn over all of them and in their order; all where there are fewer:
    (n, H, W, C)."""
    return images[drawn_rows(len(images), count, seed)].permute(0, 2, 3, 1).numpy()
