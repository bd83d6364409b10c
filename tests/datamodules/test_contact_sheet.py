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


def test_else_images_of_the_whole_set_in_its_order(tmp_path):
    found = cells(tmp_path)[-ROWS:].astype(int).flatten()
    assert len(found) == ROWS * COLUMNS
    assert (np.diff(found) > 0).all()
    assert {row // 20 for row in found} == set(range(10))


def test_classes_whose_images_come_in_turn(tmp_path):
    """Even steps through a class of 56 images are steps of 5: they would meet one of five kinds that come in turn."""
    labels = np.repeat(np.arange(3), [56, 56, 88])
    found = cells(tmp_path, labels=labels, class_names=("a", "b", "c"))[-3:].astype(int)
    assert (labels[found] == np.arange(3)[:, None]).all()
    assert (np.diff(found, axis=1) > 0).all()
    assert len(set(found[0] % 5)) > 2


def test_images_of_one_value_are_drawn_over_all_of_them(tmp_path):
    """Even steps through 200 images are steps of 18: they would meet one of 18 kinds that come in turn."""
    found = cells(tmp_path, factors=np.arange(200)[:, None] // 120 * 1.0, factor_names=("side",))[-1].astype(int)
    assert (np.diff(found // 120) >= 0).all()
    assert len(set(found % 18)) > 5


def test_a_class_of_few_images_is_repeated(tmp_path):
    labels = np.repeat(np.arange(2), [197, 3])
    found = cells(tmp_path, labels=labels, class_names=("many", "few"))[-1].astype(int)
    assert sorted(set(found)) == [197, 198, 199]
    assert (np.diff(found) >= 0).all()
