"""What the page answers: codes in, HTML with images out. Everything from outside is escaped."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Choice, Code
from infogan.codes.uniform import Uniform
from infogan.config.opening import InversionConfig
from infogan.errors import DataError
from infogan.pages.page import Figure, drawn, rendered
from infogan.scoring.against_labels import most_followed
from infogan.trained.editing import described, edited, fitted, inverted, judged, reading
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
        choices = self._choices(values)
        images = self.trained.images(self.trained.latents.sample(noise, "explore", 0, range(IMAGES), choices))
        what = ", ".join(_labels(choices))
        figures = [_figure(image, f"image {k} of {IMAGES}: {what}") for k, image in enumerate(images, 1)]
        return self._html("many", figures=figures, notes=_extrapolations(choices))

    def grid(self, noise: int, across: str, down: str, values: Sequence[object]) -> str:
        """One draw of the noise: the values of one code across, those of another down, the other codes as given."""
        latents, choices = self.trained.latents, self._choices(values)
        (points_x, labels_x), (points_y, labels_y) = (self.steps(latents.code(name)) for name in (across, down))
        latent = latents.sample(noise, "explore", 0, range(1), choices).repeat(len(labels_y) * len(labels_x), 1)
        latent = latents.replaced(latent, across, points_x.repeat(len(labels_y), 1))
        latent = latents.replaced(latent, down, points_y.repeat_interleave(len(labels_x), dim=0))
        images = iter(self.trained.images(latent))
        rows = [(y, [_figure(next(images), f"{across} = {x}, {down} = {y}") for x in labels_x]) for y in labels_y]
        others = {name: choice for name, choice in choices.items() if name not in (across, down)}
        return self._html(
            "grid", across=across, down=down, columns=labels_x, rows=rows, others=", ".join(_labels(others)),
            notes=_extrapolations(others),
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
        read, likely = reading(self.trained, image)
        lines = [f"Q reads {described(read, likely, self.trained)}"]
        codes = {}
        for code in self.trained.latents.codes:
            codes[code.name] = value = _on_its_control(code, read[code.name])
            if isinstance(code, Uniform) and value in reach(code):
                lines.append(f"{code.name} is taken as {value:+g}, where its slider ends")
        found = inverted(self.trained, image, self.trained.latents.choices(codes), self.inversion, self.seed, advance)
        reconstruction = self.trained.images(found.latent)[0]
        lines += judged(found)
        return Encoded(image, reconstruction, found.latent, tuple(codes.values()), tuple(lines), found.poor)

    def edit(self, encoded: Encoded | None, values: Sequence[object]) -> str:
        """The picture, its reconstruction, and the same with these codes; before one is chosen, what to do."""
        if encoded is None:
            return self._html("edit", encoded=None, figures=(), notes=())
        choices = self._choices(values)
        latent, _ = edited(self.trained, encoded.latent, choices, 1)
        what = ", ".join(_labels(choices))
        images = (encoded.original, encoded.reconstruction, self.trained.images(latent)[0])
        captions = ("original", "reconstruction", "edit")
        alts = ("The picture as the model reads it", "What the generator makes of it", f"The edit: {what}")
        figures = [_figure(*words) for words in zip(images, alts, captions, strict=True)]
        return self._html("edit", encoded=encoded, figures=figures, notes=_extrapolations(choices))

    def choices_of_images(self) -> str:
        """The images of the data set to choose from, each a button, and the field for a file."""
        figures = [_figure(image, f"image {k} of the data set") for k, image in enumerate(self.real, 1)]
        return self._html("choose", figures=figures, why=self.why, limit=UPLOAD)

    def title(self) -> str:
        """What was trained, and which run it is."""
        return self._html("title", config=self.trained.config, trained=self.trained)

    def steps(self, code: Code) -> tuple[Tensor, list[str]]:
        """The values of a code in a grid, or under a picker, and their labels: `3 → 7` for a category that is matched
        to class 7."""
        points, labels = code.traversal(POINTS)
        matching = self.trained.matching
        if matching is not None and code == self.trained.scored_code:
            labels = [f"{label} →\N{NO-BREAK SPACE}{matching[k]}" for k, label in enumerate(labels)]
        return points, labels

    def label(self, code: Code) -> str:
        """A code's name, and what it was found to do where the run knows."""
        follows = most_followed(self.trained.summary.get("factors", {}), code.name)
        return f"{code.name}: follows {follows}" if follows else code.name

    def info(self, code: Code) -> str:
        """What the values of a code are."""
        if isinstance(code, Categorical):
            return "category → the class it is matched to" if code == self.trained.scored_code else "category"
        return f"training drew from {code.low:g} to {code.high:g}"

    def _choices(self, values: Sequence[object]) -> dict[str, Choice]:
        names = (code.name for code in self.trained.latents.codes)
        return self.trained.latents.choices(dict(zip(names, values, strict=True)))

    def _html(self, template: str, **values: Any) -> str:
        return rendered("infogan.explorer", f"{template}.html", values)


def reach(code: Uniform) -> tuple[float, float]:
    """From where to where a slider goes: as far as traversals do, beyond what training drew."""
    low, high = code.traversal(2)[0][:, 0].tolist()
    return low, high


def start_value(code: Code) -> int | float:
    """What a code is at first: category 0, or the middle of what training drew."""
    return 0 if isinstance(code, Categorical) else (code.low + code.high) / 2


def _on_its_control(code: Code, value: int | float) -> int | float:
    """The value that a control can show: inside of the slider, and in so many digits as are of use."""
    if isinstance(code, Categorical):
        return value
    low, high = reach(code)
    return min(max(round(value, 2 - math.floor(math.log10(high - low))), low), high)


def _labels(choices: dict[str, Choice]) -> list[str]:
    """`c2 = +0.5` of each code that has one value."""
    return [f"{name} = {choice.points(1)[1][0]}" for name, choice in choices.items()]


def _extrapolations(choices: dict[str, Choice]) -> list[str]:
    return [line for choice in choices.values() if (line := choice.extrapolation) is not None]


def _figure(image: np.ndarray, alt: str, caption: str = "") -> Figure:
    pixels = image[:, :, 0] if image.shape[2] == 1 else image
    return drawn(Image.fromarray(pixels), alt, caption)


def spread(images: Tensor, count: int) -> np.ndarray:
    """`count` of (N, C, H, W) uint8 images, or all where there are fewer, evenly through their order: (n, H, W, C)."""
    rows = torch.linspace(0, len(images) - 1, min(count, len(images))).round().long()
    return images[rows].permute(0, 2, 3, 1).numpy()
