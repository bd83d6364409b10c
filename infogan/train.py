"""`python -m infogan.train`: trains a run, or goes on with one (`run=<folder>`, `run=latest`)."""

import hydra
from omegaconf import DictConfig, OmegaConf

from infogan.errors import ends_as_one_line


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="train")
def job(values: DictConfig) -> None:
    from pathlib import Path
    from infogan import experiment, storage

    config = OmegaConf.to_container(values, resolve=True)
    folder = experiment.create(config, Path(config["paths"]["outputs"]), storage.timestamp())
    experiment.train(folder)


def main() -> None:
    with ends_as_one_line():
        job()


if __name__ == "__main__":
    main()
