"""From a configuration to the objects of a training."""

import lightning as L
import pytest
import torch

from infogan.config.check import check
from infogan.config.opening import OpenedPathsConfig
from infogan.errors import ConfigError
from infogan.experiments.build import added_loggers, build_data, build_module, build_trainer, data_of, further_callbacks
from infogan.training.signals import StopSignals


@pytest.fixture
def config_of(compose_values):
    def config(*overrides):
        return check(compose_values(*overrides))

    return config


def test_the_data_set_is_the_one_that_is_named(config_of, tmp_path):
    data = build_data(config_of("data=digits", f"paths.data={tmp_path}/data", "data.batch_size=50"))
    assert (data.data_set, data.root, data.batch_size) == ("digits", tmp_path / "data", 50)
    assert not (tmp_path / "data").exists(), "nothing is read yet"


def test_the_data_of_a_run_may_have_moved(config_of, tmp_path):
    config = config_of("data=digits", f"paths.stores={tmp_path}/then")
    moved = data_of(config, OpenedPathsConfig(outputs="", data=None, stores=f"{tmp_path}/now"))
    assert moved.stores == tmp_path / "now" and moved.train_size == 1437
    assert not (tmp_path / "then").exists()


def test_weights_are_a_function_of_the_seed(config_of):
    first, again, other = (build_module(config_of(f"seed={seed}")) for seed in (3, 3, 4))
    states = [
        torch.cat([t.flatten().float() for t in module.state_dict().values()]) for module in (first, again, other)
    ]
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_loggers(config_of, tmp_path):
    assert added_loggers(config_of("logger=none"), tmp_path) == []
    (logger,) = added_loggers(config_of("logger=csv"), tmp_path)
    assert isinstance(logger, L.pytorch.loggers.CSVLogger)
    (tmp_path / "multirun.yaml").touch()
    (logger,) = added_loggers(config_of("logger=wandb"), tmp_path / "job")
    assert type(logger).__name__ == "WandbRun", "it starts where something is logged"
    assert not (tmp_path / "job").exists()


FURTHER = "callbacks.further.mine={{kind: '{}'{}}}"


def test_callbacks_of_other_packages(config_of):
    given = FURTHER.format("lightning.pytorch.callbacks:Timer", ", interval: step")
    ((kind, arguments),) = further_callbacks(config_of(given))
    assert kind is L.pytorch.callbacks.Timer and arguments == {"interval": "step"}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("lightning.pytorch.callbacks:None", "", "callbacks.further.mine: kind=lightning.pytorch.callbacks:None "),
        ("collections:Counter", "", "is no callback (lightning.Callback) of PyTorch Lightning"),
        ("lightning.pytorch.callbacks:Timer", ", volume: 11", "unexpected keyword argument 'volume'"),
    ],
)
def test_what_is_no_callback_is_named(config_of, kind, arguments, message):
    with pytest.raises(ConfigError) as raised:
        further_callbacks(config_of(FURTHER.format(kind, arguments)))
    assert message in str(raised.value)


@pytest.mark.parametrize("health", ["off", "warn"])
def test_the_trainer(config_of, tmp_path, health):
    config = config_of("trainer.precision=float32", "trainer.max_iterations=30", f"callbacks.health={health}")
    extra = L.Callback()
    trainer, conclusion = build_trainer(config, tmp_path, build_data(config), 0, StopSignals(), [extra])
    names = [type(callback).__name__ for callback in trainer.callbacks]
    assert names[0] == "TrainingLog" and names[-2:] == ["Checkpoints", "Conclusion"]
    assert ("Health" in names) == (health == "warn")
    assert extra in trainer.callbacks and trainer.callbacks[-1] is conclusion
    assert trainer.max_steps == 60, "Lightning counts the updates of both optimizers"
    assert [type(logger).__name__ for logger in trainer.loggers] == ["MetricsFile"]
