"""Configurations of older versions, as they are read today."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from infogan.config.check import check, check_section
from infogan.config.opening import ExportedConfig
from infogan.config.versions import STEPS, VERSION, Unreadable, up_to_date
from infogan.errors import RunError
from infogan.run_folder.configuration import load_config, read_config, read_exported, save_config

FILES = Path(__file__).parents[2] / "data_of_5d507ff"
OF_1 = yaml.safe_load((FILES / "run" / "config.yaml").read_text())
OFF = {"augment": None, "ema_half_life": None, "balance": None}
NAMED = {"adversarial": "non_saturating", "regularisers": {}, **OFF}
NOT_SEEN = {"hidden_information": 1.0, "recovery": 1.0, "least_rarest": 0.0}
"""Of version 4: what health did not look at."""


def without(values, *keys):
    values = copy.deepcopy(values)
    for key in keys:
        *sections, last = key.split(".")
        place = values
        for section in sections:
            place = place[section]
        del place[last]
    return values


def expected_of(values):
    """What later versions add to a whole file of version 1."""
    model = values["model"]
    networks = {name: {"kind": "dcgan", **model[name]} for name in ("generator", "discriminator")}
    if "callbacks" in values:
        callbacks = values["callbacks"]
        collapse = {**callbacks["collapse"], **NOT_SEEN}
        values = {**values, "callbacks": {**callbacks, "collapse": collapse, "further": {}}}
    return {**values, "model": {**model, **NAMED, **networks}}


def test_a_whole_run_of_version_1():
    kept = copy.deepcopy(OF_1)
    values = up_to_date(OF_1)
    assert values == expected_of(OF_1)
    assert kept == OF_1
    assert check(values).model_dump() == values


def test_an_exported_model_of_version_1():
    values = json.loads((FILES / "exported" / "config.json").read_text())
    assert values["format"] == 1
    assert up_to_date(values) == expected_of(without(values, "format"))
    assert check_section(up_to_date(values), ExportedConfig).model.name == "digits"


@pytest.mark.parametrize(
    ("lacks", "what_it_was"),
    [
        ("trainer.compile", None),
        ("trainer.cuda_graph", "auto"),
        ("callbacks.health", "off"),
        ("callbacks.collapse.least_gap", -1.0),
        ("logger.artifact", False),
        ("logger.init_timeout", 90),
        ("logger.finish_timeout", 60),
    ],
)
def test_what_the_first_files_of_version_1_lack(lacks, what_it_was):
    logger = {"name": "wandb", "project": "p", "mode": "auto", "tags": [], "artifact": True,
              "init_timeout": 20.0, "finish_timeout": 30.0}  # fmt: skip
    whole = {**OF_1, "logger": logger}
    section, _, key = lacks.rpartition(".")
    values = up_to_date(without(whole, lacks))
    place = values
    for part in section.split("."):
        place = place[part]
    assert place.pop(key) == what_it_was
    assert values == without(expected_of(whole), lacks)
    assert check(up_to_date(without(whole, lacks)))


def test_a_run_from_before_health(tmp_path):
    """Neither key of it: nothing is looked for, and nothing is missed."""
    old = without(OF_1, "callbacks.health", "callbacks.collapse")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(old))
    callbacks = read_config(tmp_path).callbacks
    assert (callbacks.health, callbacks.collapse) == ("off", None)


def test_what_is_written_is_of_this_version(tmp_path):
    config = check(up_to_date(OF_1))
    save_config(config, tmp_path)
    text = (tmp_path / "config.yaml").read_text()
    assert text.startswith(f"version: {VERSION}\n")
    assert read_config(tmp_path) == config
    assert load_config(tmp_path, {"trainer": {"max_iterations": 50}}).trainer.max_iterations == 50
    assert len(STEPS) == VERSION - 1


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (VERSION + 1, f"is of version {VERSION + 1}, this one reads {VERSION}: update infogan-lab"),
        (99, f"is of version 99, this one reads {VERSION}: update infogan-lab"),
        (0, f"is of version '0', which is none: this one reads 1 to {VERSION}"),
        (True, f"is of version 'True', which is none: this one reads 1 to {VERSION}"),
        ("2", f"is of version '2', which is none: this one reads 1 to {VERSION}"),
        (None, f"is of version 'None', which is none: this one reads 1 to {VERSION}"),
        ("\n" * 1000, "is of version "),
    ],
)  # fmt: skip
def test_other_versions_are_one_line(tmp_path, version, message):
    with pytest.raises(Unreadable) as error:
        up_to_date({"version": version, **OF_1})
    assert str(error.value).startswith(message)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"version": version, **OF_1}))
    (tmp_path / "config.json").write_text(json.dumps({"version": version}))
    for read, name in ((read_config, "config.yaml"), (read_exported, "config.json")):
        with pytest.raises(RunError) as error:
            read(tmp_path)
        assert str(error.value).startswith(f"{tmp_path}/{name} {message}")
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 200 + len(str(tmp_path))


@pytest.mark.parametrize("version", [1, VERSION])
@pytest.mark.parametrize("values", [[], "text", None, 3, {"model": 3, "trainer": [], "logger": None, "callbacks": "x"}])
def test_what_is_no_configuration_is_left_to_the_schema(values, version):
    given = {"version": version, **values} if isinstance(values, dict) else values
    assert up_to_date(given) == values


def test_a_kind_of_code_that_nobody_knows_is_one_line(tmp_path):
    values = copy.deepcopy(OF_1)
    values["model"]["codes"]["c2"]["kind"] = "ring"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"version": VERSION, **up_to_date(values)}))
    with pytest.raises(RunError) as error:
        read_config(tmp_path)
    assert "model.codes.c2: kind must be one of categorical, uniform" in str(error.value)
    assert "ring" in str(error.value)
    assert "\n" not in str(error.value)


OLD = {"kind": "consistency", "weight": 1, "every": 1, "code": "c1", "images": 96}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {**OLD, "rotation": 15, "scale": 0.15, "shear": 0.2, "shift": 0.075},
            {"marginals": 1.0, "transforms": {"rotation": 15, "scale": 0.15, "shear": 0.2, "shift": 0.075}},
        ),
        ({**OLD, "marginals": 1.5, "transforms": {"shift": 0.1}}, {"marginals": 1.5, "transforms": {"shift": 0.1}}),
    ],
)
def test_consistency_of_version_2_was_of_one_code(compose_values, old, new):
    values = {**compose_values(), "version": 2}
    values["model"]["regularisers"] = {"same": dict(old), "smooth": {"kind": "r1", "weight": 1, "every": 16}}
    same = check(up_to_date(values)).model.regularisers["same"].model_dump(exclude_defaults=True)
    assert same == {"kind": "consistency", "weight": 1, "every": 1, "codes": ["c1"], "images": 96, "apart": 0.0, **new}


@pytest.mark.parametrize("model", [None, 3, {}, {"regularisers": None}, {"regularisers": {"same": 3}}])
def test_a_damaged_file_of_version_2_is_left_to_the_schema(model):
    assert up_to_date({"version": 2, "model": model}) == {"model": model | OFF if isinstance(model, dict) else model}


def test_version_3_had_nothing_of_version_4(compose_values):
    values = compose_values()
    new = [*(f"model.{key}" for key in OFF), *(f"callbacks.collapse.{key}" for key in NOT_SEEN)]
    older = {"version": 3, **without(values, *new)}
    expected = copy.deepcopy(values)
    assert {key: expected["model"][key] for key in OFF} == OFF
    expected["callbacks"]["collapse"].update(NOT_SEEN)
    assert up_to_date(older) == expected
    assert up_to_date({"version": 3, **values}) == values
    assert check(up_to_date(older)).model.balance is None


def test_svhn_of_version_3_was_the_official_one(compose_values):
    values = {**without(compose_values("data=svhn"), "data.source", "data.images"), "version": 3}
    data = check(up_to_date(values)).data
    assert (data.source, data.extra, data.images) == ("official", False, 60_000)
    assert "source" not in up_to_date({**compose_values("data=digits"), "version": 3})["data"]
