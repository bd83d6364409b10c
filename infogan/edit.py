"""`python -m infogan.edit`: what Q reads from a picture, and the picture with other codes."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start
from infogan.errors import ConfigError

if TYPE_CHECKING:
    from infogan.config.opening import EditConfig
    from infogan.trained.model import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="edit")
def job(values: DictConfig) -> None:
    """Opens the run and the picture, and draws what becomes of it."""
    from pathlib import Path

    from infogan.config.opening import EditConfig
    from infogan.run_folder.paths import open_run
    from infogan.trained.model import device_of, load_whole

    with opened(values, EditConfig) as config:
        run = open_run(config.run, Path(config.paths.outputs), print)
        edit(load_whole(run, device_of(config.accelerator), print), config)


def edit(trained: "Trained", config: "EditConfig") -> None:
    """All of it; see the command's help."""
    from pathlib import Path

    import numpy as np

    from infogan.figures.grids import labelled_grid
    from infogan.run_folder.files import save_picture, unused
    from infogan.run_folder.paths import safe_name, timestamp
    from infogan.terminal import progress
    from infogan.trained.editing import as_read, described, edited, inverted, judged, read, reading, refuse_two_strips

    selected = trained.latents.selections(config.codes)
    refuse_two_strips(selected)
    assert config.image is not None
    default = Path(config.paths.outputs) / "edits" / f"{timestamp()}_{safe_name(trained.config.data.name)}.png"
    place = unused(default) if config.to is None else Path(config.to).expanduser()
    if place.exists():
        raise ConfigError(f"to={config.to}: it exists already; name another file")
    original = read(Path(config.image).expanduser(), trained.generator.image_shape)

    found_codes = reading(trained, original)
    said = described(found_codes, trained)
    print(f"{trained.folder}, {trained.iteration:,} iterations, reads {said}")
    print(f"looking for the noise: {config.inversion.restarts} starts, {config.inversion.iterations} iterations")
    with progress("looking for the noise", config.inversion.iterations) as advance:
        found = inverted(
            trained, original, as_read(trained, found_codes.values), config.inversion, config.seed, advance
        )
    beyond = [f"{name} {selection.beyond}" for name, selection in selected.items() if selection.beyond is not None]
    for line in [*judged(found), *beyond]:
        print(line)
    latents, labels = edited(trained, found.latent, selected, config.steps)
    images = np.stack([original, *trained.images(found.latent), *trained.images(latents)])
    columns = ["original", "recon-\nstruction", *labels]
    picture = labelled_grid(images[None], Path(config.image).name, columns, [], f"Q reads {said}")
    save_picture(place, picture)
    print(f"picture: {place}")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
