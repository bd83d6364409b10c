import os

import pytest

from infogan.errors import RunError
from infogan.run_folder.paths import checkpoint_path, find_run, new_run_folder, newest_checkpoint, safe_name, set_link
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
