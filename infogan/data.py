"""`python -m infogan.data data=<name>`: what a data set is, and a contact sheet of it."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from infogan.datamodules.base import ImageDataModule

COLUMNS = 12
ROWS = 10


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="data_sheet")
def job(values: DictConfig) -> None:
    """Prepares the images if that was not done yet, tells what they are, and draws some."""
    from pathlib import Path

    from infogan.config.check import check
    from infogan.experiments.build import build_data
    from infogan.run_folder.files import save_picture

    with ends_as_one_line():
        config = check(plain(values))
        data = build_data(config)
        data.prepare_data()
        sheet = Path(config.paths.outputs) / "contact_sheets" / f"{data.data_set}.png"
        save_picture(sheet, contact_sheet(data))
        tell(data)
        print(f"contact sheet: {sheet}")


def tell(data: "ImageDataModule") -> None:
    """A table on the terminal."""
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    train, test = data.split("train"), data.split("test")
    channels, height, width = data.image_shape
    pixels = train.images[:: max(1, len(train.images) // 1000)]
    table = Table(title=f"data={data.data_set}", show_header=False)
    table.add_row("images", f"{len(train.images):,} to train on, {len(test.images):,} to test on")
    table.add_row("shape", f"{channels} × {height} × {width} (channels, height, width), uint8")
    table.add_row("range", f"{int(pixels.min())} to {int(pixels.max())} (in {len(pixels):,} images)")
    if train.labels is not None:
        counts = np.bincount(train.labels.numpy(), minlength=data.classes)
        lines = [f"{name}: {count:,}" for name, count in zip(data.class_names, counts, strict=True)]
        table.add_row("classes", ", ".join(lines[:40]) + (f" … {len(lines)} in all" if len(lines) > 40 else ""))
    if train.factors is not None:
        for name, values in zip(data.factor_names, train.factors.numpy().T, strict=True):
            different = len(np.unique(values))
            table.add_row(f"factor {name}", f"{values.min():g} to {values.max():g}, {different:,} different values")
    table.add_row("licence", data.licence)
    table.add_row("from", str(data.store.manifest["source"]))
    table.add_row("store", str(data.store_folder))
    Console().print(table)


def contact_sheet(data: "ImageDataModule") -> "Image.Image":
    """Images to train on: a row for each class; else for each factor, which grows to the right; else any."""
    import numpy as np

    from infogan.figures.grids import labelled_grid

    train = data.split("train")
    if train.labels is not None and data.classes <= 2 * ROWS:
        labels = train.labels.numpy()
        rows = [_spread(np.flatnonzero(labels == k)) for k in range(data.classes)]
        names = list(data.class_names)
    elif train.factors is not None:
        rows = [_spread(np.argsort(values, kind="stable")) for values in train.factors.numpy().T[:ROWS]]
        names = [f"{name}, low to high" for name in data.factor_names[:ROWS]]
    else:
        rows, names = list(_spread(np.arange(len(train.images)), ROWS * COLUMNS).reshape(ROWS, COLUMNS)), []
    images = train.images.numpy()[np.stack(rows)].transpose(0, 1, 3, 4, 2)
    return labelled_grid(images, f"{data.data_set}: images to train on", [], names)


def _spread(candidates: "np.ndarray", count: int = COLUMNS) -> "np.ndarray":
    """`count` of them in even steps from the first to the last, with repetition where there are fewer."""
    import numpy as np

    return candidates[np.linspace(0, len(candidates) - 1, count).astype(int)]


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
