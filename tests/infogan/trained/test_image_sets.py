"""Sets of generated images: what lies in their files, and which category a class is."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from infogan.codes.categorical import Categorical
from infogan.errors import ConfigError
from infogan.trained.image_sets import Batch, category_of, folder_name, write_arrays, write_pictures

KIND = Categorical("kind", 3)


def model(matching):
    return SimpleNamespace(folder="run", scored_code=None if matching is None else KIND, matching=matching)


def batches(channels, labels=True):
    """Five images in two batches, image k all of the gray 10 k."""
    gray = (10 * np.arange(5, dtype=np.uint8)).reshape(5, 1, 1, 1)
    images = np.broadcast_to(gray, (5, 2, 3, channels)).copy()
    codes = np.stack([np.arange(5) % 2, np.linspace(-1, 1, 5)], axis=1).astype(np.float32)
    names = ["even", "odd"]
    for rows in (slice(0, 3), slice(3, 5)):
        groups = [names[k % 2] for k in range(rows.start, rows.stop)]
        yield Batch(images[rows], codes[rows], groups if labels else None, groups)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_and_the_codes_that_made_them(channels, tmp_path):
    write_pictures(tmp_path, batches(channels), ["kind", "slant"], 5)
    with (tmp_path / "codes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [f"{('even', 'odd')[k % 2]}/00000{k}.png" for k in range(5)]
    assert [row["label"] for row in rows] == ["even", "odd", "even", "odd", "even"]
    assert [float(row["slant"]) for row in rows] == [-1, -0.5, 0, 0.5, 1]
    for k, row in enumerate(rows):
        with Image.open(tmp_path / row["file"]) as picture:
            assert (picture.mode, picture.size) == ({1: "L", 3: "RGB"}[channels], (3, 2))
            assert (np.asarray(picture) == 10 * k).all()
    assert len(list(tmp_path.rglob("*.png"))) == 5


def test_names_are_as_long_as_the_last_needs(tmp_path):
    """They sort as they count."""
    write_pictures(tmp_path, batches(1), ["kind", "slant"], 10_000_000)
    assert (tmp_path / "even" / "0000000.png").is_file()


@pytest.mark.parametrize("labels", [True, False])
def test_arrays(labels, tmp_path):
    write_arrays(tmp_path, batches(3, labels), ["kind", "slant"], 5)
    with np.load(tmp_path / "images.npz", allow_pickle=False) as found:
        assert set(found) == {"images", "codes", "code_names"} | ({"labels"} if labels else set())
        assert (found["images"].shape, found["images"].dtype) == ((5, 2, 3, 3), np.uint8)
        assert found["images"][:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40]
        assert found["codes"][:, 0].tolist() == [0, 1, 0, 1, 0] and found["codes"].dtype == np.float32
        assert found["code_names"].tolist() == ["kind", "slant"]
        if labels:
            assert found["labels"].tolist() == ["even", "odd", "even", "odd", "even"]


def test_without_labels_the_table_has_no_column_of_them(tmp_path):
    write_pictures(tmp_path, batches(1, labels=False), ["kind", "slant"], 5)
    assert (tmp_path / "codes.csv").read_text().startswith("file,kind,slant\neven/000000.png,0,-1\n")


def test_the_category_of_a_class():
    trained = model({0: "cat", 1: "dog", 2: "cow"})
    assert category_of(trained, "dog", {}) == (KIND, 1)
    with pytest.raises(ConfigError, match="label=hen: there is no such class; the run knows cat, cow, dog"):
        category_of(trained, "hen", {})
    with pytest.raises(ConfigError, match=r"label=cat chooses kind itself: leave one of label and codes\.kind out"):
        category_of(trained, "cat", {"kind": None})
    with pytest.raises(ConfigError, match="label=cat: run matches no categories to classes"):
        category_of(model(None), "cat", {})


@pytest.mark.parametrize(
    ("label", "folder"),
    [("cat", "cat"), ("a/b\\c", "a_b_c"), ("../up", "_up"), (".hidden", "hidden"), ("..", "_"), ("", "_"), ("ü", "ü")],
)
def test_a_class_name_is_one_folder_that_is_seen(label, folder):
    assert folder_name(label) == folder
