"""Commands that open a model take the newest run that has one, and say so in a line."""

import os
import shutil
from types import SimpleNamespace

import pytest

from infogan import compare, edit, evaluate, explore, export, film, generate
from infogan.errors import RunError
from infogan.run_folder.configuration import load_config, save_config

COMMANDS = {
    "edit": (edit, "edit", ["image=picture.png"]),
    "evaluate": (evaluate, "score", []),
    "explore": (explore, "explore", ["browser=false"]),
    "export": (export, "export", ["to=exported"]),
    "film": (film, "film", []),
    "generate": (generate, "generate", ["count=1"]),
}
"""The module of each command, and its function that gets what was opened."""


@pytest.fixture
def outputs(digits_run, tmp_path):
    """A run that can be opened, and a newer one that has no checkpoint yet."""
    outputs = tmp_path / "outputs"
    shutil.copytree(digits_run, outputs / "older")
    save_config(load_config(digits_run), outputs / "newer")
    for age, name in enumerate(("newer", "older")):
        os.utime(outputs / name / "config.yaml", (1_000_000 - age, 1_000_000 - age))
    return outputs


@pytest.mark.parametrize("name", COMMANDS)
def test_the_newest_that_can_be_opened(call, monkeypatch, outputs, name):
    module, function, arguments = COMMANDS[name]
    opened = []

    def stop(first, *rest):
        opened.append(getattr(first, "folder", first))
        raise RunError("far enough")

    monkeypatch.setattr(module, function, stop)
    code, out, err = call(module.main, f"paths.outputs={outputs}", *arguments)
    assert (code, err, opened) == (2, "error: far enough\n", [outputs / "older"])
    assert out == (
        f"run=latest: {outputs}/newer has no checkpoint yet; the newest run that can be opened is {outputs}/older\n"
    )


def test_a_comparison_with_the_latest(outputs):
    asked = SimpleNamespace(runs=["latest"], sweep=None, paths=SimpleNamespace(outputs=outputs))
    assert compare.runs_and_place(asked)[0] == [outputs / "older"]
