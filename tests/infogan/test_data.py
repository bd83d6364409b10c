"""What a data set says of itself."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from infogan.data import main, show
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
