"""`python -m infogan.data data=<name>`: what a data set is, and a contact sheet of it."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import asked, plain, start
from infogan.errors import ends_as_one_line

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="data_sheet")
def job(values: DictConfig) -> None:
    """Prepares the images if that was not done yet, says what they are, and draws some."""
    from pathlib import Path

    from infogan.config.check import check_section
    from infogan.config.training import DataSheetConfig
    from infogan.datamodules.contact_sheet import consistencies, contact_sheet, transforms_sheet
    from infogan.experiments.build import build_data
    from infogan.run_folder.files import save_picture

    with ends_as_one_line(), asked(values):
        config = check_section(plain(values), DataSheetConfig)
        asked_for = consistencies(config.model) if config.transforms else []
        data = build_data(config)
        data.prepare_data()
        folder = Path(config.paths.outputs) / "contact_sheets"
        sheets = {data.data_set: contact_sheet(data)}
        for regulariser in asked_for:
            sheets[f"{data.data_set}_{regulariser.name}"] = transforms_sheet(data, regulariser, config.seed)
        show(data)
        for name, sheet in sheets.items():
            save_picture(folder / f"{name}.png", sheet)
            print(f"contact sheet: {folder / name}.png")


def show(data: "ImageDataModule") -> None:
    """A table on the terminal."""
    import numpy as np

    from infogan.datamodules.store import drawn_rows
    from infogan.terminal import Column, show_table

    train, test = data.split("train"), data.split("test")
    channels, height, width = data.image_shape
    pixels = train.images[drawn_rows(len(train.images), 1000, seed=0)]
    rows = [
        ["images", f"{len(train.images):,} to train on, {len(test.images):,} to test on"],
        ["shape", f"{channels} × {height} × {width} (channels, height, width), uint8"],
        ["range", f"{int(pixels.min())} to {int(pixels.max())} (in {len(pixels):,} images)"],
    ]
    if train.labels is not None:
        counts = np.bincount(train.labels.numpy(), minlength=data.classes)
        lines = [f"{name}: {count:,}" for name, count in zip(data.class_names, counts, strict=True)]
        rows.append(["classes", ", ".join(lines[:40]) + (f" … {len(lines)} in all" if len(lines) > 40 else "")])
    if train.factors is not None:
        for name, values in zip(data.factor_names, train.factors.numpy().T, strict=True):
            different = len(np.unique(values))
            rows.append([f"factor {name}", f"{values.min():g} to {values.max():g}, {different:,} different values"])
    rows.append(["licence", data.licence])
    show_table(f"data={data.data_set}", [Column(""), Column("", wraps=True)], rows)
    print(f"from: {data.store.manifest['source']}\nstore: {data.store_folder}")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
