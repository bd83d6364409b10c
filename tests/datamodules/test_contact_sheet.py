"""The contact sheets: a row for each class, else for each factor, else any; and images beside their transforms."""

import numpy as np
import pytest

from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.config.regularisers import ConsistencySection
from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.datamodules.contact_sheet import COLUMNS, ROWS, consistencies, contact_sheet, transforms_sheet
from infogan.errors import ConfigError
from infogan.objective.regularisers.consistency import Consistency


class Things(ImageDataModule):
    data_set, licence, image_shape = "things", "none", (1, 56, 56)
    given: Originals

    def originals(self):
        return self.given


GRAYS = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 1, 56, 56))


def things(tmp_path, images=GRAYS, labels=None, factors=None, value_range=(0.0, 1.0), **names):
    data = Things(DataContext(tmp_path, tmp_path / "stores", 2, value_range, 0))
    part = part_of_arrays(images, labels, factors)
    data.given = Originals(part, part, "here", **names)
    data.prepare_data()
    return data


def cells(tmp_path, labels=None, factors=None, **names):
    """The gray of each image on the contact sheet, which numbers the images."""
    sheet = np.asarray(contact_sheet(things(tmp_path, labels=labels, factors=factors, **names)))
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


SECTION = {"kind": "consistency", "weight": 1.0, "every": 1, "codes": ["c1"], "images": 0, "marginals": 1.0,
           "apart": 0.0}  # fmt: skip
HALVES = np.zeros((40, 1, 56, 56), dtype=np.uint8)
HALVES[:, :, :, :28] = 40
HALVES[:20, 0, 0, 0] = 1  # of the first class
HALVES[:, :, 20:40, 28:] = 200
ALONE = (HALVES, np.repeat([0, 1], 20))


@pytest.fixture
def latents(compose_values):
    return Latents.from_config(check(compose_values()).model)


def views(tmp_path, latents, transforms, seed=0, labels=ALONE[1], value_range=(-1.0, 1.0)):
    """The images of each row of the sheet: (rows, columns, 56, 56)."""
    regulariser = Consistency.from_section("same", ConsistencySection(**SECTION, transforms=transforms), latents)
    names = {} if labels is None else {"class_names": ("a", "b")}
    data = things(tmp_path, ALONE[0], labels, value_range=value_range, **names)
    sheet = np.asarray(transforms_sheet(data, regulariser, seed))[..., 0]
    rows = 2 if labels is not None else ROWS
    body = sheet[sheet.shape[0] - 12 + 2 - 58 * rows : -12 + 2, sheet.shape[1] - 12 + 2 - 58 * COLUMNS : -12 + 2]
    return body.reshape(rows, 58, COLUMNS, 58).swapaxes(1, 2)[:, :, :56, :56]


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_images_stand_before_their_transforms(tmp_path, latents, value_range):
    """Mirrored or not, and nothing else: both occur, and the first column is as it was."""
    found = views(tmp_path, latents, {"flip": True}, value_range=value_range)
    original = found[:, 0]
    assert (original[0] == ALONE[0][0, 0]).all() and (original[1] == ALONE[0][20, 0]).all(), "one of each class"
    as_it_was = (found[:, 1:] == original[:, None]).all(axis=(2, 3))
    mirrored = (found[:, 1:] == original[:, None, :, ::-1]).all(axis=(2, 3))
    assert (as_it_was ^ mirrored).all()
    assert 3 < mirrored.sum() < 19


def test_the_sheet_shows_the_transforms_that_were_asked_for(tmp_path, latents):
    """Of no transform nothing changes; a brightness of 10 % of the range moves each view by up to 25.5 of 255, all its
    pixels alike, and differently from the next; another seed draws others."""
    still = views(tmp_path, latents, {})
    assert (still == still[:, :1]).all()
    found = views(tmp_path, latents, {"brightness": 0.1})[:, 1:].astype(int)
    moved = found[..., 30, 40] - 200
    assert (found[..., 30, 50] - 200 == moved).all()
    assert abs(moved).max() <= 26 and abs(moved).max() > 15 and moved.min() < 0 < moved.max()
    assert len(np.unique(moved)) > 12
    other = views(tmp_path, latents, {"brightness": 0.1}, seed=1)[:, 1:].astype(int)
    assert (other[..., 30, 40] - 200 != moved).mean() > 0.8


def test_without_classes_images_of_the_whole_set(tmp_path, latents):
    found = views(tmp_path, latents, {"shift": 0.1}, labels=None)
    assert len(found) == ROWS and set(found[:, 0, 0, 0].tolist()) == {1, 40}, "of the first 20 and of the others"


def test_who_has_transforms(compose_values):
    one = "experiment=consistent"
    for data in (["data=digits"], ["data=mnist"], ["data=fashion_mnist"], ["data=folder", "data.path=here"]):
        (found,) = consistencies(check(compose_values(*data)).model)
        assert (found.name, found.section.codes) == ("consistency", ["c1"])
    for data in ("svhn", "celeba", "chairs"):
        assert len(consistencies(check(compose_values(f"data={data}", one)).model)) == 1
        with pytest.raises(ConfigError, match="no regulariser of kind consistency; experiment=consistent adds it"):
            consistencies(check(compose_values(f"data={data}")).model)
    with pytest.raises(ConfigError, match="of kind consistency; its codes have no categories to be kept"):
        consistencies(check(compose_values("data=faces")).model)
