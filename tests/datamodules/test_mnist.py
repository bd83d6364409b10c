import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from infogan.datamodules.base import DataContext
from infogan.datamodules.fashion_mnist import FashionMNIST
from infogan.datamodules.mnist import MNIST
from infogan.datamodules.sources import idx as reader
from infogan.errors import DataError

FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
BOTH = [(MNIST, "MNIST"), (FashionMNIST, "FashionMNIST")]
ROOT = Path(os.environ.get("INFOGAN_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def arrays():
    rng = np.random.default_rng(0)
    shapes = [(300, 28, 28), (300,), (7, 28, 28), (7,)]
    return {
        file: rng.integers(0, 256 if len(shape) == 3 else 10, shape, dtype=np.uint8)
        for file, shape in zip(FILES, shapes, strict=True)
    }


def digests():
    return {file: hashlib.md5(idx(array)).hexdigest() for file, array in arrays().items()}


@pytest.fixture(params=BOTH, ids=lambda both: both[1])
def small(request, tmp_path, monkeypatch):
    """A data set of 300 + 7 random images: its class, its folder, and what the files hold."""
    data_set, name = request.param
    folder = tmp_path / name / "raw"
    folder.mkdir(parents=True)
    contents = arrays()
    for file, array in contents.items():
        (folder / file).write_bytes(idx(array))
    monkeypatch.setattr(data_set, "md5", digests())
    return data_set, folder, contents


def module(data_set, root):
    return data_set(DataContext(root, Path(os.environ["INFOGAN_STORES"]), 4, (0.0, 1.0), 0))


def pack(folder):
    for file in FILES:
        (folder / f"{file}.gz").write_bytes(gzip.compress((folder / file).read_bytes()))
        (folder / file).unlink()


@pytest.mark.parametrize("packed", [False, True], ids=["unpacked", "gz"])
def test_files_are_read(small, packed):
    data_set, folder, contents = small
    if packed:
        pack(folder)
    for split, prefix, n in (("train", "train", 300), ("test", "t10k", 7)):
        data = module(data_set, folder.parents[1]).split(split)
        assert data.images.shape == (n, 1, 28, 28)
        assert (data.images.dtype, data.labels.dtype) == (torch.uint8, torch.int64)
        assert (data.images[:, 0].numpy() == contents[f"{prefix}-images-idx3-ubyte"]).all()
        assert (data.labels.numpy() == contents[f"{prefix}-labels-idx1-ubyte"]).all()


@pytest.mark.parametrize("file", FILES[:2])
def test_one_flipped_byte_is_found(small, file, monkeypatch):
    monkeypatch.setattr(reader, "SIZES", {"train": 300, "t10k": 7})
    data_set, folder, _ = small
    damaged = bytearray((folder / file).read_bytes())
    damaged[100] ^= 1
    (folder / file).write_bytes(damaged)
    with pytest.raises(DataError) as error:
        module(data_set, folder.parents[1]).split("train")
    for text in (str(folder / file), hashlib.md5(damaged).hexdigest(), data_set.md5[file]):
        assert text in str(error.value)
    assert "\n" not in str(error.value)


def part(folder, contents, count, packed=False):
    """The first images of the training split and their labels, as their owner cut them out."""
    for file in FILES[:2]:
        data = idx(contents[file][:count])
        if packed:
            (folder / file).unlink()
        (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [False, True])
def test_a_part_of_the_files_is_used_and_the_log_says_so(small, packed, capsys):
    data_set, folder, contents = small
    part(folder, contents, 120, packed)
    data = module(data_set, folder.parents[1])
    data.prepare_data()
    assert (data.split("train").images[:, 0].numpy() == contents[FILES[0]][:120]).all()
    assert (data.labels("train").numpy() == contents[FILES[1]][:120]).all()
    assert data.store.count("test") == 7
    (line,) = capsys.readouterr().out.splitlines()[2:]
    name = f"{FILES[0]}.gz" if packed else FILES[0]
    assert line == (
        f"data={data_set.data_set}: {name} is not the official file: its 120 images (of 60,000) are used as they are"
    )


def test_a_part_of_the_images_without_that_of_the_labels(small):
    data_set, folder, contents = small
    (folder / FILES[0]).write_bytes(idx(contents[FILES[0]][:120]))
    with pytest.raises(DataError, match=rf"120 images in {FILES[0]}, 300 labels in {FILES[1]}$"):
        module(data_set, folder.parents[1]).prepare_data()


def test_labels_that_no_class_has(small):
    data_set, folder, contents = small
    part(folder, contents, 120)
    (folder / FILES[1]).write_bytes(idx(contents[FILES[1]][:120] + np.uint8(1)))
    with pytest.raises(DataError, match=rf"{FILES[1]}: labels up to 10 for 10 classes$"):
        module(data_set, folder.parents[1]).prepare_data()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:2],
        lambda data: data[:9],
        lambda data: b"",
        lambda data: data[:2] + b"\x0d" + data[3:],
        lambda data: data[:3] + b"\2" + data[4:],
        lambda data: data[:8] + (14).to_bytes(4, "big") + (56).to_bytes(4, "big") + data[16:],
    ],
)
def test_a_part_that_is_not_whole(small, damage):
    data_set, folder, contents = small
    part(folder, contents, 120)
    (folder / FILES[0]).write_bytes(damage(idx(contents[FILES[0]][:120])))
    with pytest.raises(DataError, match=rf"{FILES[0]} is not the official file [^\n]*, nor a part of it that is whole"):
        module(data_set, folder.parents[1]).prepare_data()


def test_a_download_does_not_replace_what_is_the_users(small, monkeypatch):
    """torchvision unpacks its own files over what is there."""
    data_set, folder, contents = small
    monkeypatch.setattr(torchvision.datasets.MNIST, "__init__", lambda *_, **__: pytest.fail("it was downloaded"))
    part(folder, contents, 120)
    (folder / FILES[3]).unlink()
    with pytest.raises(DataError, match=rf"{FILES[0]} is not the official file, and would be replaced by .*{FILES[3]}"):
        module(data_set, folder.parents[1]).prepare_data()
    assert (folder / FILES[0]).read_bytes() == idx(contents[FILES[0]][:120])


def test_what_a_download_left_undone_is_downloaded(small, monkeypatch):
    data_set, folder, contents = small
    (folder / FILES[3]).unlink()

    def download(self, root, download=False):
        (folder / FILES[3]).write_bytes(idx(contents[FILES[3]]))

    monkeypatch.setattr(torchvision.datasets.MNIST, "__init__", download)
    assert module(data_set, folder.parents[1]).train_size == 300


def test_a_packed_file_that_is_not_the_official_one(small):
    data_set, folder, _ = small
    pack(folder)
    packed = folder / "train-images-idx3-ubyte.gz"
    packed.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is not the official file"):
        module(data_set, folder.parents[1]).split("train")


@pytest.mark.parametrize("damage", ["truncated", "header", "stream"])
def test_a_damaged_packed_file_is_named(small, damage):
    data_set, folder, _ = small
    pack(folder)
    packed = folder / "train-images-idx3-ubyte.gz"
    contents = packed.read_bytes()
    damaged = {
        "truncated": contents[:-50],
        "header": b"no" + contents[2:],
        "stream": contents[:10] + b"\xff" * 8 + contents[18:],
    }
    packed.write_bytes(damaged[damage])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz could not be read"):
        module(data_set, folder.parents[1]).split("train")


def test_a_packed_file_that_unpacks_without_end(small, monkeypatch):
    """It is not unpacked further than an official file could reach."""
    data_set, folder, _ = small
    pack(folder)
    packed, read = folder / "train-images-idx3-ubyte.gz", []
    packed.write_bytes(gzip.compress(bytes(2**27)))
    unpack = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, *size: read.append(unpack(self, *size)) or read[-1])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is not the official file"):
        module(data_set, folder.parents[1]).split("train")
    assert sum(len(part) for part in read) == 2**26


@pytest.mark.parametrize(("data_set", "name"), BOTH)
def test_missing_files_that_cannot_be_downloaded(data_set, name, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(torchvision.datasets.MNIST, "__init__", fail)
    with pytest.raises(DataError) as error:
        module(data_set, tmp_path).split("train")
    line = str(error.value)
    assert "\n" not in line
    assert str(tmp_path / name / "raw") in line
    assert all(file in line for file in FILES)


@pytest.mark.parametrize(("data_set", "name"), BOTH)
def test_missing_files_are_downloaded_by_torchvision(data_set, name, tmp_path, monkeypatch):
    asked = []

    def download(self, root, download=False):
        asked.append((type(self).__name__, root, download))
        folder = Path(root) / type(self).__name__ / "raw"
        folder.mkdir(parents=True)
        for file, array in arrays().items():
            (folder / file).write_bytes(idx(array))

    monkeypatch.setattr(torchvision.datasets.MNIST, "__init__", download)
    monkeypatch.setattr(data_set, "md5", digests())
    assert len(module(data_set, tmp_path).split("train").images) == 300
    assert asked == [(name, str(tmp_path), True)]


@pytest.mark.parametrize(
    ("data_set", "name", "first", "counts"),
    [
        (MNIST, "MNIST", 5, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        (FashionMNIST, "FashionMNIST", 9, [6000] * 10),
    ],
)
def test_the_official_files(data_set, name, first, counts):
    folder = ROOT / name / "raw"
    if not all((folder / file).is_file() or (folder / f"{file}.gz").is_file() for file in FILES):
        pytest.skip(f"{name} not found: {folder}")
    data = module(data_set, ROOT)
    train, test = data.split("train"), data.split("test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert data_set.expected_train_size == data.train_size == 60_000
    assert train.labels[0] == first
    assert train.labels.bincount().tolist() == counts
    assert test.labels.bincount().sum() == 10_000
    assert len(data.class_names) == data.classes == 10
    assert (train.images.min(), train.images.max()) == (0, 255)
