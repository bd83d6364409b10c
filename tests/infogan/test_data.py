"""What a data set says of itself."""

import numpy as np
import pytest
from PIL import Image

from infogan.data import main
from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.datamodules.contact_sheet import COLUMNS, ROWS, contact_sheet


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


class Things(ImageDataModule):
    data_set, licence, image_shape = "things", "none", (1, 56, 56)
    given: Originals

    def originals(self):
        return self.given


GRAYS = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 1, 56, 56))


def cells(tmp_path, labels=None, factors=None, **names):
    """The gray of each image on the contact sheet, which numbers the images."""
    data = Things(DataContext(tmp_path, tmp_path / "stores", 2, (0.0, 1.0), 0))
    part = part_of_arrays(GRAYS, labels, factors)
    data.given = Originals(part, part, "here", **names)
    data.prepare_data()
    sheet = np.asarray(contact_sheet(data))
    right, bottom = sheet.shape[1] - 12 - 28, sheet.shape[0] - 12 - 28
    rows = (bottom // 58) + 1
    return np.array([[sheet[bottom - 58 * r, right - 58 * c, 0] for c in range(COLUMNS)] for r in range(rows)])[
        ::-1, ::-1
    ]


def test_a_row_for_each_class(tmp_path):
    found = cells(tmp_path, labels=np.arange(200) % 4, class_names=("a", "b", "c", "d"))[-4:]
    assert (found % 4 == np.arange(4)[:, None]).all()
    assert (np.diff(found.astype(int), axis=1) > 0).all()


def test_a_row_for_each_factor_that_grows_to_the_right(tmp_path):
    factors = np.column_stack([np.arange(200), -np.arange(200)])
    found = cells(tmp_path, factors=factors, factor_names=("up", "down"))[-2:].astype(int)
    assert (found[0, 0], found[0, -1]) == (0, 199)
    assert (np.diff(found[0]) > 0).all()
    assert (np.diff(found[1]) < 0).all()


def test_else_images_from_first_to_last(tmp_path):
    found = cells(tmp_path)[-ROWS:].astype(int)
    assert (found[0, 0], found[-1, -1]) == (0, 199)
    assert (np.diff(found.flatten()) >= 0).all()
