"""Short training runs."""

import pytest

from infogan.config.check import check
from infogan.experiments.prepare import create
from tests.infogan.training.options import SHORT


@pytest.fixture
def make_run(compose_values, tmp_path):
    def run(name, iterations, *overrides):
        values = compose_values(f"trainer.max_iterations={iterations}", *SHORT, *overrides)
        return create(check(values), tmp_path, name)

    return run
