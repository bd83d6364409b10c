"""Generated images with the codes that made them: drawn in batches, written as picture files or as arrays."""

import csv
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from infogan.codes.code import Code
from infogan.codes.latents import Selected
from infogan.errors import ConfigError
from infogan.run_folder.amounts import Amount, on_disk
from infogan.trained.model import Trained

ENCODED = 20
"""Images by which the size of all is judged."""


@dataclass(frozen=True)
class Batch:
    """`images`: (N, H, W, C) uint8. `codes`: (N, D) float32, the columns of `Latents.values`.

    `labels`: the class that each image's category stands for, None where the run has no matching. `groups`: the
    sub-folder of each image, its class, else the category of the first categorical code, else `all`.
    """

    images: np.ndarray
    codes: np.ndarray
    labels: list[str] | None
    groups: list[str]


def category_of(trained: Trained, label: str, selected: Selected) -> tuple[Code, int]:
    """The scored code, and its category that is matched to a class. Raises ConfigError where there is none, or where
    that code is `selected` already."""
    scored, matching = trained.scored_code, trained.matching
    if scored is None or matching is None:
        raise ConfigError(
            f"label={label}: {trained.folder} matches no categories to classes (a finished run on labelled images with "
            "a code of as many categories does); codes.<name>=<category> names a category"
        )
    if scored.name in selected:
        raise ConfigError(f"label={label} chooses {scored.name} itself: leave one of label and codes.{scored.name} out")
    categories = {name: category for category, name in matching.items()}
    if label not in categories:
        raise ConfigError(f"label={label}: there is no such class; the run knows {', '.join(sorted(categories))}")
    return scored, categories[label]


def draw(trained: Trained, count: int, seed: int, selected: Selected) -> Iterator[Batch]:
    """The images of `Trained.latent_batches`, with what made them."""
    scored = trained.scored_code
    grouping = scored or next((code for code in trained.latents.codes if code.groups is not None), None)
    for latent in trained.latent_batches(count, seed, selected):
        codes = trained.latents.values(latent).numpy()
        labels, groups = None, ["all"] * len(latent)
        if grouping is not None and (found := grouping.group(trained.latents.split(latent)[grouping.name])) is not None:
            categories = found.tolist()
            # Who sorts the folders by name has them in the order of categories.
            width = len(str((grouping.groups or 1) - 1))
            groups = [f"{category:0{width}d}" for category in categories]
            if scored is not None and trained.matching is not None:
                labels = [trained.matching[category] for category in categories]
                groups = [folder_name(label) for label in labels]
        yield Batch(trained.images(latent), codes, labels, groups)


def write_pictures(place: Path, batches: Iterable[Batch], names: list[str], count: int) -> None:
    """`<group>/<number>.png`, as torchvision's ImageFolder reads them, and codes.csv: file, label where there is one,
    and the value of each code, `names`."""
    digits, number = max(6, len(str(count - 1))), 0
    with (place / "codes.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        for batch in batches:
            if number == 0:
                table.writerow(["file", *([] if batch.labels is None else ["label"]), *names])
            for k, (image, group) in enumerate(zip(batch.images, batch.groups, strict=True)):
                path = f"{group}/{number:0{digits}d}.png"
                (place / group).mkdir(exist_ok=True)
                picture(image).save(place / path)
                label = [] if batch.labels is None else [batch.labels[k]]
                table.writerow([path, *label, *(f"{value:.6g}" for value in batch.codes[k])])
                number += 1


def write_arrays(place: Path, batches: Iterable[Batch], names: list[str], count: int) -> None:
    """images.npz: `images` (count, H, W, C) uint8, `codes` (count, D) float32, `code_names`, and `labels` where there
    are any. The images go through to the disk batch by batch."""
    codes: list[np.ndarray] = []
    labels: list[str] = []
    with zipfile.ZipFile(place / "images.npz", "w") as archive:
        with archive.open("images.npy", "w", force_zip64=True) as file:
            for batch in batches:
                if not codes:
                    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *batch.images.shape[1:])}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(batch.images.tobytes())
                codes.append(batch.codes)
                labels += batch.labels or []
        arrays = {"codes": np.concatenate(codes), "code_names": np.array(names)}
        for name, array in (arrays | ({"labels": np.array(labels)} if labels else {})).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def picture(image: np.ndarray) -> Image.Image:
    """(H, W, C) uint8, gray or colour."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def expected(batch: Batch, seconds: float, count: int, form: Literal["png", "npz"]) -> Amount:
    """What `count` images take on the disk, judged by a batch of them that was drawn in so many seconds."""
    row = batch.codes[0].nbytes + (0 if batch.labels is None else 4 * max(map(len, batch.labels)))
    each = seconds / len(batch.images)
    if form == "npz":
        return Amount(count * (batch.images[0].nbytes + row), 1, count * each)
    start, sizes = time.perf_counter(), []
    for image in batch.images[:ENCODED]:
        picture(image).save(encoded := BytesIO(), format="PNG")
        sizes.append(on_disk(len(encoded.getvalue())))
    each += (time.perf_counter() - start) / len(sizes)
    return Amount(count * (sum(sizes) // len(sizes) + 3 * row), count + 1, count * each)  # numbers as text in codes.csv


def folder_name(label: str) -> str:
    """A class's name as one part of a path."""
    return label.replace("/", "_").replace("\\", "_").lstrip(".") or "_"
