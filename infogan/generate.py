"""`python -m infogan.generate`: images with the codes that were asked for, for whoever trains on them."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start

if TYPE_CHECKING:
    from infogan.config.opening import GenerateConfig
    from infogan.trained.model import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="generate")
def job(values: DictConfig) -> None:
    """Opens the run and writes its images, all or none."""
    from pathlib import Path

    from infogan.config.opening import GenerateConfig
    from infogan.run_folder.paths import open_run
    from infogan.trained.model import device_of, load_whole

    with opened(values, GenerateConfig) as config:
        run = open_run(config.run, Path(config.paths.outputs), print)
        generate(load_whole(run, device_of(config.accelerator), print), config)


def generate(trained: "Trained", config: "GenerateConfig") -> None:
    """All of it; see the command's help."""
    import time
    from itertools import chain
    from pathlib import Path

    from infogan.run_folder.amounts import allow
    from infogan.run_folder.files import unused, whole_folder
    from infogan.run_folder.paths import safe_name, timestamp
    from infogan.terminal import counted, progress
    from infogan.trained.image_sets import category_of, draw, expected, write_arrays, write_pictures

    selected = trained.latents.selections(config.codes)
    if config.label is not None:
        code, category = category_of(trained, config.label, selected)
        print(f"label={config.label}: {code.name} = {category}")
        selected[code.name] = code.domain.selection(category)
    for name, selection in selected.items():
        if selection.beyond is not None:
            print(f"{name} {selection.beyond}")
    default = Path(config.paths.outputs) / "generated" / f"{timestamp()}_{safe_name(trained.config.data.name)}"
    place = unused(default) if config.to is None else Path(config.to).expanduser()
    write = write_pictures if config.format == "png" else write_arrays
    start, batches = time.perf_counter(), draw(trained, config.count, config.seed, selected)
    first = next(batches)
    amount = expected(first, time.perf_counter() - start, config.count, config.format)
    allow(f"count={config.count}", amount, place)
    print(f"count={config.count}: {amount}")
    with whole_folder(place) as staged, progress("generating", config.count) as advance:
        counting = counted(chain([first], batches), advance, lambda batch: len(batch.images))
        write(staged, counting, trained.latents.value_names, config.count)
    print(f"{config.count:,} images of {trained.folder}, {trained.iteration:,} iterations")
    print(f"images: {place}" + ("/images.npz" if config.format == "npz" else "   codes: codes.csv there"))


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
