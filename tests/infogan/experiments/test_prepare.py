"""A run folder is made, found again, or made ready to continue; never that of a run which is trained elsewhere."""

import pytest

from infogan import train as command
from infogan.config.check import check
from infogan.errors import ConfigError, RunError
from infogan.experiments import prepare
from infogan.experiments.prepare import create, find_or_create, is_finished, reopen
from infogan.run_folder.configuration import load_config
from infogan.run_folder.locks import claimed
from infogan.run_folder.paths import checkpoint_path
from infogan.run_folder.trees import save_tree
from tests.infogan.summaries import summary_of


@pytest.fixture
def config(compose_values):
    return check(compose_values("trainer.max_iterations=10"))


@pytest.fixture
def folder(config, tmp_path):
    """A run of 10 iterations that is at its end."""
    made = create(config, tmp_path, "run")
    save_tree(checkpoint_path(made, 10), {})
    summary_of().save(made)
    return made


def test_what_is_asked_of_a_run_that_is_trained_elsewhere_changes_nothing(call, folder, tmp_path):
    before = (folder / "config.yaml").read_bytes()
    with claimed(folder):
        code, _, err = call(command.main, f"run={folder}", "trainer.max_iterations=20", f"paths.outputs={tmp_path}")
        with pytest.raises(RunError, match="another process is at work there"):
            reopen(folder, {"trainer": {"max_iterations": 20}})
    assert code == 2 and err.startswith(f"error: {folder}: another process is at work there (pid ")
    assert (folder / "config.yaml").read_bytes() == before
    reopen(folder, {"trainer": {"max_iterations": 20}})
    assert load_config(folder).trainer.max_iterations == 20


def test_a_job_of_a_sweep_that_is_trained_elsewhere_is_left_as_it_is(config, folder, tmp_path):
    (folder / "summary.json").unlink()
    before = (folder / "config.yaml").read_bytes()
    asked = config.model_copy(update={"trainer": config.trainer.model_copy(update={"threads": 2})})
    with claimed(folder), pytest.raises(RunError, match="another process is at work there"):
        find_or_create(asked, tmp_path, "run")
    assert (folder / "config.yaml").read_bytes() == before
    assert find_or_create(asked, tmp_path, "run") == folder
    assert load_config(folder).trainer.threads == 2


def test_a_finished_run_continues_only_where_more_is_asked_for(folder):
    assert is_finished(folder)
    for last in (10, 5):
        with pytest.raises(RunError, match=r"has finished 10 iterations: trainer\.max_iterations=<more> continues it"):
            reopen(folder, {"trainer": {"max_iterations": last}})
    assert load_config(folder).trainer.max_iterations == 10
    reopen(folder, {"trainer": {"max_iterations": 11}})
    assert not is_finished(folder)


def test_a_run_that_was_not_measured_at_its_end_is_opened_again(folder):
    summary_of(iterations=9).save(folder)
    assert not is_finished(folder)
    assert reopen(folder, {}) == folder


def test_an_experiment_is_found_again(config, folder, tmp_path):
    assert find_or_create(config, tmp_path, "run") == folder
    other = find_or_create(config.model_copy(update={"seed": 1}), tmp_path, "run")
    assert other.name == "run-2"
    (folder / "config.yaml").write_text("a: [")
    assert find_or_create(config, tmp_path, "run").name == "run-3", "what cannot be read is no experiment"
    assert find_or_create(config.model_copy(update={"seed": 1}), tmp_path, "run") == other


def test_what_this_machine_decides_is_written_down(compose_values, tmp_path):
    config = check(compose_values("trainer.max_epochs=2", "trainer.precision=auto", "data.batch_size=500"))
    made = load_config(create(config, tmp_path, "run"))
    assert (made.trainer.max_iterations, made.trainer.max_epochs) == (2 * (1437 // 500), None)
    assert made.trainer.precision in ("float32", "bf16")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.batch_size=2000"], "data.batch_size=2000: digits has 1437 images to train on"),
        (["model=mnist"], "model=mnist makes images of"),
        (["trainer.devices=2"], "trainer.devices=2: on the CPU there is no batch norm that is synchronised"),
    ],
)
def test_mistakes_end_before_anything_is_made(compose_values, tmp_path, overrides, message):
    with pytest.raises(ConfigError) as raised:
        create(check(compose_values(*overrides)), tmp_path, "run")
    assert message in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_layers_that_do_not_fit_are_named(compose_values):
    values = compose_values("model.generator.layers.1.fc=[3,5,5]")
    with pytest.raises(ConfigError, match=r"makes images of|do not fit together"):
        prepare.prepared(check(values))
