"""Files and folders are whole or not there; a full disk is a RunError."""

from pathlib import Path

import pytest

from infogan.errors import RunError
from infogan.run_folder.files import append, unused, whole_folder, write_atomically, write_json


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
