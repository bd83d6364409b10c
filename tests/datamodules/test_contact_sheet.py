"""The contact sheet: a row for each class, else for each factor, else any."""

import numpy as np

from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.datamodules.contact_sheet import COLUMNS, ROWS, contact_sheet


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
