"""What conf/ composes to: who wins over whom, and every preset with every experiment that it fits."""

import copy
from functools import cache
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan import search, train
from infogan.config.check import check
from infogan.errors import ConfigError
from infogan.experiments.build import build_data, build_module
from infogan.experiments.prepare import image_shape

CONF = Path(__file__).parents[3] / "conf"
MODELS = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))
PRESETS = [name for name in MODELS if not name.startswith(("paper_", "consistent_"))]
CONSISTENT = ["digits", "fashion_mnist", "folder", "mnist"]
"""Data sets whose preset is not the paper's objective alone."""
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
OF_DATA = {"chairs_narrow": "chairs", "chairs_volume": "chairs"}
"""The data set of a preset that is not named after it."""


@pytest.fixture
def composed(call, tmp_path):
    """What a command would work with, given group files of the user's own and its arguments."""

    def values(files, *arguments, command=train):
        for name, text in files.items():
            (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "mine" / name).write_text(text)
        (tmp_path / "mine").mkdir(exist_ok=True)
        code, out, err = call(command.main, "--config-dir", f"{tmp_path}/mine", *arguments, "--cfg", "job")
        assert (code, err) == (0, "")
        return yaml.safe_load(out)

    return values


LONG = ["max_iterations: 77", "defaults: [default]\nmax_iterations: 77", "defaults: [cpu]\nmax_iterations: 77"]


@pytest.mark.parametrize("text", LONG, ids=["alone", "with the defaults", "on a CPU"])
@pytest.mark.parametrize("data", ["digits", "mnist", "celeba64"])
def test_a_trainer_of_ones_own_wins_over_the_preset(composed, data, text):
    ours = composed({}, f"data={data}")
    expected = {**ours["trainer"], "max_iterations": 77, "accelerator": "cpu" if "cpu" in text else "auto"}
    assert composed({"trainer/long.yaml": text}, f"data={data}", "trainer=long") == {**ours, "trainer": expected}


def test_the_order_of_who_wins(composed):
    preset = "# @package _global_\ndefaults: [mnist, _self_]\ntrainer: {max_iterations: 1, precision: float32}\n"
    files = {
        "model/mine.yaml": preset + "callbacks: {log_every: 1}\ndata: {batch_size: 4}\n",
        "trainer/mine.yaml": "max_iterations: 2",
        "callbacks/mine.yaml": "log_every: 2",
        "data/mine.yaml": "defaults: [mnist]\nbatch_size: 6",
        "experiment/mine.yaml": "# @package _global_\nseed: 9\ntrainer: {max_iterations: 3}\ndata: {batch_size: 8}\n",
    }

    def numbers(*arguments):
        values = composed(files, *arguments)
        keys = (("trainer", "max_iterations"), ("callbacks", "log_every"), ("data", "batch_size"))
        return [values[section][key] for section, key in keys], values["trainer"]["precision"], values["seed"]

    assert numbers("data=mnist") == ([5000, 20, 128], "auto", 0)
    assert numbers("data=mnist", "model=mine") == ([1, 1, 4], "float32", 0)
    groups = ["data=mine", "model=mine", "trainer=mine", "callbacks=mine"]
    assert numbers(*groups) == ([2, 2, 6], "float32", 0)
    assert numbers(*groups, "experiment=mine") == ([3, 2, 8], "float32", 9)
    line = ["trainer.max_iterations=4", "callbacks.log_every=4", "data.batch_size=10", "seed=1"]
    assert numbers(*groups, "experiment=mine", *line) == ([4, 4, 10], "float32", 1)


def test_a_data_set_of_ones_own_needs_a_model(call, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("name: mnist\n")
    code, _, err = call(train.main, "--config-dir", str(tmp_path), "data=mine")
    assert code == 2
    assert err.startswith("error: model=mine: there is no such choice; allowed: celeba, celeba64, ")
    assert err.endswith("; unless it is given, it is that of data=\n")


def test_an_experiment_may_choose_a_trainer(composed):
    text = "# @package _global_\ndefaults: [{override /trainer: gpu}]\n"
    assert composed({"experiment/mine.yaml": text}, "experiment=mine")["trainer"]["accelerator"] == "gpu"
    both = composed({"experiment/mine.yaml": text}, "experiment=mine", "trainer=cpu")
    assert both["trainer"]["accelerator"] == "cpu"


def test_a_search_ends_hopeless_trials_unless_somebody_says_otherwise(composed):
    assert composed({}, command=search)["callbacks"]["health"] == "abort"
    files = {"callbacks/mine.yaml": "health: warn"}
    assert composed(files, "callbacks=mine", command=search)["callbacks"]["health"] == "warn"
    assert composed(files, "callbacks.health=warn", command=search)["callbacks"]["health"] == "warn"
    collapse = composed({}, command=search)["callbacks"]["collapse"]
    assert (collapse["window"], collapse["least_categories"], collapse["largest_gap"]) == (500, 0, 0.8)


def test_a_model_of_ones_own_without_batch_size_and_length(call, tmp_path):
    """Nobody says them: the line names both, and they can be given without a `+`."""
    (tmp_path / "model").mkdir()
    values = compose_in_conf("data=digits")["model"]
    (tmp_path / "model" / "mine.yaml").write_text(yaml.safe_dump(values))
    arguments = ["--config-dir", str(tmp_path), "model=mine", f"paths.outputs={tmp_path}"]
    code, _, err = call(train.main, *arguments)
    assert (code, err) == (2, "error: data.batch_size is missing; trainer.max_iterations is missing\n")
    code, _, err = call(train.main, *arguments, "data.batch_size=1", "trainer.max_iterations=0")
    assert code == 2
    assert err.startswith("error: data.batch_size=1: ")
    assert "; trainer.max_iterations=0: " in err


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        (["experiment=slides_mnist"], (5000, 50)),
        (["experiment=slides_mnist", "trainer.max_iterations=70"], (70, None)),
        (["experiment=slides_mnist", "trainer.max_iterations=70", "trainer.max_epochs=2"], (70, 2)),
        (["data=mnist", "trainer.max_epochs=2"], (5000, 2)),
    ],
    ids=str,
)
def test_iterations_on_the_command_line_win_over_the_epochs_of_an_experiment(call, monkeypatch, arguments, length):
    asked = []
    monkeypatch.setattr(train, "run", lambda values, of_sweep: asked.append(check(train.training(values)).trainer))
    assert call(train.main, *arguments)[0] == 0
    assert [(trainer.max_iterations, trainer.max_epochs) for trainer in asked] == [length]


def compose_in_conf(*overrides):
    return copy.deepcopy(composed_once(*overrides))


@cache
def composed_once(*overrides):
    needed = ["data.path=pictures"] if {"data=folder"} & {*overrides} else []
    with initialize_config_module("infogan.conf", version_base=None):
        return OmegaConf.to_container(compose("train", [*needed, *overrides]), resolve=True)


def flat(values, path=""):
    """Dotted keys → values; lists are values."""
    if not isinstance(values, dict):
        return {path: values}
    return {k: v for key, value in values.items() for k, v in flat(value, f"{path}.{key}".lstrip(".")).items()}


def said_by(experiment):
    """What an experiment's own file says, and the data set that it is for (None: any)."""
    values = yaml.safe_load((CONF / "experiment" / f"{experiment}.yaml").read_text())
    overrides = [each["override /data"] for each in values.pop("defaults", []) if "override /data" in each]
    data = overrides[0] if overrides else None
    values.pop("hydra", None)
    return {key: value for key, value in flat(values).items() if "${" not in str(value)}, data


SHAPES = {}


def shape_of(preset):
    if preset not in SHAPES:
        SHAPES[preset] = image_shape(check(compose_in_conf(f"data={OF_DATA.get(preset, preset)}", f"model={preset}")))
    return SHAPES[preset]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_preset_with_every_experiment_whose_data_it_fits(experiment):
    """All that the experiment says holds, and of the model all else is the preset's."""
    said, data = said_by(experiment)
    fits = [preset for preset in PRESETS if data is None or shape_of(preset) == shape_of(data)]
    assert fits == PRESETS if data is None else data in fits
    for preset in fits:
        of_data = data or OF_DATA.get(preset, preset)
        alone = flat(compose_in_conf(f"data={of_data}", f"model={preset}"))
        values = compose_in_conf(f"data={of_data}", f"experiment={experiment}", f"model={preset}")
        got, config = flat(values), check(values)
        assert image_shape(config) == build_data(config).image_shape
        assert {key: got[key] for key in said} == said
        resolved = {"model.lambda_continuous"} if experiment == "lambda_sweep" else set()
        # each test has folders of its own
        others = [key for key in alone if key not in said and key not in resolved and not key.startswith("paths.")]
        assert {key: got[key] for key in others} == {key: alone[key] for key in others}
        assert config.model.name == preset


DATA = sorted(path.stem for path in (CONF / "data").glob("*.yaml"))


@pytest.mark.parametrize("data", DATA)
def test_the_papers_preset_and_the_consistent_one_differ_in_the_regulariser(data):
    paper, consistent = (compose_in_conf(f"data={data}", f"model={kind}_{data}") for kind in ("paper", "consistent"))
    regularisers = consistent["model"].pop("regularisers")
    assert paper["model"].pop("regularisers") == {} and list(regularisers) == ["consistency"]
    if data == "digits":  # half as long
        assert [each["trainer"].pop("max_iterations") for each in (paper, consistent)] == [6000, 3000]
    assert paper == consistent
    default = compose_in_conf(f"data={data}")["model"]["regularisers"]
    assert default == (regularisers if data in CONSISTENT else {})
    assert compose_in_conf(f"data={data}", "experiment=consistent")["model"]["regularisers"] == regularisers
    for experiment in ("gan_baseline", "lambda_sweep", "five_seeds"):
        assert compose_in_conf(f"data={data}", f"experiment={experiment}")["model"]["regularisers"] == {}


def test_digits_are_not_mirrored_and_faces_are():
    transforms = {data: compose_in_conf(f"data={data}", f"model=consistent_{data}") for data in ("mnist", "celeba")}
    flips = {
        data: check(values).model.regularisers["consistency"].transforms.flip for data, values in transforms.items()
    }
    assert flips == {"mnist": False, "celeba": True}


@pytest.mark.parametrize("data", ["faces", "dsprites"])
def test_a_model_without_categories_has_nothing_to_be_consistent(data):
    line = r"consistency\.codes=\['c1'\]: can be none: the model has no code with groups"
    with pytest.raises(ConfigError, match=line):
        build_module(check(compose_in_conf(f"data={data}", "experiment=consistent")))


def test_layers_by_size_can_be_changed():
    values = compose_in_conf("data=folder", "data.size=64", "++model.generator.layers.64.3.batch_norm=false")
    norms = [layer.batch_norm for layer in check(values).model.generator.layers]
    assert norms == [True, True, True, False, True, False]
    line = r"^model\.generator\.layers\.65: model=folder has layers for 28, 32, 64, 128$"
    with pytest.raises(ConfigError, match=line):
        check(compose_in_conf("data=folder", "++model.generator.layers.65.3.batch_norm=false"))
