import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from infogan.errors import RunError
from infogan.run_folder.files import append, unused, whole_folder, write_atomically, write_json
from infogan.run_folder.paths import checkpoint_path, find_run, new_run_folder, newest_checkpoint, safe_name, set_link
from infogan.run_folder.trees import load_tree, save_tree

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


def assert_same(one, two):
    assert type(one) is type(two)
    if isinstance(one, torch.Tensor):
        assert one.dtype == two.dtype
        assert torch.equal(one, two)
    elif isinstance(one, dict):
        assert list(one) == list(two)
        for key in one:
            assert_same(one[key], two[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(two)
        for a, b in zip(one, two, strict=True):
            assert_same(a, b)
    else:
        assert one == two


def run_in(folder, age):
    folder.mkdir(parents=True)
    config = folder / "config.yaml"
    config.write_text("seed: 0\n")
    os.utime(config, (1_000_000 - age, 1_000_000 - age))
    return folder


def test_a_tree_comes_back_as_it_was(tmp_path):
    tree = {
        "state": {0: {"step": torch.tensor(3.0), "moments": [torch.randn(2, 3), torch.randn(4)]}, 1: {}},
        "plain": [None, True, False, 0, 1, -7, 0.1, 1e-300, "text äλ", ""],
        "betas": (0.5, 0.999, (1, [2])),
        "empty": [(), [], {}],
    }
    path = tmp_path / "deep" / "tree.safetensors"
    save_tree(path, tree)
    assert_same(tree, load_tree(path))
    assert [file.name for file in path.parent.iterdir()] == ["tree.safetensors"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)], ids=str)
def test_tensors_of_every_kind_come_back(tmp_path, dtype, shape):
    tensor = (10 * torch.rand(shape)).to(dtype)
    save_tree(tmp_path / "t", {"x": tensor})
    assert_same({"x": tensor}, load_tree(tmp_path / "t"))


def test_memory_layout_comes_back(tmp_path):
    plain = torch.randn(2, 3, 4, 5)
    last = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    save_tree(tmp_path / "t", [plain, last, plain.transpose(2, 3)])
    back = load_tree(tmp_path / "t")
    assert torch.equal(back[0], plain)
    assert back[0].is_contiguous()
    assert torch.equal(back[1], last)
    assert back[1].is_contiguous(memory_format=torch.channels_last)
    assert back[1].stride() == last.stride()
    assert torch.equal(back[2], plain.transpose(2, 3))


def test_shared_and_trained_tensors_can_be_saved(tmp_path):
    weight = torch.randn(3, requires_grad=True)
    save_tree(tmp_path / "t", [weight, weight, weight[:2]])
    back = load_tree(tmp_path / "t")
    assert torch.equal(back[1], weight.detach())
    assert torch.equal(back[2], weight.detach()[:2])
    assert not back[0].requires_grad


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), b"bytes", 1j, torch.nn.Linear(1, 1), print],
    ids=["set", "object", "bytes", "complex", "module", "function"],
)
def test_other_types_are_refused_and_leave_no_file(tmp_path, value):
    with pytest.raises(TypeError, match=type(value).__name__):
        save_tree(tmp_path / "t", {"a": [1, value]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "half.safetensors"
    save_tree(path, {"x": torch.randn(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"half\.safetensors .*damaged"):
        load_tree(path)


def test_a_foreign_file_is_named(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(RunError, match=r"foreign\.safetensors is not a checkpoint"):
        load_tree(tmp_path / "foreign.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"none\.safetensors does not exist"):
        load_tree(tmp_path / "none.safetensors")


@pytest.mark.parametrize(("error", "raised"), [(ValueError("x"), ValueError), (OSError(28, "disk full"), RunError)])
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, error, raised):
    path = tmp_path / "file"
    path.write_text("old")

    def write(staged):
        staged.write_text("half")
        raise error

    with pytest.raises(raised, match=str(error.args[-1])):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_run_error():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(RunError, match=r"^/dev/full could not be written: No space left on device$"):
        append(Path("/dev/full"), "row\n")


def test_a_write_replaces_the_old_file(tmp_path):
    path = tmp_path / "new" / "file"
    for text in ("one", "two"):
        write_atomically(path, lambda staged, text=text: staged.write_text(text))
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_a_run_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="could not be written"):
        write_json(tmp_path / "file" / "metrics.json", {})


def test_a_write_moves_a_new_file_into_place(tmp_path):
    """The old file is never opened: another name of it still holds the old text."""
    path = tmp_path / "file"
    path.write_text("old")
    (tmp_path / "link").hardlink_to(path)
    write_atomically(path, lambda staged: staged.write_text("new"))
    assert (path.read_text(), (tmp_path / "link").read_text()) == ("new", "old")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_json_does_not_have(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": value})
    assert list(tmp_path.iterdir()) == []


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


def test_a_folder_is_whole_or_not_there(tmp_path):
    target = tmp_path / "new" / "images"
    with pytest.raises(ZeroDivisionError), whole_folder(target) as staged:
        (staged / "0.png").write_text("half")
        assert not target.exists()
        _ = 1 / 0
    assert list(target.parent.iterdir()) == []
    with whole_folder(target) as staged:
        (staged / "0.png").write_text("whole")
    assert [path.name for path in target.parent.iterdir()] == ["images"]
    assert (target / "0.png").read_text() == "whole"


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir()
    full.mkdir()
    (full / "mine").write_text("mine")
    file.write_text("mine")
    for taken in (full, file):
        with pytest.raises(RunError, match=f"{taken} exists and is not an empty folder"), whole_folder(taken):
            pytest.fail("the work must not start")
    with whole_folder(empty) as staged:
        (staged / "new").write_text("new")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "empty", "empty/new", "file", "full", "full/mine"
    ]  # fmt: skip


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file/images could not be written"), whole_folder(tmp_path / "file" / "images"):
        pytest.fail("the work must not start")


def test_unused_names(tmp_path):
    assert unused(tmp_path / "a.png") == tmp_path / "a.png"
    for name in ("a.png", "a-2.png", "b"):
        (tmp_path / name).write_text("")
    assert unused(tmp_path / "a.png") == tmp_path / "a-3.png"
    assert unused(tmp_path / "b") == tmp_path / "b-2"
