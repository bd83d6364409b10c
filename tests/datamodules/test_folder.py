import zipfile

import numpy as np
import pytest
from PIL import Image

from datamodules.base import Setting
from datamodules.folder import Folder, labels_of
from infogan.errors import DataError


def images(place, names):
    for k, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + k, 30), (k, 2 * k, 0)).save(place / name)
    return place


def folder(root, path, size=28, channels=3, skip_broken=False):
    return Folder(Setting(root, root / "stores", 2, (0.0, 1.0), 0), str(path), size, channels, skip_broken)


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
