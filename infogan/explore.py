"""`python -m infogan.explore`: a trained model's codes under sliders, on a page in the browser."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start
from infogan.errors import DataError, RunError

if TYPE_CHECKING:
    import numpy as np

    from infogan.config.opening import ExploreConfig
    from infogan.trained.model import Trained

REAL_IMAGES = 24
"""Images of the data set to choose from."""


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="explore")
def job(values: DictConfig) -> None:
    """Opens the run, and serves its page until a signal asks to end."""
    from pathlib import Path

    from infogan.config.opening import ExploreConfig
    from infogan.run_folder.paths import open_run
    from infogan.trained.model import device_of, load_whole

    with opened(values, ExploreConfig) as config:
        run = open_run(config.run, Path(config.paths.outputs), print)
        explore(load_whole(run, device_of(config.accelerator), print), config)


def explore(trained: "Trained", config: "ExploreConfig") -> None:
    """All of it; see the command's help."""
    import webbrowser

    try:
        from infogan.explorer.page import build
        from infogan.explorer.server import listening, serve
    except ModuleNotFoundError:
        raise RunError("the explorer needs an extra of this package: pip install 'infogan-lab[explorer]'") from None
    from infogan.explorer.answers import Explorer

    with listening(config.port) as address:
        real, why = real_images(trained, config)
        page = build(Explorer(trained, real, why, config.inversion, config.seed), config.seed)
        url = "http://{}:{}/".format(*address.getsockname())
        print(f"{trained.folder}, {trained.iteration:,} iterations: {url} (Ctrl-C ends it)", flush=True)
        if config.browser:
            webbrowser.open(url)
        serve(page, address)


def real_images(trained: "Trained", config: "ExploreConfig") -> "tuple[np.ndarray, str]":
    """Some of the test split, (N, H, W, C) uint8; where the data set cannot be had none, and why."""
    import numpy as np

    from infogan.experiments.build import data_of
    from infogan.explorer.answers import some_of

    try:
        images = data_of(trained.config, config.paths).split("test").images
        return some_of(images, REAL_IMAGES, config.seed), ""
    except DataError as error:
        print(f"without images of the data set: {error}")
        return np.empty((0,), np.uint8), str(error)


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
