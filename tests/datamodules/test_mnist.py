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
def test_one_flipped_byte_is_found(small, file):
    data_set, folder, _ = small
    damaged = bytearray((folder / file).read_bytes())
    damaged[100] ^= 1
    (folder / file).write_bytes(damaged)
    with pytest.raises(DataError) as error:
        module(data_set, folder.parents[1]).split("train")
    for text in (str(folder / file), hashlib.md5(damaged).hexdigest(), data_set.md5[file]):
        assert text in str(error.value)
    assert "\n" not in str(error.value)


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
