"""A run that commands open."""

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.config import check
from infogan.experiment import create, train


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """The folder of a run of 20 iterations on digits: its matching of categories to classes is there, if not good."""
    outputs = tmp_path_factory.mktemp("digits_run")
    limits = ["trainer=cpu", "trainer.threads=1", "trainer.max_iterations=20", "callbacks.traversal_rows=2"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", ["data=digits", "logger=none", f"paths.stores={outputs}/stores", *limits])
    folder = create(check(OmegaConf.to_container(values, resolve=True)), outputs, "run")
    train(folder)
    return folder
