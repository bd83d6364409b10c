"""A run folder at a glance, whatever lies in it."""

import json

import pytest
import yaml

from infogan.config.check import check
from infogan.config.versions import VERSION
from infogan.errors import RunError
from infogan.run_folder.configuration import save_config
from infogan.run_folder.contents import read_object, read_provenance
from infogan.run_folder.locks import held
from infogan.run_folder.status import lambda_text, read_status
from tests.infogan.summaries import VALUES, summary_of


@pytest.fixture
def folder(compose_values, tmp_path):
    """A run of 10 iterations that has done 8, with a checkpoint after 6."""
    made = tmp_path / "run"
    save_config(check(compose_values("trainer.max_iterations=10")), made)
    (made / "checkpoints").mkdir()
    (made / "checkpoints" / "iteration_00000006.safetensors").touch()
    (made / "metrics.csv").write_text("iteration,information/c1,acc\n4,1.5,0.5\n8,1.75,\n")
    (made / "log.txt").write_text("")
    return made


def test_a_run_that_was_stopped(folder):
    status = read_status(folder)
    assert (status.state, status.reason, status.iterations, status.progress) == ("stopped", "", 8, "8 of 10")
    assert (status.information, status.acc) == (1.75, 0.5), "the last that were logged"
    assert status.asked_at == (folder / "config.yaml").stat().st_mtime
    (folder / "metrics.csv").unlink()
    status = read_status(folder)
    assert (status.iterations, status.information, status.acc) == (6, None, None)


def test_a_run_that_another_process_is_at(folder):
    with (folder / "log.txt").open("a") as stream, held(stream, folder):
        assert read_status(folder).state == "running"
    assert read_status(folder).state == "stopped"


def test_a_finished_run_and_one_that_is_made_longer(folder, compose_values):
    summary_of().save(folder)
    status = read_status(folder)
    assert (status.state, status.progress, status.information, status.acc) == ("finished", "10", 2.25, 0.75)
    save_config(check(compose_values("trainer.max_iterations=2000")), folder)
    status = read_status(folder)
    assert (status.state, status.progress, status.information) == ("stopped", "8 of 2,000", 1.75)


def test_a_first_code_with_a_fixed_sigma(folder, compose_values):
    """L_I at that σ is capped whatever Q knows, so it is not shown."""
    save_config(check(compose_values("trainer.max_iterations=10", "~model.codes.c1")), folder)
    (folder / "metrics.csv").write_text("iteration,information/c2\n8,-0.25\n")
    assert read_status(folder).information is None
    summary_of().save(folder)
    assert read_status(folder).information == 1.5, "at σ² = MSE"
    learned = ["~model.codes.c1", "model.codes.c2.sigma=learned"]
    save_config(check(compose_values("trainer.max_iterations=11", *learned)), folder)
    assert read_status(folder).information == -0.25


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.yaml", "a: [", "config.yaml could not be read"),
        ("config.yaml", "seed: 0", "does not fit this version"),
        ("summary.json", "{", "summary.json could not be read"),
        ("summary.json", "[]", "holds no object"),
        ("summary.json", '{"iterations": 10}', "summary.json is damaged: data is missing; "),
        ("summary.json", json.dumps(VALUES | {"acc": "good"}), "summary.json is damaged: acc=good: "),
        ("summary.json", json.dumps(VALUES | {"information": 5}), "summary.json is damaged: information=5: "),
        ("metrics.csv", "iteration,acc\n8,good\n", "metrics.csv could not be read"),
        ("metrics.csv", "iteration,acc\n8,0.5,7\n", "metrics.csv could not be read"),
        ("metrics.csv", "acc\n0.5\n", "a row names no iteration"),
        ("checkpoints/iteration_last.safetensors", "", "ValueError"),
    ],
)
def test_a_damaged_run(folder, name, content, message):
    (folder / name).write_text(content)
    status = read_status(folder)
    assert status.state == "damaged"
    assert message in status.reason and "\n" not in status.reason
    assert (status.config, status.progress) == (None, "")


def test_a_run_that_has_lost_its_configuration(folder):
    (folder / "config.yaml").unlink()
    status = read_status(folder)
    assert (status.state, status.asked_at) == ("damaged", folder.stat().st_mtime)
    assert "holds no config.yaml" in status.reason


def test_lambda_is_one_number_where_it_is_the_same(compose_values):
    assert lambda_text(check(compose_values("model.lambda_categorical=0.1", "model.lambda_continuous=0.1"))) == "0.1"
    text = lambda_text(check(compose_values("model.codes.c3.lambda_code=0", "model.lambda_categorical=2")))
    assert text == "c1 2, c2 1, c3 0"


def test_files_that_are_missing_are_empty(tmp_path):
    assert read_object(tmp_path / "evaluation.json") == {}
    assert read_provenance(tmp_path) == []
    (tmp_path / "provenance.json").write_text("{}")
    with pytest.raises(RunError, match="holds no list of starts"):
        read_provenance(tmp_path)


def test_the_configuration_is_what_was_saved(folder):
    config = read_status(folder).config
    assert config is not None
    assert {"version": VERSION, **config.model_dump()} == yaml.safe_load((folder / "config.yaml").read_text())
