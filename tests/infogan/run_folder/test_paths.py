import os

import pytest

from infogan.config.check import check
from infogan.errors import RunError
from infogan.run_folder.configuration import save_config
from infogan.run_folder.paths import (
    checkpoint_iteration,
    checkpoint_path,
    find_run,
    history,
    iterations,
    new_run_folder,
    newest_checkpoint,
    open_run,
    remove_staged_checkpoints,
    run_folders,
    runs_of,
    safe_name,
    set_link,
    sweep_of,
)  # fmt: skip
from infogan.run_folder.trees import load_tree, save_tree


def run_in(folder, age):
    folder.mkdir(parents=True)
    config = folder / "config.yaml"
    config.write_text("seed: 0\n")
    os.utime(config, (1_000_000 - age, 1_000_000 - age))
    return folder


def test_new_run_folders_are_never_shared(tmp_path):
    folders = [new_run_folder(tmp_path / "outputs", "run") for _ in range(4)]
    assert [folder.name for folder in folders] == ["run", "run-2", "run-3", "run-4"]
    assert all(folder.is_dir() for folder in folders)


def test_outputs_that_cannot_be_made_are_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match=r"paths\.outputs=.*file"):
        new_run_folder(tmp_path / "file", "run")


def test_latest_is_the_newest_run(tmp_path):
    run_in(tmp_path / "z", age=30)
    newest = run_in(tmp_path / "a", age=20)
    run_in(tmp_path / "m", age=40)
    assert find_run("latest", tmp_path) == newest.resolve()
    swept = run_in(tmp_path / "sweeps" / "today" / "job", age=10)
    assert find_run("latest", tmp_path) == swept.resolve()
    newer = run_in(tmp_path / "b", age=5)
    assert find_run("latest", tmp_path) == newer.resolve()
    trial = run_in(tmp_path / "searches" / "digits" / "trial_000", age=3)
    assert find_run("latest", tmp_path) == trial.resolve()


@pytest.fixture
def trained(compose_values, tmp_path):
    """Makes runs that are older one after another, with a checkpoint or without."""
    config, made = check(compose_values()), []

    def run(name, opens):
        folder = tmp_path / name
        save_config(config, folder)
        os.utime(folder / "config.yaml", (1_000_000 - len(made), 1_000_000 - len(made)))
        made.append(folder)
        if opens:
            save_tree(checkpoint_path(folder, 5), {})
        return folder.resolve()

    return run


def test_a_command_that_opens_a_model_takes_the_newest_that_has_one(trained, tmp_path):
    said = []
    unfinished = trained("unfinished", opens=False)
    damaged = trained("damaged", opens=True)
    (damaged / "config.yaml").write_text("a: [")
    os.utime(damaged / "config.yaml", (999_999, 999_999))
    with pytest.raises(RunError) as raised:
        open_run("latest", tmp_path, said.append)
    assert str(raised.value) == (
        f"run=latest: {unfinished} has no checkpoint yet, and there is no older run in {tmp_path} that can be opened"
    )
    older = trained("sweeps/today/job", opens=True)
    trained("oldest", opens=True)
    assert open_run("latest", tmp_path, said.append) == older
    assert said == [f"run=latest: {unfinished} has no checkpoint yet; the newest run that can be opened is {older}"]
    assert find_run("latest", tmp_path) == unfinished, "training continues the newest"
    save_tree(checkpoint_path(unfinished, 5), {})
    assert open_run("latest", tmp_path, said.append) == unfinished
    assert len(said) == 1, "nothing to be said of the newest"
    assert open_run(str(older), tmp_path, said.append) == older
    assert len(said) == 1


def test_a_run_that_is_named_is_the_one_that_is_opened(trained, tmp_path):
    unfinished = trained("unfinished", opens=False)
    assert open_run(str(unfinished), tmp_path, pytest.fail) == unfinished, "whoever opens it says what is missing"
    with pytest.raises(RunError, match=r"run=.*nothing is not a run folder"):
        open_run(str(tmp_path / "nothing"), tmp_path, pytest.fail)
    with pytest.raises(RunError, match=r"run=latest: there is no run in .*empty; paths\.outputs"):
        open_run("latest", tmp_path / "empty", pytest.fail)


def test_names_of_checkpoints_and_grids(tmp_path):
    assert (checkpoint_iteration(None), checkpoint_iteration(checkpoint_path(tmp_path, 70))) == (0, 70)
    for iteration in (5, 20, 100):
        save_tree(checkpoint_path(tmp_path, iteration), {})
    assert iterations(tmp_path) == [100, 20, 5]
    (tmp_path / "figures" / "history").mkdir(parents=True)
    for name in ("c1_00000020", "c1_00000003", "c10_00000001", "c1_last"):
        (tmp_path / "figures" / "history" / f"{name}.png").touch()
    assert [path.stem for path in history(tmp_path, "c1")] == ["c1_00000003", "c1_00000020"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    save_tree(checkpoint_path(tmp_path, 5), {})
    for name in (".iteration_00000010.safetensors.77", ".tmpAbC"):
        (tmp_path / "checkpoints" / name).touch()
    remove_staged_checkpoints(tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["iteration_00000005.safetensors"]


def test_the_runs_of_a_sweep(tmp_path):
    for name in ("job", "job-2", "job-10", "job_b"):
        run_in(tmp_path / "sweep" / name, age=0)
    set_link(tmp_path / "sweep" / "best", tmp_path / "sweep" / "job")
    assert [path.name for path in runs_of(tmp_path / "sweep")] == ["job", "job-10", "job-2", "job_b"]
    assert [path.name for path in run_folders(tmp_path / "sweep", "job")] == ["job", "job-2", "job-10"]
    assert sweep_of(tmp_path / "sweep" / "job") is None
    (tmp_path / "sweep" / "multirun.yaml").touch()
    assert sweep_of(tmp_path / "sweep" / "job") == "sweep"
    with pytest.raises(RunError, match="holds no run"):
        runs_of(tmp_path)


def test_a_link_takes_the_place_of_an_older_one(tmp_path):
    """It is relative, so that the folder can be moved."""
    for name in ("a", "b"):
        (tmp_path / "sweep" / name).mkdir(parents=True)
        set_link(tmp_path / "sweep" / "best", tmp_path / "sweep" / name)
        assert (tmp_path / "sweep" / "best").resolve() == tmp_path / "sweep" / name
    (tmp_path / "sweep").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "best").resolve() == tmp_path / "moved" / "b"
    assert {path.name for path in (tmp_path / "moved").iterdir()} == {"a", "b", "best"}


def test_a_run_by_its_folder(tmp_path):
    folder = run_in(tmp_path / "a", age=0)
    run_in(tmp_path / "b", age=-10)
    assert find_run(str(folder), tmp_path / "elsewhere") == folder.resolve()


def test_runs_that_are_not_there(tmp_path):
    with pytest.raises(RunError, match=r"run=latest: there is no run in .*paths\.outputs"):
        find_run("latest", tmp_path)
    with pytest.raises(RunError, match=r"run=.*nothing is not a run folder .*config\.yaml"):
        find_run(str(tmp_path / "nothing"), tmp_path)


def test_newest_checkpoint_has_the_highest_iteration(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for age, iteration in enumerate((1000, 90, 20_000, 999)):
        save_tree(checkpoint_path(tmp_path, iteration), {"iteration": iteration})
        os.utime(checkpoint_path(tmp_path, iteration), (age, age))
    (tmp_path / "checkpoints" / "notes.txt").write_text("x")
    (tmp_path / "checkpoints" / ".iteration_99999999.safetensors.123").write_text("x")
    assert load_tree(newest_checkpoint(tmp_path)) == {"iteration": 20_000}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("digits", "digits"),
        ("a/b c=1", "a_b_c_1"),
        ("../../etc", "etc"),
        ("lr_1.0e-3+x", "lr_1.0e-3+x"),
        ("λ=$(rm *)", "rm"),
    ],
)
def test_safe_name(text, name):
    assert safe_name(text) == name


def test_safe_name_is_short():
    assert safe_name("x" * 1000) == "x" * 150
