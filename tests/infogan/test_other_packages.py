"""The example package: a data set, a callback, a code and a regulariser, by the name of an entry point and by the path
of the class."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import infogan
from infogan import data, evaluate, generate, train
from infogan.config.extensions import find
from infogan.run_folder.metrics import read_metrics
from infogan.run_folder.status import read_status

EXAMPLE = Path(__file__).parents[2] / "examples" / "rings"

MISTAKEN = """
from infogan_rings import ImageDataModule, Rings

class Undecided(ImageDataModule):
    data_set = "undecided"

    def originals(self):
        raise AssertionError

class Taken(Rings):
    data_set = "digits"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """examples/rings as pip installs it, from a copy, since building leaves files; nothing is downloaded."""
    pytest.importorskip("pip")
    source, site = (
        shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "rings"),
        tmp_path_factory.mktemp("site"),
    )
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", site, source], check=True)
    return site


@pytest.fixture(autouse=True)
def installed(wheel, monkeypatch, tmp_path):
    """The example, installed; a package whose data sets are mistaken, and a module that cannot be imported."""
    site = shutil.copytree(wheel, tmp_path / "site")
    (site / "mistaken.py").write_text(MISTAKEN)
    (site / "broken_package.py").write_text("raise OSError('no\\nlicence')")
    monkeypatch.syspath_prepend(site)
    for name in ("infogan_rings", "mistaken", "broken_package"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return site


@pytest.fixture
def command(call, tmp_path):
    def run(main, *arguments):
        mine = shutil.copytree(EXAMPLE / "conf", tmp_path / "mine", dirs_exist_ok=True)
        (mine / "data" / "by_path.yaml").write_text(yaml.safe_dump({"name": "infogan_rings:Rings", "radius": 2.5}))
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
    assert folder.name.endswith(f"_{'rings' if name == 'rings' else 'infogan_rings_Rings'}")
    kind = "rings" if name == "rings" else "infogan_rings:Rings"
    written = yaml.safe_load((folder / "config.yaml").read_text())
    assert written["data"] == {"name": kind, "batch_size": 64, "radius": 2.0}
    said = "commands that open this run need 'imports=[infogan_rings:Rings]': " in (folder / "log.txt").read_text()
    assert said is (name == "by_path")
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


def test_a_run_on_a_data_set_whose_package_has_gone(command, installed):
    assert command(train.main, "data=rings", *SHORT)[0] == 0
    (installed / "infogan_rings-1.0.dist-info" / "entry_points.txt").unlink()
    code, _, err = command(generate.main, "run=latest", "count=2")
    assert (code, err.count("\n")) == (2, 1)
    assert "data: name must be one of digits, mnist, " in err
    assert "rings is none of this project's own, and no path of a class" in err


@pytest.mark.parametrize("prefix", ["", "infogan_rings:"])
def test_a_code_and_a_regulariser_of_another_package(command, tmp_path, prefix):
    coin, ink = (f"'{prefix}{name if prefix else name.lower()}'" for name in ("Coin", "Ink"))
    added = [f"model.codes.c4={{kind: {coin}}}", f"model.regularisers.thrift={{kind: {ink}, weight: 0.1, every: 1}}"]
    code, _, err = command(train.main, "data=rings", *SHORT, "callbacks.log_every=2", *added)
    assert (code, err) == (0, "")
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/config.yaml"))
    assert json.loads((folder / "summary.json").read_text())["entropy"]["c4"] == pytest.approx(math.log(2))
    ink = [row["regulariser/thrift"] for row in read_metrics(folder).rows if "regulariser/thrift" in row]
    assert len(ink) == 2 and all(0 <= value <= 1 for value in ink)
    assert infogan.load(folder).encode(infogan.load(folder).generate(3, c4=1))["c4"].shape == (3, 2)


@pytest.mark.parametrize("kind", ["count", "infogan_rings:Count"])
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


def test_a_run_with_a_callback_whose_package_has_gone_still_opens(command, installed, tmp_path):
    added = f"callbacks.further.a={{kind: count, to: {tmp_path}/a}}"
    assert command(train.main, "data=digits", *SHORT, added)[0] == 0
    (installed / "infogan_rings-1.0.dist-info" / "entry_points.txt").unlink()
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
    "data.name=mistaken:Undecided": "its class must have a `section`",
    "data.name=mistaken:Taken": "its data_set = 'digits' is that of a data set of this project",
}  # fmt: skip


@pytest.mark.parametrize(("mistake", "message"), MISTAKES.items())
def test_mistakes_are_one_line_before_anything_is_made(command, tmp_path, mistake, message):
    code, _, err = command(train.main, "data=rings", *SHORT, mistake)
    assert (code, err.count("\n")) == (2, 1), err
    assert message.replace("data.name must", "data: name must") in err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("name", [".:", ":", "a:", ":a", "..a:b", "a..b:c", "a b:c", "1a:b", "a:b:c", "", "\n"])
def test_what_is_no_path_of_a_class(name):
    with pytest.raises(ValueError, match=r"is none of this project's own, .* and no path of a class") as error:
        find("data", name)
    assert "\n" not in str(error.value)
