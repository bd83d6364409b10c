"""`examples/animals.py` writes what the package holds, without unpickling it."""

import gzip
import importlib.util
import pickle
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "examples" / "animals.py"
LABELS = np.array([9, 0, 3, 0])
IMAGES = np.arange(4 * 28 * 28).reshape(4, 28, 28).astype(np.uint8)


class Payload:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture
def script(monkeypatch):
    """The script as a module, for four pictures."""
    spec = importlib.util.spec_from_file_location("animals", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "COUNT", 4)
    return module


@pytest.fixture
def package(script, monkeypatch, tmp_path):
    """Puts files with this content in the place of the package's."""

    def install(**contents):
        entries = []
        for name, content in contents.items():
            path = tmp_path / f"animal_{name}_version_3.gz"
            path.write_bytes(gzip.compress(pickle.dumps(content, protocol=4)))
            entries.append(SimpleNamespace(name=path.name, locate=lambda path=path: path))
        monkeypatch.setattr(script, "files", lambda package: entries)

    return install


def run(call, script, *arguments):
    return call(script.main, *map(str, arguments))


def test_each_picture_lies_in_the_folder_of_its_kind(call, script, package, tmp_path):
    touched = tmp_path / "touched"
    package(data=[Payload(touched), IMAGES], label=[Payload(touched), LABELS.astype("<i8")])
    code, out, err = run(call, script, tmp_path / "animals")
    assert (code, err) == (0, "") and out == f"4 images: {tmp_path}/animals\n"
    assert len([*(tmp_path / "animals").iterdir()]) == 10
    for number, kind in enumerate(("zebra", "bear", "cow", "bear")):
        with Image.open(tmp_path / "animals" / kind / f"{number:05d}.png") as picture:
            assert (np.asarray(picture) == IMAGES[number]).all()
    assert not touched.exists()


def test_mistakes(call, script, package, monkeypatch, tmp_path):
    package(data=IMAGES[:3], label=LABELS)
    assert run(call, script, tmp_path / "animals")[0] == 2, "an array of another size"
    package(data=IMAGES)
    code, _, err = run(call, script, tmp_path / "animals")
    assert code == 2 and "pip install --no-deps animal-mnist==0.4 brings it" in err and err.count("\n") == 1

    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(script, "files", missing)
    assert "No package metadata was found for animal-mnist" in run(call, script, tmp_path / "animals")[2]
    assert not (tmp_path / "animals").exists()
