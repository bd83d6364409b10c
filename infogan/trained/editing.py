"""A picture as a trained model sees it: what Q reads from it, the noise that makes the generator draw it, and what it
becomes with other codes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from infogan.codes.latents import Selected
from infogan.codes.selection import Selection
from infogan.config.opening import InversionConfig
from infogan.datamodules.sources.pictures import decoded
from infogan.errors import ConfigError, DataError
from infogan.trained.inversion import Inversion, invert
from infogan.trained.model import Trained


def read(path: Path, image_shape: tuple[int, ...]) -> np.ndarray:
    """A picture file of any size as the model's (H, W, C) uint8, as data=folder would read it. Raises DataError."""
    if not path.is_file():
        raise DataError(f"image={path}: there is no such file")
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise DataError(f"image={path} could not be read: {error.strerror}") from None
    return fitted(contents, str(path), image_shape)


def fitted(contents: bytes, where: str, image_shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of a picture file as the model's (H, W, C) uint8. Raises DataError that says `where` they are from."""
    channels, size, _ = image_shape
    pixels = decoded(contents, where, size, channels)
    return np.array(pixels).reshape(size, size, channels)  # a copy that may be written to, as PyTorch wants it


@dataclass(frozen=True)
class Reading:
    """What Q reads from an image: the value of each code by name, and of a group how likely it is."""

    values: Mapping[str, Sequence[float]]
    likely: Mapping[str, float]


def reading(trained: Trained, image: np.ndarray) -> Reading:
    """What Q reads from (H, W, C) uint8."""
    latents = trained.latents
    q = trained.posterior(image[None])
    means, parts = latents.split(latents.posterior_mean(q)), latents.split_posterior(q)
    likely = {code.name: code.probabilities(parts[code.name]) for code in latents.codes}
    return Reading(
        {code.name: code.values(means[code.name])[0].tolist() for code in latents.codes},
        {name: probabilities.max().item() for name, probabilities in likely.items() if probabilities is not None},
    )


def described(read: Reading, trained: Trained) -> str:
    """What Q reads, for people: `c1 = 3 (97 %, class 7), c2 = +0.31`."""
    said = []
    for name, value in read.values.items():
        code = trained.latents.code(name)
        notes = [f"{read.likely[name]:.0%}"] if name in read.likely else []
        if trained.matching is not None and trained.scored_code == code:
            notes.append(f"class {trained.matching[int(value[0])]}")
        said.append(f"{name} = {code.domain.label(value)}" + (f" ({', '.join(notes)})" if notes else ""))
    return ", ".join(said)


def as_read(trained: Trained, values: Mapping[str, Sequence[float]]) -> dict[str, Selection]:
    """Values of the codes, by name, as what is selected."""
    domains = {name: trained.latents.code(name).domain for name in values}
    return {name: domains[name].selection(domains[name].given(value)) for name, value in values.items()}


def inverted(
    trained: Trained,
    image: np.ndarray,
    codes: Selected,
    config: InversionConfig,
    seed: int,
    advance: Callable[[int], object],
) -> Inversion:
    """The noise of an image (H, W, C) uint8, all codes being given; errors are of pixels in [0, 1]. `advance` hears of
    each iteration."""
    low, high = trained.value_range
    device = next(trained.generator.parameters()).device
    starts = trained.latents.sample(seed, "edit", 0, range(config.restarts), codes).to(device)
    return invert(
        lambda latent: (trained.generator(latent) - low) / (high - low),
        torch.from_numpy(image).permute(2, 0, 1).to(device) / 255,
        starts,
        trained.latents.codes_width,
        trained.latents.noise_reach,
        config.iterations,
        config.learning_rate,
        advance,
    )


def judged(found: Inversion) -> list[str]:
    """How good a reconstruction is, in lines for people."""
    lines = [f"reconstructed: pixels are off by {found.error:.3f} (RMS), by {found.error_before:.3f} with random noise"]
    if found.poor:
        lines.append(
            "a poor reconstruction: this model has not learned to draw such a picture, and the edit is of another one"
        )
    return lines


def refuse_two_strips(selected: Selected) -> None:
    """Raises ConfigError where several codes take several values: the picture is one strip."""
    moving = [name for name, selection in selected.items() if len(selection.points(2)[1]) > 1]
    if len(moving) > 1:
        raise ConfigError(f"codes.{' and codes.'.join(moving)} take several values: only one code at a time can")


def edited(trained: Trained, latent: Tensor, selected: Selected, steps: int) -> tuple[Tensor, list[str]]:
    """A latent (1, width) with the codes as selected → (frames, width), one that takes several values in `steps`, and
    what each frame has, `c2=+1.5`. Nothing selected: no frames."""
    points = {name: selection.points(steps) for name, selection in selected.items()}
    frames = max((len(labels) for _, labels in points.values()), default=0)
    latents, lines = latent.repeat(frames, 1), [""] * frames
    for name, (values, labels) in points.items():
        latents = trained.latents.replaced(latents, name, trained.latents.code(name).rows(values))
        lines = [f"{line}\n{name}={label}" for line, label in zip(lines, labels * (frames // len(labels)), strict=True)]
    return latents, [line.strip() for line in lines]
