import copy
import math
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from pydantic import ValidationError

from infogan.config.check import check
from infogan.config.training import Config
from infogan.errors import ConfigError

CONF = Path(__file__).parents[3] / "conf"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").rglob("*.yaml"))
DATA = sorted(path.stem for path in (CONF / "data").glob("*.yaml"))
GONE = object()


def composed(*overrides):
    if "data=folder" in overrides:
        overrides = ("data.path=pictures", *overrides)  # what is given comes later, and wins
    with initialize_config_module("infogan.conf", version_base=None):
        return OmegaConf.to_container(compose("train", list(overrides)), resolve=True)


MNIST = composed("data=mnist")


def changed(changes):
    """MNIST's configuration with the values at dotted keys replaced, added, or taken away (GONE)."""
    values = copy.deepcopy(MNIST)
    for dotted, value in changes.items():
        *path, last = (int(part) if part.isdigit() else part for part in dotted.split("."))
        section = values
        for part in path:
            section = section[part]
        if value is GONE:
            del section[last]
        else:
            section[last] = value
    return values


@pytest.mark.parametrize("data", DATA)
def test_every_data_set_is_accepted(data):
    config = check(composed(f"data={data}"))
    assert isinstance(config, Config)
    assert config.model.name == data
    assert config.data.name == data.removesuffix("64")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_is_accepted(experiment):
    assert check(composed(f"experiment={experiment}"))


def test_experiments_change_what_they_say():
    assert check(composed("experiment=mnist_openai")).model.discriminator.slope == 0.01
    for data in DATA:
        model = check(composed(f"data={data}", "experiment=gan_baseline")).model
        assert (model.lambda_categorical, model.lambda_continuous, model.lambda_posterior) == (0, 0, 1)


@pytest.mark.parametrize(
    ("experiment", "lr_d", "lr_g", "lambda_categorical", "lambda_continuous"),
    [
        ("faces_azimuth", 2e-4, 5e-4, None, 0.2),
        ("faces_elevation", 4e-4, 3e-4, None, 0.1),
        ("faces_lighting", 8e-4, 3e-4, None, 0.1),
        ("faces_width", 8e-4, 3e-4, None, 0.1),
        ("chairs_rotation", 2e-4, 1e-3, 1, 10),
        ("chairs_width", 2e-4, 1e-3, 2, 0.05),
    ],
)
def test_the_papers_runs_for_one_factor(experiment, lr_d, lr_g, lambda_categorical, lambda_continuous):
    """Tables 5 and 7 of appendix C."""
    config = check(composed(f"experiment={experiment}"))
    assert config.data.name == experiment.split("_")[0]
    assert (config.model.learning_rate_discriminator, config.model.learning_rate_generator) == (lr_d, lr_g)
    assert config.model.lambda_continuous == lambda_continuous
    assert lambda_categorical in (None, config.model.lambda_categorical)


def test_kinds_of_trainers():
    trainers = {name: check(composed(f"trainer={name}")).trainer for name in ("default", "cpu", "gpu", "ddp")}
    kinds = {name: (trainer.accelerator, trainer.devices) for name, trainer in trainers.items()}
    assert kinds == {"default": ("auto", 1), "cpu": ("cpu", 1), "gpu": ("gpu", 1), "ddp": ("gpu", 2)}


def test_rendered_chairs_have_the_papers_network_without_batch_norm_in_d():
    paper, ours = (check(composed(of)).model for of in ("data=chairs", "experiment=chairs_rendered"))
    plain = [layer.model_copy(update={"batch_norm": False}) for layer in paper.discriminator.trunk]
    assert sum(layer.batch_norm for layer in paper.discriminator.trunk) == 5
    assert ours == paper.model_copy(update={"discriminator": paper.discriminator.model_copy(update={"trunk": plain})})


@pytest.mark.parametrize(
    ("data", "batch_size"),
    [("mnist", 128), ("fashion_mnist", 128), ("svhn", 128), ("celeba", 128), ("faces", 64), ("chairs", 32)],
)
def test_the_settings_of_the_slides(data, batch_size):
    config = check(composed(f"experiment=slides_{data}"))
    model = config.model
    assert (config.data.name, config.data.batch_size) == (data, batch_size)
    assert (model.lambda_categorical, model.lambda_continuous) == (1, 1)
    assert (model.learning_rate_generator, model.learning_rate_discriminator) == (1e-3, 2e-4)
    assert (model.generator.slope, model.generator.output) == (0.1, "tanh")
    assert 15 <= config.trainer.max_epochs <= 150


def test_layers_of_a_preset_by_image_size():
    sizes = {}
    for size in (28, 32, 64, 128):
        model = check(composed("data=folder", f"data.size={size}")).model
        sizes[size] = (len(model.generator.layers), len(model.discriminator.trunk))
    assert sizes == {28: (4, 3), 32: (5, 4), 64: (6, 5), 128: (7, 6)}
    with pytest.raises(ConfigError, match=r"^data\.size=50: model=folder has layers for 28, 32, 64, 128$"):
        check(composed("data=folder", "data.size=50"))


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["data=folder", "data.path=null"], "data: path=<folder, zip or tar> must name your images"),
        (["data=faces", "data.source=bfm"], "data: path=<where they are> must name the originals of source=bfm"),
        (["data=faces", "data.source=folder"], "data: path=<where they are> must name the originals"),
        (["data=faces", "data.source=scan"], "data.source=scan: input should be 'rendered', 'bfm'"),
        (["data=faces", "data.images=10"], "data.images=10: "),
        (["data=faces", "data.identities=0"], "data.identities=0: "),
        (["data=chairs", "data.source=web"], "data.source=web: input should be 'archive' or 'rendered'"),
        (["data=chairs", "data.models=1"], "data.models=1: "),
        (["data=celeba", "data.size=4"], "data.size=4: "),
        (["data=folder", "data.channels=2"], "data.channels=2: input should be 1 or 3"),
        (["data=svhn", "data.extra=2"], "data.extra=2: "),
        (["data=svhn", "data.source=rendered", "data.extra=true"], "data: extra=true is of source=official; of "),
        (["data=svhn", "data.images=19"], "data.images=19: "),
        (["data=mnist", "+data.path=here"], "data.path: there is no such key"),
    ],
    ids=str,
)
def test_mistakes_about_the_data(overrides, line):
    with pytest.raises(ConfigError) as error:
        check(composed(*overrides))
    assert str(error.value).startswith(line)


def test_the_papers_values_are_the_defaults_for_mnist():
    config = check(MNIST)
    model = config.model
    assert (model.learning_rate_generator, model.learning_rate_discriminator, model.betas) == (1e-3, 2e-4, [0.5, 0.999])
    assert (model.lambda_categorical, model.lambda_continuous, model.discriminator.slope) == (1, 1, 0.1)
    assert (config.data.batch_size, config.trainer.max_iterations, model.noise) == (128, 5000, 62)
    assert (model.posterior_optimizer, model.noise_distribution) == ("discriminator", "uniform")


@pytest.mark.parametrize("logger", ["wandb", "csv", "none"])
def test_every_logger_is_accepted(logger):
    assert check(composed(f"logger={logger}")).logger.name == logger


@pytest.mark.parametrize(
    "changes",
    [
        {"model.codes.c2.sigma": "learned"},
        {"model.codes.c2.sigma": 2},
        {"model.codes.c1.lambda_code": 0.0},
        {"model.lambda_posterior": 0.0},
        {"model.posterior_optimizer": "generator"},
        {"model.noise": 0},
        {"seed": 2**32 - 1},
        {"trainer.max_epochs": 3, "trainer.threads": 1},
        {"run": "latest"},
    ],
    ids=str,
)
def test_what_is_allowed(changes):
    check(changed(changes))


MISTAKES = [
    ("seed", -1),
    ("seed", 2**32),
    ("seed", True),
    ("seed", 1.0),
    ("seed", "1"),
    ("seeed", 1),
    ("run", 3),
    ("data", GONE),
    ("data.name", "cifar"),
    ("data.batch_size", 1),
    ("data.batch_size", "128"),
    ("data.batch_size", GONE),
    ("model", 3),
    ("model.lambda_categorical", -0.1),
    ("model.lambda_categorical", math.nan),
    ("model.lambda_continuous", math.inf),
    ("model.lambda_continuous", "1"),
    ("model.lambda_continuous", None),
    ("model.lambda_posterior", -1.0),
    ("model.lambda_posterior", math.nan),
    ("model.lambda_posterior", GONE),
    ("model.noise", -1),
    ("model.noise", 2.5),
    ("model.noise_distribution", "gaussian"),
    ("model.posterior_optimizer", "both"),
    ("model.learning_rate_generator", 0.0),
    ("model.learning_rate_generator", math.nan),
    ("model.learning_rate_discriminator", 1.5),
    ("model.betas", [0.5]),
    ("model.betas", [0.5, 0.9, 0.99]),
    ("model.betas.1", 1.0),
    ("model.betas.0", -0.5),
    ("model.codes", {}),
    ("model.codes.c1", 10),
    ("model.codes.c1.kind", "gaussian"),
    ("model.codes.c1.kind", GONE),
    ("model.codes.c1.classes", 1),
    ("model.codes.c1.classes", GONE),
    ("model.codes.c1.classes", True),
    ("model.codes.c1.lambda_code", -1.0),
    ("model.codes.c1.low", 0.0),
    ("model.codes.c2.low", GONE),
    ("model.codes.c2.low", 1.0),
    ("model.codes.c2.low", 2.0),
    ("model.codes.c2.low", -math.inf),
    ("model.codes.c2.high", math.inf),
    ("model.codes.c2.high", math.nan),
    ("model.codes.c2.sigma", 0.0),
    ("model.codes.c2.sigma", -1.0),
    ("model.codes.c2.sigma", True),
    ("model.codes.c2.sigma", math.nan),
    ("model.codes.c2.sigma", math.inf),
    ("model.codes.c2.sigma", "fixed"),
    ("model.generator.layers", []),
    ("model.generator.layers.0", {"dense": 3}),
    ("model.generator.layers.0.fc", 0),
    ("model.generator.layers.1.fc", [128, 7]),
    ("model.generator.layers.2.stride", 3),
    ("model.generator.layers.2.up", 0),
    ("model.generator.layers.2.batch_norm", 1),
    ("model.generator.layers.2.kernel", 5),
    ("model.generator.output", "relu"),
    ("model.generator.slope", 1.0),
    ("model.generator.slope", -0.1),
    ("model.discriminator.trunk", []),
    ("model.discriminator.trunk.0.conv", True),
    ("model.discriminator.trunk.0.stride", GONE),
    ("model.discriminator.posterior.0", {"conv": 8, "stride": 1}),
    ("model.discriminator.posterior.0.fc", "128"),
    ("trainer.accelerator", "tpu"),
    ("trainer.devices", 0),
    ("trainer.precision", "float16"),
    ("trainer.max_iterations", 0),
    ("trainer.max_epochs", 0),
    ("trainer.threads", 0),
    ("logger", GONE),
    ("logger.name", "tensorboard"),
    ("logger.name", GONE),
    ("logger.mode", "on"),
    ("logger.tags", "one"),
    ("callbacks.log_every", 0),
    ("callbacks.traversal_points", 1),
    ("callbacks.every", 1),
    ("paths.data", None),
    ("paths.outputs", 3),
]
ASIDE = {"data.name", "model.codes.c1.kind", "model.codes.c2.low", "model.codes.c2.high", "logger.name"}
"""Mistakes of a section as a whole: the line names the section, and the key in words."""


@pytest.mark.parametrize(("key", "value"), MISTAKES)
def test_a_mistake_is_one_line_that_names_the_key(key, value):
    with pytest.raises(ConfigError) as error:
        check(changed({key: value}))
    line = str(error.value)
    assert "\n" not in line
    if key in ASIDE and key not in line:
        section, last = key.rsplit(".", 1)
        assert f"{section}: " in line
        assert last in line
    else:
        assert key in line
    assert "constrained" not in line
    assert "pydantic" not in line


def test_all_mistakes_stand_in_the_same_line():
    with pytest.raises(ConfigError) as error:
        check(changed({"seed": -1, "model.noise": -2, "trainer.devices": GONE}))
    assert "\n" not in str(error.value)
    for text in ("seed=-1: ", "model.noise=-2: ", "trainer.devices is missing"):
        assert text in str(error.value)


def test_a_value_of_many_lines_is_still_one_line():
    with pytest.raises(ConfigError) as error:
        check(changed({"data.name": "two\nlines"}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_posterior_weight_needs_a_phase(weight):
    with pytest.raises(ConfigError, match="lambda_posterior needs posterior_optimizer=discriminator or alone"):
        check(changed({"model.posterior_optimizer": "generator", "model.lambda_posterior": weight}))


def test_a_checked_configuration_cannot_change():
    config = check(MNIST)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 1
    with pytest.raises(ValidationError, match="frozen"):
        config.model.noise = 1
