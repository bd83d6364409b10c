"""A data set and a callback of somebody else's package, by the name of an entry point and by the path of the class."""

import json

import pytest
import yaml

import infogan
from infogan import data, evaluate, generate, train
from infogan.config.extensions import find
from infogan.run_folder.status import read_status

RINGS = '''
import numpy as np
import lightning as L
from infogan.config.data import DataSection
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays


class RingsSection(DataSection):
    radius: float


class Rings(ImageDataModule):
    """Rings around the middle of 8×8 pixels, thin or thick."""

    data_set, section, licence, image_shape = "rings", RingsSection, "CC0", (1, 8, 8)

    def __init__(self, context, radius):
        super().__init__(context)
        self.radius = radius

    def options(self):
        return {"radius": self.radius}

    def originals(self):
        y, x = np.mgrid[-3.5:4, -3.5:4]
        thick = np.arange(600) % 2
        from_ring = np.abs(np.hypot(x, y) - self.radius) / (0.5 + thick)[:, None, None]
        images = (255 * np.clip(1 - from_ring, 0, 1)).astype(np.uint8)[:, None]
        return Originals(part_of_arrays(images[:500], thick[:500]), part_of_arrays(images[500:], thick[500:]), "drawn",
                         ("thin", "thick"))


class Count(L.Callback):
    """Writes how many iterations it has seen."""

    def __init__(self, to, start=0):
        self.to, self.seen = to, start

    def on_train_batch_end(self, trainer, module, *_):
        self.seen += 1

    def on_train_end(self, trainer, module):
        with open(self.to, "w") as file:
            file.write(str(self.seen))


class Undecided(ImageDataModule):
    data_set = "undecided"

    def originals(self):
        raise AssertionError


class Taken(Rings):
    data_set = "digits"
'''

ENTRY_POINTS = """
[infogan.data]
rings = rings_package:Rings
[infogan.callbacks]
count = rings_package:Count
"""


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path):
    """The package and what `pip install` leaves beside it; and a module that cannot be imported."""
    site = tmp_path / "site"
    (site / "rings_package-1.0.dist-info").mkdir(parents=True)
    (site / "rings_package.py").write_text(RINGS)
    (site / "broken_package.py").write_text("raise OSError('no\\nlicence')")
    (site / "rings_package-1.0.dist-info" / "METADATA").write_text("Name: rings_package\nVersion: 1.0\n")
    (site / "rings_package-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(site)
    for name in ("rings_package", "broken_package"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)


@pytest.fixture
def command(call, tmp_path):
    def run(main, *arguments):
        (tmp_path / "mine" / "data").mkdir(parents=True, exist_ok=True)
        for name, kind in {"rings": "rings", "by_path": "rings_package:Rings"}.items():
            text = yaml.safe_dump({"name": kind, "radius": 2.5})
            (tmp_path / "mine" / "data" / f"{name}.yaml").write_text(text)
        return call(main, "--config-dir", f"{tmp_path}/mine", *arguments, f"paths.outputs={tmp_path}/outputs")

    return run


SHORT = ["model=digits", "logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=4",
         "callbacks.traversal_rows=1"]  # fmt: skip


@pytest.mark.parametrize("name", ["rings", "by_path"])
def test_a_data_set_of_another_package(command, tmp_path, name):
    """It is described, trained on, opened and scored as one of this project's own."""
    code, out, err = command(data.main, f"data={name}", "model=digits")
    assert (code, err) == (0, "")
    assert "CC0" in out and "thin: 250, thick: 250" in " ".join(out.split())
    code, _, err = command(train.main, f"data={name}", *SHORT, "data.radius=2.0")
    assert (code, err) == (0, "")
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/config.yaml"))
    assert folder.name.endswith(f"_{'rings' if name == 'rings' else 'rings_package_Rings'}")
    kind = "rings" if name == "rings" else "rings_package:Rings"
    written = yaml.safe_load((folder / "config.yaml").read_text())
    assert written["data"] == {"name": kind, "batch_size": 64, "radius": 2.0}
    assert read_status(folder).state == "finished"
    assert json.loads((folder / "summary.json").read_text())["data"] == "rings"
    assert infogan.load(folder).generate(3, c2=0.5).shape == (3, 8, 8, 1)
    assert command(generate.main, "run=latest", "count=2")[0] == 0
    small = [
        "metrics.latents=1000",
        "metrics.images=1000",
        "metrics.draws=1",
        f"metrics.inception_weights={tmp_path}/no",
    ]
    code, _, err = command(evaluate.main, "run=latest", "threads=1", *small)
    assert (code, err) == (0, "")
    assert "image_quality" in json.loads((folder / "evaluation.json").read_text())


def test_a_run_on_a_data_set_whose_package_has_gone(command, monkeypatch, tmp_path):
    assert command(train.main, "data=rings", *SHORT)[0] == 0
    (tmp_path / "site" / "rings_package-1.0.dist-info" / "entry_points.txt").unlink()
    code, _, err = command(generate.main, "run=latest", "count=2")
    assert (code, err.count("\n")) == (2, 1)
    assert "data: name must be one of digits, mnist, " in err
    assert "rings is none of this project's own, and no path of a class" in err


@pytest.mark.parametrize("kind", ["count", "rings_package:Count"])
def test_a_callback_of_another_package(command, tmp_path, kind):
    """Given as a file of the group, on the command line, and beside run=."""
    (tmp_path / "mine" / "callbacks").mkdir(parents=True)
    text = yaml.safe_dump({"further": {"a": {"kind": kind, "to": f"{tmp_path}/a"}}})
    (tmp_path / "mine" / "callbacks" / "mine.yaml").write_text(text)
    added = f"callbacks.further.b={{kind: {kind}, to: {tmp_path}/b, start: 100}}"
    code, _, err = command(train.main, "data=digits", *SHORT, "callbacks=mine", added)
    assert (code, err) == (0, "")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["4", "104"]
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/config.yaml"))
    further = yaml.safe_load((folder / "config.yaml").read_text())["callbacks"]["further"]
    assert further["b"] == {"kind": kind, "to": f"{tmp_path}/b", "start": 100}
    changed = [f"callbacks.further.{name}.to={tmp_path}/{name}2" for name in "ab"]
    code, _, err = command(train.main, "run=latest", "trainer.max_iterations=6", *changed)
    assert (code, err) == (0, "")
    assert [(tmp_path / f"{name}2").read_text() for name in "ab"] == ["2", "102"]


def test_a_run_with_a_callback_whose_package_has_gone_still_opens(command, tmp_path):
    added = f"callbacks.further.a={{kind: count, to: {tmp_path}/a}}"
    assert command(train.main, "data=digits", *SHORT, added)[0] == 0
    (tmp_path / "site" / "rings_package-1.0.dist-info" / "entry_points.txt").unlink()
    assert command(generate.main, "run=latest", "count=2")[0] == 0
    code, _, err = command(train.main, "run=latest", "trainer.max_iterations=6")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: callbacks.further.a: kind=count is none of this project's own")


MISTAKES = {
    "callbacks.further.a={kind: nobody}": "callbacks.further.a: kind=nobody is none of this project's own, count, and",
    "callbacks.further.a={kind: 'no.where:All'}": "kind=no.where:All could not be imported: No module named 'no'",
    "callbacks.further.a={kind: 'broken_package:All'}": "kind=broken_package:All could not be imported: no licence",
    "callbacks.further.a={kind: 'os:system'}": "kind=os:system is no callback (lightning.Callback)",
    "callbacks.further.a={kind: 'subprocess:Popen', args: ls}": "kind=subprocess:Popen is no callback",
    "callbacks.further.a={kind: count}": "kind=count: missing a required argument: 'to'",
    "callbacks.further.a={kind: count, to: x, often: 3}": "kind=count: got an unexpected keyword argument 'often'",
    "callbacks.further.a={to: x}": "callbacks.further.a.kind is missing",
    "callbacks.further.a=3": "callbacks.further.a=3: ",
    "data.radius=wide": "data.radius=wide: input should be a valid number",
    "+data.size=3": "data.size: there is no such key",
    "data.name=nobody": "data.name must be one of digits, mnist, fashion_mnist, svhn, celeba, faces, chairs, dsprites, "
                        "folder; nobody is none of this project's own, rings, and no path of a class",
    "data.name=os:system": "data: name=os:system: its class must have a `section`, a subclass of DataSection",
    "data.name=rings_package:Undecided": "its class must have a `section`",
    "data.name=rings_package:Taken": "its data_set = 'digits' is that of a data set of this project",
}  # fmt: skip


@pytest.mark.parametrize(("mistake", "told"), MISTAKES.items())
def test_mistakes_are_one_line_before_anything_is_made(command, tmp_path, mistake, told):
    code, _, err = command(train.main, "data=rings", *SHORT, mistake)
    assert (code, err.count("\n")) == (2, 1), err
    assert told.replace("data.name must", "data: name must") in err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("name", [".:", ":", "a:", ":a", "..a:b", "a..b:c", "a b:c", "1a:b", "a:b:c", "", "\n"])
def test_what_is_no_path_of_a_class(name):
    with pytest.raises(ValueError, match=r"is none of this project's own, .* and no path of a class") as error:
        find("data", name)
    assert "\n" not in str(error.value)
