"""Moving pictures of a run: its grids over training, a walk through a code."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from io import BytesIO
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from infogan.codes.domain import Choice
from infogan.codes.latents import categories_in_turn
from infogan.errors import ConfigError, RunError
from infogan.figures.fonts import shortened
from infogan.figures.grids import PAPER, labelled_grid
from infogan.run_folder.amounts import Amount
from infogan.run_folder.files import read_picture, write_atomically
from infogan.run_folder.paths import history
from infogan.run_folder.summary import read_summary
from infogan.trained.model import Trained

NOISES, COLUMNS, CELL = 10, 5, 112
"""Images side by side in a walk, how many a row, and pixels that one is enlarged to, or near."""


def over_training(run: Path, names: Sequence[str], frames: int) -> Iterator[Image.Image]:
    """The grids of these codes side by side, each saying after how many iterations it is, first to last, all for about
    the same time. Raises RunError where there are not even two times to show.
    """
    moments = {
        int(iteration): [run / "figures" / "history" / f"{name}_{iteration}.png" for name in names]
        for iteration in (path.stem.rpartition("_")[2] for path in history(run, names[0]))
    }
    if (summary := read_summary(run)) is not None:
        moments[summary.iterations] = [run / "figures" / f"{name}.png" for name in names]
    shown = [paths for _, paths in sorted(moments.items()) if all(path.is_file() for path in paths)]
    if len(shown) < 2:
        raise RunError(f"{run} has not even two grids: one is drawn every callbacks.traversals_every iterations")
    sizes = np.array([[read_picture(path)[1].size for path in paths] for paths in shown])
    width, height = sizes.max(axis=(0, 1)).tolist()
    columns = len(names) if len(names) <= 3 else math.ceil(math.sqrt(len(names)))
    for paths, count in zip(shown, _shares(frames, len(shown)), strict=True):
        frame = Image.new("RGB", (columns * width, math.ceil(len(names) / columns) * height), PAPER)
        for k, path in enumerate(paths):
            frame.paste(read_picture(path)[1], (k % columns * width, k // columns * height))
        yield from [frame] * count


def walk(trained: Trained, name: str, frames: int) -> Iterator[Image.Image]:
    """A walk through a code and back, `Latents.walk`, for some draws of all else side by side; for a code that is no
    choice itself each with the next category of every code that is one, as in the grids."""
    latents, data = trained.latents, trained.config.data.name
    code = latents.code(name)
    base, differences = latents.sample(trained.config.seed, "film", 0, range(NOISES)), "another draw of all else"
    if not isinstance(code.domain, Choice):
        chosen = categories_in_turn(latents, NOISES)
        differences += ", and the next category" if chosen else ""
        for other, rows in chosen.items():
            base = latents.replaced(base, other, rows)
    named = trained.matching if code == trained.scored_code else None
    for row in latents.walk(name, frames):
        images = trained.images(latents.replaced(base, name, row))
        factor = max(1, round(CELL / images.shape[1]))
        images = images.repeat(factor, axis=1).repeat(factor, axis=2)
        grid = images.reshape(-1, COLUMNS, *images.shape[1:])
        value = code.values(row.unsqueeze(0))[0].tolist()
        matched = f" (class {shortened(named[int(value[0])])})" if named else ""
        title = f"{data}: {name} = {code.domain.in_film(value)}{matched}"
        yield labelled_grid(grid, title, [], [], f"each image: {differences}")


def write_film(path: Path, frames: Iterable[Image.Image], fps: int, form: Literal["mp4", "gif"]) -> tuple[int, int]:
    """Writes the frames as H.264 in MP4, or as a GIF that starts again at its end; returns width and height, which are
    even numbers. Raises RunError where the file cannot be written."""
    frames = iter(frames)
    first = next(frames)
    size = (first.width + first.width % 2, first.height + first.height % 2)
    fitted = (_on_paper(frame, size) for frame in chain([first], frames))
    write_atomically(path, lambda staged: (_write_mp4 if form == "mp4" else _write_gif)(staged, fitted, fps, size))
    return size


def expected(frame: Image.Image, frames: int, seconds: float, form: Literal["mp4", "gif"]) -> Amount:
    """What a film of so many frames like this one, drawn in so many seconds, takes at most: those that are alike take
    less. H.264 makes a frame smaller than JPEG does."""
    start = time.perf_counter()
    frame.save(encoded := BytesIO(), **({"format": "GIF"} if form == "gif" else {"format": "JPEG", "quality": 90}))
    return Amount(frames * len(encoded.getvalue()), 1, frames * (seconds + time.perf_counter() - start))


def available() -> Literal["mp4", "gif"]:
    """MP4 where the package is there that it needs."""
    return "gif" if find_spec("imageio_ffmpeg") is None else "mp4"


def check_package(form: Literal["mp4", "gif"]) -> None:
    """Raises ConfigError where the package is missing that this format needs."""
    if form == "mp4" and available() != "mp4":
        raise ConfigError("format=mp4 needs imageio-ffmpeg: pip install 'infogan-lab[film]', or format=gif")


def _write_mp4(path: Path, frames: Iterable[Image.Image], fps: int, size: tuple[int, int]) -> None:
    from imageio_ffmpeg import count_frames_and_secs, write_frames

    options = ["-crf", "18", "-f", "mp4"]  # the name of a staged file tells no format
    writer = write_frames(path, size, fps=fps, codec="libx264", quality=None, macro_block_size=2, output_params=options)
    sent = 0
    try:
        writer.send(None)
        for frame in frames:
            writer.send(frame.tobytes())
            sent += 1
        writer.close()
        written, _ = count_frames_and_secs(path)  # at its end ffmpeg fails without a word
    except (OSError, RuntimeError) as error:
        raise OSError(f"ffmpeg: {' '.join(str(error).split())}") from None
    if written != sent:
        raise OSError(f"ffmpeg wrote {written} of {sent} frames")


def _write_gif(path: Path, frames: Iterable[Image.Image], fps: int, size: tuple[int, int]) -> None:
    frames = iter(frames)
    next(frames).save(path, format="GIF", save_all=True, append_images=frames, duration=1000 // fps, loop=0)


def _on_paper(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    canvas = Image.new("RGB", size, PAPER)
    canvas.paste(frame)
    return canvas


def _shares(total: int, parts: int) -> list[int]:
    """`total` in so many parts, as even as whole numbers can be."""
    ends = [k * total // parts for k in range(parts + 1)]
    return [end - start for start, end in pairwise(ends)]
