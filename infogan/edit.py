"""`python -m infogan.edit`: what Q reads from a picture, and the picture with other codes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import plain, start
from infogan.errors import ConfigError, DataError, ends_as_one_line

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor

    from infogan.config import EditConfig, InversionConfig
    from infogan.inversion import Inversion
    from infogan.latents import Choice
    from infogan.trained import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="edit")
def job(values: DictConfig) -> None:
    """Opens the run and the picture, and draws what becomes of it."""
    from pathlib import Path

    from infogan.config import EditConfig, check_section
    from infogan.storage import find_run
    from infogan.trained import device_of, load_whole

    with ends_as_one_line():
        config = check_section(plain(values), EditConfig)
        run = find_run(config.run, Path(config.paths.outputs))
        edit(load_whole(run, device_of(config.accelerator), print), config)


def edit(trained: "Trained", config: "EditConfig") -> None:
    """All of it; see the command's help."""
    from pathlib import Path

    import numpy as np

    from infogan.figures.grids import labelled_grid
    from infogan.storage import save_picture, timestamp, unused

    choices = trained.latents.choices(config.codes)
    refuse_two_strips(choices)
    assert config.image is not None
    default = Path(config.paths.outputs) / "edits" / f"{timestamp()}_{trained.config.data.name}.png"
    place = unused(default) if config.to is None else Path(config.to).expanduser()
    if place.exists():
        raise ConfigError(f"to={config.to}: it exists already; name another file")
    original = read(Path(config.image).expanduser(), trained.generator.image_shape)

    codes, likely = reading(trained, original)
    said = described(codes, likely, trained)
    print(f"{trained.folder}, {trained.iteration:,} iterations, reads {said}")
    print(f"looking for the noise: {config.inversion.restarts} starts, {config.inversion.iterations} iterations")
    found = inverted(trained, original, trained.latents.choices(codes), config.inversion, config.seed)
    print(f"reconstructed: pixels are off by {found.error:.3f} (RMS), by {found.error_before:.3f} with random noise")
    if found.poor:
        print(
            "a poor reconstruction: this model has not learned to draw such a picture, and the edit is of another one"
        )
    for line in filter(None, (choice.extrapolation for choice in choices.values())):
        print(line)
    latents, labels = edited(trained, found.latent, choices, config.steps)
    images = np.stack([original, *trained.images(found.latent), *trained.images(latents)])
    columns = ["original", "recon-\nstruction", *labels]
    picture = labelled_grid(images[None], Path(config.image).name, columns, [], f"Q reads {said}")
    save_picture(place, picture)
    print(f"picture: {place}")


def refuse_two_strips(choices: "Mapping[str, Choice]") -> None:
    """Raises ConfigError where several codes take several values: the picture is one strip."""
    moving = [name for name, choice in choices.items() if len(choice.points(2)[1]) > 1]
    if len(moving) > 1:
        raise ConfigError(f"codes.{' and codes.'.join(moving)} take several values: only one code at a time can")


def read(path: "Path", image_shape: tuple[int, ...]) -> "np.ndarray":
    """A picture file of any size as the model's (H, W, C) uint8, as data=folder would read it. Raises DataError."""
    import numpy as np

    from datamodules.sources.pictures import Decoder, Picture, Pictures

    if not path.is_file():
        raise DataError(f"image={path}: there is no such file")
    channels, size, _ = image_shape
    picture = Picture(path.name, path.stat().st_size)
    pixels = Decoder(Pictures(path.parent, "folder", (picture,)), size, channels, skip_broken=False).decode(picture)
    return np.array(pixels).reshape(size, size, channels)  # a copy that may be written to, as PyTorch wants it


def reading(trained: "Trained", image: "np.ndarray") -> "tuple[dict[str, int | float], dict[str, float]]":
    """(H, W, C) uint8 → the value of each code as Q reads it, by name, and of a category how likely it is."""
    means = trained.encode(image[None])
    codes = {code.name: code.numbers(means[code.name]).item() for code in trained.latents.codes}
    likely = {code.name: means[code.name].max().item() for code in trained.latents.codes if code.classes is not None}
    return codes, likely


def described(codes: "Mapping[str, int | float]", likely: Mapping[str, float], trained: "Trained") -> str:
    """What Q reads, for people: `c1 = 3 (97 %, class 7), c2 = +0.31`."""
    said = []
    for name, value in codes.items():
        (label,) = trained.latents.code(name).choice(value).points(1)[1]
        notes = [f"{likely[name]:.0%}"] if name in likely else []
        if trained.matching is not None and trained.scored_code == trained.latents.code(name):
            notes.append(f"class {trained.matching[int(value)]}")
        said.append(f"{name} = {label}" + (f" ({', '.join(notes)})" if notes else ""))
    return ", ".join(said)


def inverted(
    trained: "Trained", image: "np.ndarray", codes: "Mapping[str, Choice]", config: "InversionConfig", seed: int
) -> "Inversion":
    """The noise of an image (H, W, C) uint8, all codes being given; errors are of pixels in [0, 1]."""
    import torch

    from datamodules.store import progress
    from infogan.inversion import invert

    low, high = trained.value_range
    device = next(trained.generator.parameters()).device
    starts = trained.latents.sample(seed, "edit", 0, range(config.restarts), codes).to(device)
    with progress("looking for the noise", config.iterations) as advance:
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


def edited(
    trained: "Trained", latent: "Tensor", choices: "Mapping[str, Choice]", steps: int
) -> "tuple[Tensor, list[str]]":
    """A latent (1, width) with the codes as chosen → (frames, width), one that takes several values in `steps`, and
    what each frame has, `c2=+1.5`. No choices: no frames."""
    values = {name: choice.points(steps) for name, choice in choices.items()}
    frames = max((len(labels) for _, labels in values.values()), default=0)
    latents, lines = latent.repeat(frames, 1), [""] * frames
    for name, (points, labels) in values.items():
        latents = trained.latents.replaced(latents, name, points)
        lines = [f"{line}\n{name}={label}" for line, label in zip(lines, labels * (frames // len(labels)), strict=True)]
    return latents, [line.strip() for line in lines]


def main() -> None:
    start(job, open_section="codes")


if __name__ == "__main__":
    main()
