"""config.yaml and config.json: what was written is read, what no run writes is refused in one line."""

import pytest
import yaml

from infogan.config.check import check
from infogan.config.versions import VERSION
from infogan.errors import ConfigError, RunError
from infogan.run_folder.configuration import load_config, read_config, read_exported, save_config, save_exported
from infogan.trained.exported_files import exported
from infogan.trained.model import load_run


@pytest.fixture
def config(compose_values):
    return check(compose_values("seed=7"))


def test_what_is_saved_is_read(config, tmp_path):
    save_config(config, tmp_path)
    assert read_config(tmp_path) == load_config(tmp_path) == config
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["version"] == VERSION


def test_changes_are_merged_and_checked(config, tmp_path):
    save_config(config, tmp_path)
    changed = load_config(tmp_path, {"trainer": {"max_iterations": 7}})
    assert changed.trainer.max_iterations == 7
    assert changed.model_copy(update={"trainer": config.trainer}) == config
    with pytest.raises(ConfigError, match=r"trainer\.max_iterations=0"):
        load_config(tmp_path, {"trainer": {"max_iterations": 0}})
    assert read_config(tmp_path) == config, "nothing is written"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "could not be read"),
        ("a: &x [1]\nb: *x\n", "holds what no run writes"),
        ("seed: ${oc.env:HOME}\n", "holds what no run writes"),
        ("[" * 30 + "]" * 30, "holds what no run writes"),
        ("# " + "x" * 2**20, "holds what no run writes"),
        ("!!python/object/apply:os.getcwd []", "could not be read"),
        ("version: 1000\n", "is of version 1000"),
        ("seed: 0\n", "does not fit this version"),
    ],
)
def test_what_no_run_writes_is_refused(tmp_path, content, message):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(RunError) as raised:
        read_config(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/config.yaml ") and message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_without_one(tmp_path):
    with pytest.raises(RunError, match=r"is not a run folder \(it holds no config\.yaml\)"):
        read_config(tmp_path)


def test_an_exported_one(digits_run, tmp_path):
    config = exported(load_run(digits_run))
    save_exported(config, tmp_path)
    assert read_exported(tmp_path) == config
    (tmp_path / "config.json").write_text('{"version": 2, "seed": "x"}')
    with pytest.raises(RunError, match=r"config\.json does not fit this version: .*seed=x"):
        read_exported(tmp_path)
    (tmp_path / "config.json").write_text('{"version": 1000}')
    with pytest.raises(RunError, match=r"config\.json is of version 1000"):
        read_exported(tmp_path)
