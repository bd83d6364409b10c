"""`infogan`, the command of all commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infogan.__main__ import commands, main
from tests.infogan.processes import Forked, ended

ROOT = Path(__file__).parents[2]


def test_every_command_is_listed_with_a_line(call):
    code, out, err = call(main)
    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=1) for line in out.partition("\ncommands\n")[2].splitlines()]
    assert [name for name, _ in lines] == list(commands())
    assert {"train", "evaluate", "compare", "data", "explore"} <= set(commands())
    assert all(line.endswith(".") for _, line in lines)
    for name in commands():
        assert "def main" in (ROOT / "infogan" / f"{name}.py").read_text(encoding="utf-8")


def test_a_command_that_is_none(call):
    code, out, err = call(main, "trian", "data=mnist")
    assert code == 2
    assert "train" in out and err == "\nerror: trian: there is no such command\n"


@pytest.mark.parametrize("program", ["-m infogan", str(Path(sys.executable).parent / "infogan")])
def test_train_is_trained_as_by_its_module(tmp_path, program):
    """The same command is noted, so that other ranks and readers can repeat it."""
    short = ["train", "data=digits", "logger=none", "trainer.max_iterations=2", "trainer.threads=1",
             f"paths.outputs={tmp_path}"]  # fmt: skip
    if program == "-m infogan":
        code, _, err = ended(Forked(*short, program=("-m", "infogan"), cwd=ROOT))
    elif Path(program).exists():
        done = subprocess.run([program, *short], capture_output=True, text=True, check=False, cwd=ROOT)
        code, err = done.returncode, done.stderr
    else:
        pytest.skip("the project is not installed here")
    assert (code, err) == (0, "")
    (folder,) = tmp_path.glob("*_digits")
    (start,) = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert start["command"].startswith("python -m infogan.train data=digits logger=none")
