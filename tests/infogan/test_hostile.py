"""Run folders from others: whatever lies in them, nothing is executed, and the end is one line."""

import itertools
import json
import pickle
import re
import shutil
import struct
import sys
from pathlib import Path

import pytest
import torch
import yaml

import infogan
from infogan import compare, edit, evaluate, generate, report, runs, train
from infogan.config import extensions
from infogan.config.extensions import NotGiven
from infogan.config.versions import VERSION
from infogan.errors import RunError
from infogan.run_folder.configuration import load_config
from infogan.run_folder.paths import checkpoint_path, newest_checkpoint
from infogan.run_folder.trees import load_tree, save_tree
from infogan.trained.model import load_run


class Payload:
    """Makes the canary when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


def plain_pickle(path, canary):
    path.write_bytes(pickle.dumps(Payload(canary)))


def torch_zip(path, canary):
    torch.save({"state_dict": Payload(canary)}, path)


def header(path, contents, data=b""):
    text = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tensor(first, last, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}


def tree(structure):
    return {"__metadata__": {"tree": structure if isinstance(structure, str) else json.dumps(structure)}}


CHECKPOINTS = {
    "pickle": plain_pickle,
    "torch zip": torch_zip,
    "header longer than the file": lambda path, canary: path.write_bytes(struct.pack("<Q", 2**62) + b"{}"),
    "header that is no JSON": lambda path, canary: header(path, b"{'a': " * 9),
    "offsets behind the end": lambda path, canary: header(path, {"0": tensor(0, 2**50, [2**48])} | tree({}), bytes(64)),
    "offsets that overlap": lambda path, canary: header(
        path, {"0": tensor(0, 16, [4]), "1": tensor(8, 24, [4])} | tree({}), bytes(24)
    ),
    "a size that overflows": lambda path, canary: header(path, {"0": tensor(0, 0, [2**62, 4])} | tree({}), b""),
    "a tree without end": lambda path, canary: header(path, tree('{"list": [' * 100_000)),
    "a tree of another kind": lambda path, canary: header(path, tree([["dict", 3]])),
    "a tensor that is not there": lambda path, canary: header(path, tree({"tensor": "7", "channels_last": True})),
    "a tensor without four axes": lambda path, canary: header(
        path, {"0": tensor(0, 4, [1])} | tree({"tensor": "0", "channels_last": True}), bytes(4)
    ),
    "a tree of nothing": lambda path, canary: header(path, tree({"dict": []})),
    "an iteration alone": lambda path, canary: header(path, tree({"dict": [["iteration", {"value": 20}]]})),
}


def apply(canary):
    return f"!!python/object/apply:os.mkdir ['{canary}']"


CONFIGS = {
    "python tag": lambda text, canary: text.replace("name: digits", f"name: {apply(canary)}", 1),
    "python name": lambda text, canary: text.replace("seed: 0", "seed: !!python/name:os.system", 1),
    "resolver": lambda text, canary: text.replace("seed: 0", "seed: ${oc.env:HOME}", 1),
    "resolver in a path": lambda text, canary: text.replace("outputs: ", "outputs: ${oc.env:HOME}", 1),
    "target": lambda text, canary: text.replace(
        "trainer:", f"trainer:\n  _target_: pathlib.Path.touch\n  _args_: ['{canary}']", 1
    ),
    "aliases that grow": lambda text, canary: text.replace(
        "seed: 0",
        "a: &a [0, 0]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in itertools.pairwise("abcdefghi"))
        + "seed: *i",
        1,
    ),
    "without end": lambda text, canary: "[" * 20_000,
    "bytes": lambda text, canary: "\x00\x01",
    "a newer version's key": lambda text, canary: text.replace("seed: 0", "seed: 0\nepoch: 3", 1),
    "an older version's lack": lambda text, canary: text.replace("seed: 0", "", 1),
    "a newer version": lambda text, canary: text.replace(f"version: {VERSION}", f"version: {VERSION + 1}", 1),
    "no version at all": lambda text, canary: text.replace(f"version: {VERSION}", "version: {2: 3}", 1),
    "a kind of code that nobody knows": lambda text, canary: text.replace("kind: uniform", "kind: ring", 1),
    "a kind of code of no package": lambda text, canary: text.replace("kind: uniform", "kind: nowhere.codes:Ring", 1),
    "a kind of code that is none": lambda text, canary: text.replace("kind: uniform", "kind: os:system", 1),
}  # fmt: skip


@pytest.fixture
def hostile(digits_run, tmp_path):
    """A copy of a finished run, asked to become longer, and the file that must not come to be."""
    folder = shutil.copytree(digits_run, tmp_path / "outputs" / "run")
    return folder, tmp_path / "canary"


def commands(folder):
    """Each command that opens a run, by name, with the arguments that name this one."""
    picture = next((folder / "figures").glob("*.png"))
    run, small = f"run={folder}", "accelerator=cpu"
    return {
        "train": (train.main, run, "trainer.max_iterations=30", "trainer.threads=1"),
        "evaluate": (evaluate.main, run, small),
        "generate": (generate.main, run, small, "count=2"),
        "edit": (edit.main, run, small, f"image={picture}"),
        "compare": (compare.main, f"runs=[{folder}]", small),
        "report": (report.main, run),
        "runs": (runs.main,),
    }


def check_one_line(code, err):
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_hostile_checkpoint(call, hostile, kind):
    """Those that open the checkpoint end in one line; the others do not need it."""
    folder, canary = hostile
    CHECKPOINTS[kind](newest_checkpoint(folder), canary)
    outputs = f"paths.outputs={folder.parent}"
    for name, (main, *arguments) in commands(folder).items():
        code, out, err = call(main, *arguments, outputs)
        if name in ("report", "runs"):
            assert (code, err) == (0, "")
            continue
        check_one_line(code, err)
        assert str(newest_checkpoint(folder)) in (out if name == "compare" else err)
    assert not canary.exists()


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_hostile_configuration(call, hostile, monkeypatch, kind):
    folder, canary = hostile
    path = folder / "config.yaml"
    changed = CONFIGS[kind](path.read_text(), canary)
    assert changed != path.read_text()
    path.write_text(changed)
    monkeypatch.setenv("COLUMNS", "200")
    outputs = f"paths.outputs={folder.parent}"
    for name, (main, *arguments) in commands(folder).items():
        code, out, err = call(main, *arguments, outputs)
        if name == "runs":
            assert (code, err) == (0, "")
            assert f"damaged: {path} " in out
            continue
        check_one_line(code, err)
        assert str(path) in (out if name == "compare" else err)
        assert len(out + err) < 2000
    assert not canary.exists()
    assert path.read_text() == changed


@pytest.fixture
def planted(monkeypatch, tmp_path):
    """A module that could be imported, and then makes the canary; nobody has given its path before."""
    (tmp_path / "planted.py").write_text(
        "from pathlib import Path\n"
        f"Path({str(tmp_path / 'canary')!r}).touch()\n"
        "from infogan.codes.uniform import Uniform\n"
        "from infogan.config.codes import UniformCode\n"
        "from lightning import Callback as Watch\n"
        "class Section(UniformCode):\n    kind: str\n"
        "class Code(Uniform):\n    section = Section\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(extensions, "_given", set())
    yield "planted:Code"
    sys.modules.pop("planted", None)


def test_a_path_in_a_run_is_imported_only_for_whom_gives_it(call, hostile, planted, monkeypatch):
    folder, canary = hostile
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("kind: uniform", f"kind: {planted}"))
    outputs, line = (
        f"paths.outputs={folder.parent}",
        f"{path} names {planted}, a class that is imported only if you say",
    )
    monkeypatch.setenv("COLUMNS", "300")
    for name, (main, *arguments) in commands(folder).items():
        code, out, err = call(main, *arguments, outputs, "imports=[planted:Other]")
        assert line in (out if name in ("compare", "runs") else err), name
        if name != "runs":
            check_one_line(code, err)
    with pytest.raises(NotGiven, match=r"'imports=\[planted:Code\]', where you trust it"):
        infogan.load(folder)
    assert not canary.exists()
    code, _, err = call(generate.main, f"run={folder}", "count=2", f"to={folder}/images", f"imports=[{planted}]")
    assert (code, err) == (0, "") and canary.exists()
    code, _, err = call(train.main, f"run={folder}", "trainer.max_iterations=21", f"imports=[{planted}]")
    assert (code, err) == (0, "")
    assert "imports" not in path.read_text()


def test_so_is_one_in_an_exported_model(digits_run, planted, tmp_path):
    from infogan.trained.exported_files import write_model

    write_model(load_run(digits_run), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"uniform"', f'"{planted}"', 1))
    with pytest.raises(NotGiven, match=re.escape(f"{path} names {planted}, a class")):
        infogan.load(tmp_path)
    assert not (tmp_path / "canary").exists()
    assert infogan.load(tmp_path, imports=[planted]).generate(2).shape == (2, 8, 8, 1)


def test_a_callback_of_a_run_is_imported_only_for_who_trains_it_and_gives_it(call, hostile, planted):
    """Who opens the run does not need it."""
    folder, canary = hostile
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("further: {}", "further: {watch: {kind: 'planted:Watch'}}"))
    assert call(generate.main, f"run={folder}", "count=2", f"to={folder}/images")[0] == 0
    longer = [f"run={folder}", "trainer.max_iterations=21", "trainer.threads=1"]
    code, _, err = call(train.main, *longer)
    check_one_line(code, err)
    assert err.startswith("error: callbacks.further.watch names planted:Watch, a class that is imported only if")
    assert not canary.exists()
    assert call(train.main, *longer, "callbacks.further.watch.kind=planted:Watch")[0] == 0
    assert canary.exists()


def test_what_is_no_path_in_imports(call):
    code, _, err = call(generate.main, "imports=[planted]")
    check_one_line(code, err)
    assert "imports.0=planted: must be the path of a class, package.module:Class" in err


def test_another_version_is_named(hostile):
    folder, _ = hostile
    path = folder / "config.yaml"
    path.write_text(CONFIGS["a newer version's key"](path.read_text(), None))
    with pytest.raises(RunError) as error:
        load_config(folder)
    assert str(error.value) == (
        f"{path} does not fit this version (provenance.json says which made it): epoch: there is no such key"
    )


def test_a_checkpoint_of_another_version_is_named_before_training(call, hostile):
    folder, _ = hostile
    path = newest_checkpoint(folder)
    whole = load_tree(path)
    arguments = (train.main, f"run={folder}", "trainer.max_iterations=30", "trainer.threads=1")
    changes = {
        "state_dict": whole["state_dict"] | {"generator.extra": torch.zeros(1)},
        "optimizer_states": whole["optimizer_states"][:1],
        "iteration": 19,
        "loops": {},
    }
    for key, value in changes.items():
        save_tree(path, whole | {key: value})
        code, _, err = call(*arguments)
        check_one_line(code, err)
        assert f"{path} does not fit {folder}/config.yaml" in err
        assert "provenance.json says which made it" in err
    save_tree(path, whole)
    assert call(*arguments)[0] == 0
    assert checkpoint_path(folder, 30).exists()


def test_the_payloads_do_what_they_say(tmp_path):
    """Else the tests above would prove nothing."""
    for k, make in enumerate((plain_pickle, torch_zip)):
        path, canary = tmp_path / "file", tmp_path / f"canary-{k}"
        make(path, canary)
        torch.load(path, weights_only=False) if make is torch_zip else pickle.loads(path.read_bytes())
        assert canary.exists()
    canary = tmp_path / "canary-yaml"
    yaml.unsafe_load(apply(canary))
    assert canary.exists()
