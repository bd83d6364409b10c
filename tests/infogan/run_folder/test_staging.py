"""What killed processes left beside a file goes; all else stays."""

import os
import subprocess
import sys

from infogan.run_folder.files import whole_folder, write_atomically
from infogan.run_folder.staging import MACHINE, staged_name

GONE = 4_194_303
"""No process has this number: it is the highest that Linux gives."""


def leave(folder, *names):
    for name in names:
        (folder / name).mkdir()
        (folder / name / "0.png").write_text("half")


def test_only_what_processes_that_are_gone_have_left_is_removed(tmp_path):
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    kept = [
        f".a.{alive.pid}-{MACHINE}.staged",
        f".a.{GONE}-00000000.staged",
        f".a.{GONE}",
        f"a.{GONE}-{MACHINE}.staged",
    ]
    leave(tmp_path, *kept, f".a.{GONE}-{MACHINE}.staged")
    (tmp_path / f".c.png.{GONE}-{MACHINE}.staged").write_text("half")
    (tmp_path / f".d.{GONE}-{MACHINE}.staged").symlink_to(tmp_path / kept[0])
    try:
        staged_name(tmp_path / "b")
    finally:
        alive.communicate(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    assert all((tmp_path / name / "0.png").is_file() for name in kept)


def test_numbers_of_processes_come_back(tmp_path):
    """In a container each start may have the same one."""
    leave(tmp_path, f".images.{os.getpid()}-{MACHINE}.staged")
    with whole_folder(tmp_path / "images") as staged:
        (staged / "1.png").write_text("whole")
    leave(tmp_path, f".file.{os.getpid()}-{MACHINE}.staged")
    write_atomically(tmp_path / "file", lambda staged: staged.write_text("whole"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.png", "file", "images"]
