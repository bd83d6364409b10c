import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infogan.datamodules.base import DataContext
from infogan.datamodules.folder import Folder, labels_of
from infogan.errors import DataError


def images(place, names):
    for k, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + k, 30), (k, 2 * k, 0)).save(place / name)
    return place


def folder(root, path, size=28, channels=3, skip_broken=False):
    return Folder(DataContext(root, root / "stores", 2, (0.0, 1.0), 0), str(path), size, channels, skip_broken)


CATS_AND_DOGS = [
    f"{kind}/{k}.{suffix}" for kind in ("cat", "dog") for k, suffix in enumerate(["png", "jpg", "bmp"] * 4)
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 64])
def test_sub_folders_are_labels(tmp_path, channels, size):
    data = folder(tmp_path, images(tmp_path / "mine", CATS_AND_DOGS), size, channels)
    data.prepare_data()
    assert data.image_shape == (channels, size, size)
    assert data.class_names == ("cat", "dog")
    for split, count in (("train", 22), ("test", 2)):
        found = data.split(split)
        assert found.images.shape == (count, channels, size, size)
        if channels == 3:
            assert ((found.images[:, 0, 5, 5] > 11.5).long() == found.labels).all()


def test_a_zip_of_it_within_a_folder_of_its_own(tmp_path):
    images(tmp_path / "mine", CATS_AND_DOGS)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for name in CATS_AND_DOGS:
            archive.write(tmp_path / "mine" / name, f"wrapped/{name}")
    packed, loose = folder(tmp_path, tmp_path / "mine.zip"), folder(tmp_path, tmp_path / "mine")
    for data in (packed, loose):
        data.prepare_data()
    assert packed.class_names == loose.class_names
    assert (packed.split("train").images == loose.split("train").images).all()
    assert (packed.split("train").labels == loose.split("train").labels).all()


@pytest.mark.parametrize(
    ("names", "class_names", "labels"),
    [
        (["a.png", "b.png"], (), None),
        (["a/1.png", "b.png"], (), None),
        (["a/1.png", "a/2.png"], (), None),
        (["a/1.png", "b/1.png", "a/2.png"], ("a", "b"), [0, 1, 0]),
        (["x/a/1.png", "x/b/1.png"], ("a", "b"), [0, 1]),
        (["a/deep/1.png", "b/1.png"], ("a", "b"), [0, 1]),
        (["x/a/1.png", "x/2.png"], (), None),
    ],
)
def test_which_folders_are_labels(names, class_names, labels):
    found_names, found = labels_of(names)
    assert found_names == class_names
    assert (found is None) if labels is None else (found.tolist() == labels)


def test_broken_images(tmp_path):
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    (place / "cat" / "0.png").write_bytes(b"a text")
    with pytest.raises(DataError, match=r"cat/0\.png is not an image that Pillow can read$"):
        folder(tmp_path, place).prepare_data()
    data = folder(tmp_path, place, skip_broken=True)
    data.prepare_data()
    kept = [data.split(split) for split in ("train", "test")]
    assert sum(len(split.images) for split in kept) == 23
    assert np.bincount(np.concatenate([split.labels for split in kept])).tolist() == [11, 12]
    skipped = [data.store.manifest["splits"][split]["skipped"] for split in ("train", "test")]
    assert sum(skipped) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match=r"gone does not exist$"):
        folder(tmp_path, tmp_path / "gone").prepare_data()


def test_what_was_left_out_is_said(tmp_path, capsys):
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    (place / "cat" / "0.png").write_bytes(b"")
    folder(tmp_path, place, skip_broken=True).prepare_data()
    assert "1 broken images of the train split were left out" in capsys.readouterr().out


def test_labels_stay_with_their_images_where_some_are_left_out(tmp_path):
    """Red tells the place among all: 12 cats come before the dogs."""
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    for name in ("cat/0.png", "cat/3.png", "dog/6.png"):
        (place / name).write_bytes(b"")
    data = folder(tmp_path, place, skip_broken=True)
    for split in ("train", "test"):
        assert ((data.split(split).images[:, 0, 5, 5] > 11).long() == data.labels(split)).all()
    assert data.train_size + data.store.count("test") == 21


@pytest.mark.parametrize("names", [["one.png"], CATS_AND_DOGS])
def test_nothing_to_train_on(tmp_path, names):
    place = images(tmp_path / "mine", names)
    for path in place.rglob("*.*") if len(names) > 1 else ():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^data=folder: there is no image in its train split$"):
        folder(tmp_path, place, skip_broken=True).prepare_data()


def test_the_store_follows_the_folder(tmp_path):
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    assert folder(tmp_path, place).train_size == 22
    images(place, [f"dog/{k}.png" for k in range(100, 120)])
    data = folder(tmp_path, place)
    data.prepare_data()
    assert data.train_size + data.store.count("test") == 44


HIDDEN = [".ipynb_checkpoints/0-checkpoint.png", ".git/lfs/1.png", ".cache/2.png", "cat/.thumbnails/3.png", ".4.png"]


def packed(place, target):
    """A folder as a zip or a tar, by the target's name, empty folders included."""
    kind = {".zip": "zip", ".tar": "tar"}[target.suffix]
    return Path(shutil.make_archive(str(target.with_suffix("")), kind, place))


@pytest.mark.parametrize("kind", ["folder", "x.zip", "x.tar"])
def test_what_is_hidden_is_no_class_and_not_trained_on(tmp_path, kind, capsys):
    place = images(tmp_path / "mine", [*CATS_AND_DOGS, *HIDDEN])
    data = folder(tmp_path, place if kind == "folder" else packed(place, tmp_path / kind))
    data.prepare_data()
    assert data.class_names == ("cat", "dog")
    assert data.train_size + data.store.count("test") == 24
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("kind", ["folder", "x.zip", "x.tar"])
def test_class_folders_without_an_image_are_named_and_no_classes(tmp_path, kind, capsys):
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    (place / "empty" / "deep").mkdir(parents=True)
    (place / "phone").mkdir()
    (place / "phone" / "1.heic").write_bytes(b"")
    (place / "hidden" / ".cache").mkdir(parents=True)
    images(place, ["hidden/.cache/1.png"])
    where = place if kind == "folder" else packed(place, tmp_path / kind)
    data = folder(tmp_path, where)
    data.prepare_data()
    assert data.class_names == ("cat", "dog")
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"data=folder: files in {where} that are not read as images: 1 .heic",
        f"data=folder: folders in {where} without an image, which are no classes: empty, hidden, phone",
    ]


def test_the_one_class_that_is_left_is_no_class_and_the_others_are_named(tmp_path, capsys):
    place = images(tmp_path / "mine", CATS_AND_DOGS[:12])
    (place / "dog").mkdir()
    data = folder(tmp_path, place)
    assert data.class_names == ()
    assert f"folders in {place} without an image, which are no classes: dog" in capsys.readouterr().out


def test_hidden_files_do_not_make_a_store_again(tmp_path, capsys):
    place = images(tmp_path / "mine", CATS_AND_DOGS)
    folder(tmp_path, place).prepare_data()
    images(place, HIDDEN)
    folder(tmp_path, place).prepare_data()
    assert capsys.readouterr().out.count("making the image store") == 1


def test_a_store_of_an_older_reader_is_made_again(tmp_path, capsys, monkeypatch):
    """It may hold what is hidden, or lack what was not read then: in a zip no file says so."""
    place = packed(images(tmp_path / "mine", CATS_AND_DOGS), tmp_path / "x.zip")
    monkeypatch.setattr(Folder, "reader", None)
    folder(tmp_path, place).prepare_data()
    monkeypatch.undo()
    folder(tmp_path, place).prepare_data()
    folder(tmp_path, place).prepare_data()
    assert capsys.readouterr().out.count("making the image store") == 2


def test_all_the_ways_to_store_a_picture(tmp_path):
    """As people keep them: 16 bits from a scanner, a browser's .jfif, a camera's .jp2 …"""
    place = tmp_path / "mine"
    for k, (name, mode) in enumerate(
        [("a.jfif", "RGB"), ("b.avif", "RGB"), ("c.jp2", "RGB"), ("d.tga", "RGBA"), ("e.ppm", "RGB"), ("f.png", "I;16")]
    ):
        for kind in ("left", "right"):
            (place / kind).mkdir(parents=True, exist_ok=True)
            picture = Image.new("RGB", (64, 64), (100, 100, 100)).convert(mode if mode != "I;16" else "L")
            if mode == "I;16":
                picture = Image.fromarray(np.full((64, 64), 100 * 257, np.uint16))
            picture.save(place / kind / f"{k}{name}")
    data = folder(tmp_path, place)
    data.prepare_data()
    found = np.concatenate([data.split(split).images.numpy() for split in ("train", "test")])
    assert len(found) == 12
    assert np.abs(found.astype(int) - 100).max() <= 3
