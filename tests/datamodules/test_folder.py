import zipfile

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


def test_what_was_left_out_is_told(tmp_path, capsys):
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
