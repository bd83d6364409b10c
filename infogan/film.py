"""`python -m infogan.film`: the grids of a run over training, or a walk through one of its codes."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start
from infogan.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.config.opening import FilmConfig


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="film")
def job(values: DictConfig) -> None:
    """Finds the run and films it."""
    from pathlib import Path

    from infogan.config.opening import FilmConfig
    from infogan.run_folder.paths import open_run

    with opened(values, FilmConfig) as config:
        film(open_run(config.run, Path(config.paths.outputs), print), config)


def film(run: "Path", config: "FilmConfig") -> None:
    """All of it; see the command's help."""
    import time
    from itertools import chain
    from pathlib import Path

    from infogan.run_folder.amounts import allow
    from infogan.run_folder.configuration import read_config
    from infogan.run_folder.files import unused
    from infogan.run_folder.paths import safe_name, timestamp
    from infogan.terminal import counted, progress
    from infogan.trained.films import check_package, expected, over_training, walk, write_film
    from infogan.trained.model import load_whole

    check_package(config.format)
    trained_with = read_config(run)
    names = list(trained_with.model.codes)
    if config.code is not None and config.code not in names:
        raise ConfigError(f"code={config.code}: there is no such code; the model has {', '.join(names)}")
    default = (
        Path(config.paths.outputs) / "films" / f"{timestamp()}_{safe_name(trained_with.data.name)}.{config.format}"
    )
    place = unused(default) if config.to is None else Path(config.to).expanduser()
    if place.exists():
        raise ConfigError(f"to={config.to}: it exists already; name another file")
    count = round(config.seconds * config.fps)
    if config.code is None:
        frames = over_training(run, names, count)
    else:
        frames = walk(load_whole(run, "cpu", print), config.code, count)
    start, first = time.perf_counter(), next(frames)
    amount = expected(first, count, time.perf_counter() - start, config.format)
    allow(f"seconds={config.seconds:g} fps={config.fps}", amount, place)
    print(f"seconds={config.seconds:g} fps={config.fps}: at most {amount}")
    with progress("filming", count) as advance:
        width, height = write_film(place, counted(chain([first], frames), advance), config.fps, config.format)
    print(f"film: {place}   {count} frames of {width}×{height} pixels, {count / config.fps:g} s")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
