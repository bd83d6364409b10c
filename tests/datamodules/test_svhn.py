import hashlib

import numpy as np
import pytest
import torchvision
from scipy.io import savemat

from infogan.datamodules.base import DataContext
from infogan.datamodules.rendering.house_numbers import FACTORS, digits, render_house_numbers
from infogan.datamodules.svhn import SVHN
from infogan.errors import DataError

pytestmark = pytest.mark.usefixtures("one_reader")

RNG = np.random.default_rng(0)
SIZES = {"train": 300, "extra": 270, "test": 20}
IMAGES = {name: RNG.integers(0, 256, (32, 32, 3, n), dtype=np.uint8) for name, n in SIZES.items()}
LABELS = {name: 1 + np.arange(n) % 10 for name, n in SIZES.items()}
"""1 to 10, and 10 stands for the digit 0, as in the official files."""


@pytest.fixture
def root(tmp_path, monkeypatch):
    return write(tmp_path, monkeypatch)


def write(root, monkeypatch, change=lambda contents: contents, cut=None):
    (root / "SVHN").mkdir(exist_ok=True)
    md5 = {}
    for name in SIZES:
        path = root / "SVHN" / f"{name}_32x32.mat"
        savemat(path, change({"X": IMAGES[name], "y": LABELS[name][:, None].astype(np.uint8)}))
        path.write_bytes(path.read_bytes()[:cut])
        md5[name] = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(SVHN, "md5", md5)
    return root


def svhn(root, extra=False, source="official", images=40):
    return SVHN(DataContext(root, root / "stores", 4, (0.0, 1.0), 0), source, extra, images)


@pytest.mark.parametrize("extra", [False, True])
def test_the_official_layout(root, extra):
    data = svhn(root, extra)
    data.prepare_data()
    names = ["train", "extra"] if extra else ["train"]
    expected = np.concatenate([IMAGES[name].transpose(3, 2, 0, 1) for name in names])
    assert (data.split("train").images.numpy() == expected).all()
    assert data.split("train").labels.tolist() == [label % 10 for name in names for label in LABELS[name]]
    assert (data.split("test").images.numpy() == IMAGES["test"].transpose(3, 2, 0, 1)).all()
    assert data.split("test").labels.tolist()[8:11] == [9, 0, 1]
    assert data.class_names == tuple("0123456789")
    assert data.expected_train_size == (604_388 if extra else 73_257)


def test_one_flipped_byte_is_found(root, monkeypatch):
    monkeypatch.setattr("infogan.datamodules.svhn.SIZES", SIZES)
    path = root / "SVHN" / "train_32x32.mat"
    contents = bytearray(path.read_bytes())
    contents[5000] ^= 1
    path.write_bytes(contents)
    with pytest.raises(DataError, match=r"train_32x32\.mat is not the official file"):
        svhn(root).prepare_data()
    assert not list((root / "stores").rglob("manifest.json"))


def part(root, name, count, change=lambda contents: contents):
    """The first images of a file, as its owner cut them out: with another md5."""
    contents = {"X": IMAGES[name][..., :count], "y": LABELS[name][:count, None].astype(np.uint8)}
    savemat(root / "SVHN" / f"{name}_32x32.mat", change(contents), do_compression=True)


def test_a_part_of_a_file_is_used_and_the_log_says_so(root, capsys):
    part(root, "train", 270)
    data = svhn(root)
    data.prepare_data()
    assert (data.split("train").images.numpy() == IMAGES["train"][..., :270].transpose(3, 2, 0, 1)).all()
    assert data.split("train").labels.tolist() == [label % 10 for label in LABELS["train"][:270]]
    line = "data=svhn: train_32x32.mat is not the official file: its 270 images (of 73,257) are used as they are"
    assert capsys.readouterr().out.splitlines()[2:] == [line]
    assert data.store.manifest["remarks"] == [line.removeprefix("data=svhn: ")]


@pytest.mark.parametrize("extra", [False, True])
def test_parts_of_all_files(root, extra, capsys):
    for name in SIZES:
        part(root, name, 15)
    assert svhn(root, extra).train_size == (30 if extra else 15)
    assert capsys.readouterr().out.count("are used as they are") == (3 if extra else 2)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda c: {"X": c["X"], "y": c["y"][:-1]}, "not SVHN's layout"),
        (lambda c: {"X": c["X"], "y": c["y"] + 1}, "y holds 2 to 11, not 1 to 10 as SVHN does"),
        (lambda c: {"X": c["X"]}, "is damaged"),
    ],
)
def test_a_part_that_is_not_whole(root, change, line):
    part(root, "train", 270, change)
    with pytest.raises(DataError, match=rf"train_32x32\.mat[^\n]*{line}"):
        svhn(root).prepare_data()


@pytest.mark.parametrize("cut", [100, 1000, -1000])
def test_a_part_that_is_cut_off(root, cut):
    part(root, "train", 270)
    path = root / "SVHN" / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"train_32x32\.mat is damaged: [^\n]*$"):
        svhn(root).prepare_data()


@pytest.mark.parametrize("cut", [0, 100, 1000, -1000])
def test_a_truncated_file(tmp_path, monkeypatch, cut):
    write(tmp_path, monkeypatch, cut=cut)
    with pytest.raises(DataError, match=r"train_32x32\.mat is damaged: [^\n]*$"):
        svhn(tmp_path).prepare_data()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: {"X": c["X"][:, :16], "y": c["y"]},
        lambda c: {"X": c["X"], "y": c["y"][:-1]},
        lambda c: {"X": c["X"].astype(np.float32), "y": c["y"]},
    ],
)
def test_another_layout(tmp_path, monkeypatch, change):
    write(tmp_path, monkeypatch, change)
    with pytest.raises(DataError, match=r"train_32x32\.mat: X is .*: not SVHN's layout$"):
        svhn(tmp_path).prepare_data()


def test_a_missing_array(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, lambda c: {"X": c["X"]})
    with pytest.raises(DataError, match=r"train_32x32\.mat is damaged"):
        svhn(tmp_path).prepare_data()


def test_no_files_and_no_network(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(torchvision.datasets, "SVHN", fail)
    with pytest.raises(DataError) as error:
        svhn(tmp_path).prepare_data()
    line = str(error.value)
    assert f"put train_32x32.mat into {tmp_path}/SVHN, name the folder above with paths.data" in line
    assert line.endswith(
        "or train on house numbers that are drawn here: data.source=rendered (about a minute on two cores)"
    )
    assert "\n" not in line


def test_rendered_house_numbers(tmp_path, capsys):
    """Neither files nor a network are asked for; the last tenth is the test split."""
    data = svhn(tmp_path, source="rendered")
    data.prepare_data()
    assert "data=svhn: 40 images, 7 files, " in capsys.readouterr().out
    train, test = data.split("train"), data.split("test")
    assert (data.expected_train_size, data.train_size, len(test.images)) == (36, 36, 4)
    images, factors = render_house_numbers(range(40), 0)
    assert (np.concatenate([train.images, test.images]) == images).all()
    assert (np.concatenate([train.factors, test.factors]) == factors).all()
    assert np.concatenate([train.labels, test.labels]).tolist() == digits(range(40), 0).tolist()
    assert (data.class_names, data.factor_names) == (tuple("0123456789"), FACTORS)
    assert {*data.full_turns, *data.unordered} < {*FACTORS}
    assert "MIT" in data.licence
    assert "non-commercial" in svhn(tmp_path).licence


def test_what_the_store_of_house_numbers_depends_on(tmp_path):
    """Not on the official files; and these are found under the key that they had before there were others."""
    stores = [svhn(tmp_path, source="rendered", images=images).store_folder for images in (40, 41)]
    stores += [svhn(tmp_path, extra).store_folder for extra in (False, True)]
    assert len({*stores}) == 4
    assert svhn(tmp_path).options() == {"extra": False}
    assert svhn(tmp_path, images=41).store_folder == svhn(tmp_path).store_folder
