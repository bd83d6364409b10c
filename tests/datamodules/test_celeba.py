import io
import zipfile

import numpy as np
import pytest
import torchvision
from PIL import Image

from infogan.datamodules.base import DataContext
from infogan.datamodules.celeba import CelebA
from infogan.errors import DataError

COUNT = 24
NAMES = [f"{k:06d}.jpg" for k in range(1, COUNT + 1)]
ATTRIBUTES = [[1 if (k + j) % 3 else -1 for j in range(3)] for k in range(COUNT)]


def picture(k, size=(178, 218)):
    stream = io.BytesIO()
    Image.new("RGB", size, (k * 10, 0, 0)).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def images(folder, size=(178, 218)):
    folder.mkdir(parents=True)
    for k, name in enumerate(NAMES):
        (folder / name).write_bytes(picture(k, size))


@pytest.fixture
def root(tmp_path):
    """torchvision's folder, whole."""
    celeba = tmp_path / "celeba"
    images(celeba / "img_align_celeba")
    rows = [" ".join([name, *map(str, values)]) for name, values in zip(NAMES, ATTRIBUTES, strict=True)]
    (celeba / "list_attr_celeba.txt").write_text("\n".join([str(COUNT), "Smiling Young Male", *rows]) + "\n")
    partition = [f"{name} {0 if k < 16 else 1 if k < 20 else 2}" for k, name in enumerate(NAMES)]
    (celeba / "list_eval_partition.txt").write_text("\n".join(partition) + "\n")
    for other in ("identity_CelebA.txt", "list_bbox_celeba.txt", "list_landmarks_align_celeba.txt"):
        (celeba / other).write_text("")
    return tmp_path


def celeba(root, path=None, size=32, skip_broken=False):
    return CelebA(DataContext(root, root / "stores", 4, (0.0, 1.0), 0), path, size, skip_broken)


def reds(data, split):
    return [round(image[0].float().mean().item() / 10) for image in data.split(split).images]


def test_torchvisions_folder(root):
    data = celeba(root)
    data.prepare_data()
    assert data.split("train").images.shape == (20, 3, 32, 32)
    assert (reds(data, "train"), reds(data, "test")) == (list(range(20)), [20, 21, 22, 23])
    assert data.factor_names == ("Smiling", "Young", "Male")
    assert data.split("train").factors.tolist() == [[float(v == 1) for v in row] for row in ATTRIBUTES[:20]]
    assert data.split("train").labels is None


def test_only_images(root, tmp_path):
    for text in (root / "celeba").glob("*.txt"):
        text.unlink()
    data = celeba(root, size=64)
    data.prepare_data()
    assert (len(data.split("train").images), len(data.split("test").images)) == (22, 2)
    assert sorted(reds(data, "train") + reds(data, "test")) == list(range(24))
    assert data.split("train").factors is None
    assert data.image_shape == (3, 64, 64)


@pytest.mark.parametrize("name", ["img_align_celeba.zip", "some.zip"])
def test_a_zip(tmp_path, name):
    (tmp_path / "celeba").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba" / name, "w") as archive:
        for k, image in enumerate(NAMES):
            archive.writestr(f"img_align_celeba/{image}", picture(k))
    data = celeba(tmp_path)
    data.prepare_data()
    assert sorted(reds(data, "train") + reds(data, "test")) == list(range(24))


def test_a_folder_elsewhere_of_another_size(tmp_path):
    images(tmp_path / "mine", (64, 64))
    data = celeba(tmp_path, str(tmp_path / "mine"))
    data.prepare_data()
    assert sorted(reds(data, "train") + reds(data, "test")) == list(range(24))


def test_the_field_cuts_the_middle_148(tmp_path):
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    image = np.full((218, 178, 3), 255, np.uint8)
    image[35:183, 15:163] = 100
    for k in range(4):
        Image.fromarray(image).save(folder / f"{k}.png")
    data = celeba(tmp_path)
    data.prepare_data()
    assert (data.split("train").images == 100).all()


@pytest.mark.parametrize(
    ("file", "change", "line"),
    [
        ("list_attr_celeba.txt", lambda text: text.replace(".jpg", "x.jpg"), "has no line for any of the 24 images"),
        ("list_attr_celeba.txt", lambda text: text.replace(" 1", " one"), "is damaged"),
        ("list_attr_celeba.txt", lambda text: text[:-2], "is damaged: line 26 is no image's name and 3 whole numbers"),
        ("list_attr_celeba.txt", lambda text: text + "000025.jpg 1 1 999\n", "is damaged: line 27 is no image's name"),
        ("list_attr_celeba.txt", lambda text: text.replace("Young ", ""), "3 values a line for 2 names"),
        ("list_attr_celeba.txt", lambda text: "", "is damaged"),
        ("list_attr_celeba.txt", lambda text: "\n".join(text.splitlines()[2:]), "3 values a line for 0 names"),
        (
            "list_eval_partition.txt",
            lambda text: text[:100],
            "is damaged: line 8 is no image's name and 1 whole numbers",
        ),
        ("list_eval_partition.txt", lambda text: text.replace(" 2", " 2 2"), "is damaged"),
    ],
)
def test_damaged_tables(root, file, change, line):
    path = root / "celeba" / file
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError) as error:
        celeba(root).prepare_data()
    assert file in str(error.value)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_broken_image(root):
    path = root / "celeba" / "img_align_celeba" / NAMES[5]
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"000006\.jpg is empty \(0 bytes\)$"):
        celeba(root).prepare_data()
    assert not list((root / "stores").rglob("*.images"))
    data = celeba(root, skip_broken=True)
    data.prepare_data()
    assert reds(data, "train") == [k for k in range(20) if k != 5]
    assert data.split("train").factors[5].tolist() == [float(v == 1) for v in ATTRIBUTES[6]]


def test_google_drive_refuses(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("quota\nexceeded")

    monkeypatch.setattr(torchvision.datasets, "CelebA", fail)
    with pytest.raises(
        DataError, match=r"Google Drive often refuses\): put img_align_celeba\.zip, .* into \S+celeba, "
    ):
        celeba(tmp_path).prepare_data()


def test_a_part_of_the_images_that_lies_in_one_split(root):
    """The first images of CelebA all belong to the training split: a tenth of them is held out then."""
    for name in NAMES[20:]:
        (root / "celeba" / "img_align_celeba" / name).unlink()
    data = celeba(root)
    data.prepare_data()
    assert (data.train_size, data.store.count("test")) == (18, 2)
    assert sorted(reds(data, "train") + reds(data, "test")) == list(range(20))
    expected = [[float(v == 1) for v in ATTRIBUTES[k]] for k in reds(data, "train")]
    assert data.split("train").factors.tolist() == expected


def test_only_the_default_place_is_downloaded_to(tmp_path, monkeypatch):
    asked = []

    def download(root, split, download):
        asked.append(root)
        images(tmp_path / "celeba" / "img_align_celeba")

    monkeypatch.setattr(torchvision.datasets, "CelebA", download)
    with pytest.raises(DataError, match=r"^data\.path=\S+typo does not exist$"):
        celeba(tmp_path, str(tmp_path / "typo")).prepare_data()
    assert asked == []
    (tmp_path / "celeba").mkdir()  # as a download that was refused leaves it
    assert celeba(tmp_path).train_size == 22
    assert asked == [str(tmp_path)]


def as_csv(path, header):
    """As the copies in circulation are: commas, and a name above each column."""
    lines = [",".join(line.split()) for line in path.read_text().splitlines() if line.startswith("0")]
    path.with_suffix(".csv").write_text("\n".join([header, *lines]) + "\r\n")
    path.unlink()


@pytest.mark.parametrize("kind", ["official", "no count", "blank lines", "byte order mark", "windows", "csv"])
def test_tables_as_they_are_in_circulation(root, kind, capsys):
    path = root / "celeba" / "list_attr_celeba.txt"
    count, names, *lines = path.read_text().splitlines()
    text = {
        "official": [count, names, *lines],
        "no count": [names, *lines],
        "blank lines": ["", count, "", names, "", *lines, ""],
        "byte order mark": ["\ufeff" + names, *lines],
        "windows": [f"{line}\r" for line in (count, names, *lines)],
        "csv": [count, names, *lines],
    }[kind]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    if kind == "csv":
        as_csv(path, "image_id,Smiling,Young,Male")
        as_csv(root / "celeba" / "list_eval_partition.txt", "image_id,partition")
    data = celeba(root)
    data.prepare_data()
    assert (reds(data, "train"), reds(data, "test")) == (list(range(20)), [20, 21, 22, 23])
    assert data.factor_names == ("Smiling", "Young", "Male")
    assert data.split("train").factors.tolist() == [[float(v == 1) for v in row] for row in ATTRIBUTES[:20]]
    assert len(capsys.readouterr().out.splitlines()) == 2, "there is nothing to remark"


@pytest.mark.parametrize("file", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_images_that_a_table_does_not_know_are_left_out_and_counted(root, file, capsys):
    path = root / "celeba" / file
    path.write_text("".join(line for line in path.read_text().splitlines(True) if line[:6] not in ("000003", "000022")))
    data = celeba(root)
    data.prepare_data()
    assert (reds(data, "train"), reds(data, "test")) == ([k for k in range(20) if k != 2], [20, 22, 23])
    expected = [[float(v == 1) for v in ATTRIBUTES[k]] for k in reds(data, "train")]
    assert data.split("train").factors.tolist() == expected
    (line,) = capsys.readouterr().out.splitlines()[2:]
    assert line == (
        f"data=celeba: 2 of 24 images are left out, since {path} has no line for them (the first: 000003); without "
        "that file all are used"
    )


def test_lines_for_images_that_are_not_there_are_counted(root, capsys):
    for name in (NAMES[1], NAMES[22]):
        (root / "celeba" / "img_align_celeba" / name).unlink()
    data = celeba(root)
    data.prepare_data()
    assert (data.train_size, data.store.count("test")) == (19, 3)
    expected = [[float(v == 1) for v in ATTRIBUTES[k]] for k in reds(data, "train")]
    assert data.split("train").factors.tolist() == expected
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"data=celeba: {root / 'celeba' / file} has lines for 2 images that are not there"
        for file in ("list_attr_celeba.txt", "list_eval_partition.txt")
    ]


def test_what_is_hidden_is_no_data(root, capsys):
    """A Mac leaves such a file beside each that it copies; a notebook, copies of pictures."""
    folder = root / "celeba" / "img_align_celeba"
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "000001-checkpoint.jpg").write_bytes(picture(3))
    (folder / "notes.heic").write_bytes(b"")
    data = celeba(root)
    data.prepare_data()
    assert (reds(data, "train"), reds(data, "test")) == (list(range(20)), [20, 21, 22, 23])
    line = f"data=celeba: files in {folder} that are not read as images: 1 .heic"
    assert capsys.readouterr().out.splitlines()[2:] == [line]


def test_a_hidden_zip_is_not_the_images(tmp_path):
    (tmp_path / "celeba").mkdir()
    (tmp_path / "celeba" / "._mine.zip").write_bytes(b"of a Mac")
    with zipfile.ZipFile(tmp_path / "celeba" / "mine.zip", "w") as archive:
        for k, image in enumerate(NAMES):
            archive.writestr(image, picture(k))
    assert celeba(tmp_path).train_size == 22
