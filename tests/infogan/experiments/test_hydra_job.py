"""What may be changed beside run=."""

import pytest

from infogan.errors import ConfigError
from infogan.experiments.hydra_job import changes_beside_run


def test_what_may_be_given_beside_run():
    changes = changes_beside_run(["run=latest", "trainer.max_iterations=7", "paths.data=/x"])
    assert changes == {"trainer": {"max_iterations": 7}, "paths": {"data": "/x"}}


@pytest.mark.parametrize("override", ["seed=3", "logger=none", "model.lambda_categorical=2", "data=mnist"])
def test_what_may_not_be_given_beside_run(override):
    with pytest.raises(ConfigError, match=f"^{override}: a run that continues keeps this"):
        changes_beside_run(["run=latest", override])
