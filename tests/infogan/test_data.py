"""What a data set says of itself."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from infogan.data import main, show
from infogan.datamodules.build_store import Originals, Part
from infogan.datamodules.contact_sheet import COLUMNS
from infogan.datamodules.store import LabelledImages


@pytest.fixture
def command(call, monkeypatch, tmp_path):
    def run(*arguments):
        monkeypatch.setenv("COLUMNS", "200")
        return call(main, *arguments, f"paths.outputs={tmp_path}/outputs")

    return run


def test_digits(command, tmp_path):
    code, out, err = command("data=digits")
    assert (code, err) == (0, "")
    for text in (
        "1,437 to train on, 360 to test on",
        "1 × 8 × 8",
        "0 to 255",
        "0: 142, 1: 146",
        "CC BY 4.0",
        "load_digits",
    ):
        assert text in out
    with Image.open(tmp_path / "outputs" / "contact_sheets" / "digits.png") as sheet:
        assert sheet.width > COLUMNS * 56
        assert sheet.height > 10 * 56


def test_transforms_as_they_are_overridden(command, tmp_path):
    """A sheet more, which another rotation changes, and the plain one stays."""
    sheets = tmp_path / "outputs" / "contact_sheets"
    drawn = []
    for rotation in (15, 90):
        code, out, err = command(
            "data=digits", "transforms=true", f"model.regularisers.consistency.transforms.rotation={rotation}"
        )
        assert (code, err) == (0, "") and f"contact sheet: {sheets}/digits_consistency.png\n" in out
        drawn.append([(sheets / f"{name}.png").read_bytes() for name in ("digits", "digits_consistency")])
    assert drawn[0][0] == drawn[1][0] and drawn[0][1] != drawn[1][1]


def test_without_being_asked_no_transforms(command, tmp_path):
    assert command("data=digits")[0] == 0
    assert [path.name for path in (tmp_path / "outputs" / "contact_sheets").iterdir()] == ["digits.png"]


def test_the_range_is_that_of_images_of_the_whole_set(capsys):
    """Also where the brightest are every second one, of which equal steps would meet none."""
    images = torch.zeros(2000, 1, 8, 8, dtype=torch.uint8)
    images[1::2] = 255
    manifest = {"source": "here"}
    data = SimpleNamespace(
        data_set="stripes", image_shape=(1, 8, 8), split=lambda split: LabelledImages(images), licence="none",
        store=SimpleNamespace(manifest=manifest), store_folder="here",
    )  # fmt: skip
    show(data)
    assert "0 to 255 (in 1,000 images)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["data=nothing"], "data=nothing"),
        (["data=folder"], "path=<folder, zip or tar> must name your images"),
        (["data=folder", "data.path=/nowhere/at/all"], "/nowhere/at/all does not exist"),
        (["data=chairs", "data.path=/nowhere/at/all"], "data.path=/nowhere/at/all does not exist"),
        (["data=faces", "data.source=tensor"], "basel_face_renders.pth does not exist"),
        (["data=digits", "data.size=9"], "data.size"),
        (["data=digits", "transforms=3"], "transforms"),
        (["data=svhn", "transforms=true"], "of kind consistency; experiment=consistent adds it"),
        (["data=faces", "transforms=true"], "of kind consistency; its codes have no categories to be kept"),
        (["data=faces", "transforms=true", "experiment=consistent"], "the model has no code with groups"),
        (["data=dsprites", "paths.data=/nowhere"], "one .npz file is needed in /nowhere/dsprites"),
    ],
)
def test_mistakes_end_as_one_line(command, tmp_path, arguments, named):
    code, _, err = command(*arguments)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err
    assert not (tmp_path / "outputs").exists()


def test_a_store_that_the_disk_has_no_room_for_is_not_begun(command, monkeypatch, tmp_path):
    asked = ["data=faces", "data.identities=1", f"paths.stores={tmp_path}/stores"]
    code, _, err = command(*asked, "data.images=100000000000", "yes=true")
    assert code == 2 and err.startswith("error: data.images=100000000000: ")
    monkeypatch.setattr("infogan.datamodules.faces.Faces.originals", lambda self: many(10**11))
    code, _, err = command(*asked, "yes=true")
    assert code == 2 and err.startswith("error: data=faces takes 7 files, 103.2 TB: the disk of ")
    assert not [*tmp_path.glob("stores/faces/*/")]


def test_a_large_store_is_asked_about(command, tmp_path):
    code, out, err = command("data=digits", "ask_above.gigabytes=0.0001", f"paths.stores={tmp_path}/stores")
    assert code == 2 and err.startswith("error: data=digits takes 7 files, ") and err.endswith("; yes=true does it\n")
    code, out, _ = command("data=digits", "ask_above.gigabytes=0.0001", f"paths.stores={tmp_path}/stores", "yes=true")
    assert code == 0 and "data=digits: 1,797 images, 7 files, 129.4 kB\n" in out


def many(count):
    return Originals(Part(count, None), Part(1, None), "nowhere")
