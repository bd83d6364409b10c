"""`python -m infogan.generate`: images with the codes that were asked for, for whoever trains on them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ConfigError, ends_as_one_line

if TYPE_CHECKING:
    from infogan.codes.selection import Selection
    from infogan.config.opening import GenerateConfig
    from infogan.trained.image_sets import Batch
    from infogan.trained.model import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="generate")
def job(values: DictConfig) -> None:
    """Opens the run and writes its images, all or none."""
    from pathlib import Path

    from infogan.config.check import check_section
    from infogan.config.opening import GenerateConfig
    from infogan.run_folder.paths import find_run
    from infogan.trained.model import device_of, load_whole

    with ends_as_one_line():
        config = check_section(plain(values), GenerateConfig)
        run = find_run(config.run, Path(config.paths.outputs))
        generate(load_whole(run, device_of(config.accelerator), print), config)


def generate(trained: "Trained", config: "GenerateConfig") -> None:
    """All of it; see the command's help."""
    from pathlib import Path

    from infogan.run_folder.files import unused, whole_folder
    from infogan.run_folder.paths import timestamp
    from infogan.terminal import progress
    from infogan.trained.image_sets import draw, write_arrays, write_pictures

    selected = chosen(trained, config.codes, config.label)
    for name, selection in selected.items():
        if selection.beyond is not None:
            print(f"{name} {selection.beyond}")
    default = Path(config.paths.outputs) / "generated" / f"{timestamp()}_{trained.config.data.name}"
    place = unused(default) if config.to is None else Path(config.to).expanduser()
    write = write_pictures if config.format == "png" else write_arrays
    with whole_folder(place) as staged, progress("generating", config.count) as advance:
        batches = draw(trained, config.count, config.seed, selected)
        write(staged, counted(batches, advance), trained.latents.value_names, config.count)
    print(f"{config.count:,} images of {trained.folder}, {trained.iteration:,} iterations")
    print(f"images: {place}" + ("/images.npz" if config.format == "npz" else "   codes: codes.csv there"))


def chosen(trained: "Trained", codes: Mapping[str, object], label: str | None) -> "dict[str, Selection]":
    """What the codes are drawn from, by name; `label` stands for its category of the scored code,
    and says which. Raises ConfigError."""
    selected = trained.latents.selections(codes)
    if label is None:
        return selected
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
    print(f"label={label}: {scored.name} = {categories[label]}")
    return selected | {scored.name: scored.domain.selection(categories[label])}


def counted(batches: "Iterable[Batch]", advance: Callable[[int], object]) -> "Iterator[Batch]":
    """The same batches; `advance` hears how many images of each have been used."""
    for batch in batches:
        yield batch
        advance(len(batch.images))


def main() -> None:
    start(job, open_section="codes")


if __name__ == "__main__":
    main()
