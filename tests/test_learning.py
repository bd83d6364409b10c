"""A short real training: InfoGAN learns its codes, the plain GAN of figure 1 does not."""

import json

import pytest

from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.metrics import read_metrics


@pytest.fixture
def information(compose_values, tmp_path):
    def run(name, *overrides):
        values = compose_values("trainer.max_iterations=900", "callbacks.log_every=20", *overrides)
        folder = create(check(values), tmp_path, name)
        return train(folder), read_metrics(folder).rows

    return run


def test_infogan_learns_its_categorical_code_and_the_baseline_does_not(information):
    infogan, curve = information("infogan")
    baseline, _ = information("baseline", "experiment=gan_baseline")
    assert 2.0 < infogan.information["c1"] <= infogan.entropy["c1"] + 1e-6
    assert baseline.information["c1"] < infogan.information["c1"] - 1
    assert curve[-1]["information/c1"] > 2.0
    assert 0.45 < infogan.acc <= 1, "categories are digits: chance is 0.1"
    assert json.dumps(infogan.values())


@pytest.mark.long
def test_mnist_trains_on_the_real_files(compose_values, tmp_path, real_data):
    """The end takes all 70,000 images through D, which is what makes this test long."""
    values = compose_values("data=mnist", f"paths.data={real_data}", "trainer.max_iterations=2")
    summary = train(create(check(values), tmp_path, "mnist"))
    assert summary.iterations == 2
    assert 0.0 <= summary.acc <= 1
