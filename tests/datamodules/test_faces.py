import pickle
import sys
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from infogan.datamodules.base import DataContext, held_out
from infogan.datamodules.faces import FaceMaker, Faces
from infogan.errors import DataError

SHAPE = (5, 4, 3, 2, 16, 16)
RENDERS = torch.arange(5 * 4 * 3 * 2).reshape(*SHAPE[:4], 1, 1).expand(SHAPE).to(torch.uint8)


def faces(root, source="tensor", path=None, size=16, images=40, skip_broken=False):
    context = DataContext(root, root / "stores", 2, (0.0, 1.0), 0)
    return Faces(context, source, None if path is None else str(path), size, images, 3, skip_broken)


@pytest.mark.parametrize("size", [16, 8])
def test_a_tensor_of_renders(tmp_path, size):
    (tmp_path / "faces").mkdir()
    torch.save(RENDERS.clone(), tmp_path / "faces" / "basel_face_renders.pth")
    data = faces(tmp_path, size=size)
    data.prepare_data()
    train, test = data.split("train"), data.split("test")
    assert (train.images.shape, test.images.shape) == ((108, 1, size, size), (12, 1, size, size))
    assert data.factor_names == ("identity", "azimuth", "elevation", "lighting")
    for split in (train, test):
        i, a, e, lamp = split.factors.T
        assert (split.images[:, 0, 2, 5] == ((i * 4 + a) * 3 + e) * 2 + lamp).all()


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize(
    "contents",
    [{"renders": RENDERS}, RENDERS.float(), RENDERS[0], torch.zeros(0), Evil()],
    ids=["dict", "float", "five axes", "empty", "code"],
)
def test_what_is_not_a_tensor_of_renders(tmp_path, contents, capsys):
    torch.save(contents, tmp_path / "f.pth")
    with pytest.raises(DataError) as error:
        faces(tmp_path, path=tmp_path / "f.pth").prepare_data()
    assert "f.pth" in str(error.value)
    assert "\n" not in str(error.value)
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["plain pickle", "cut", "text", "none"])
def test_damaged_files(tmp_path, damage, capsys):
    path = tmp_path / "f.pth"
    torch.save(RENDERS.clone(), path)
    whole = path.read_bytes()
    damaged = {"plain pickle": pickle.dumps(Evil()), "cut": whole[: len(whole) // 2], "text": b"once", "none": b""}
    path.write_bytes(damaged[damage])
    with pytest.raises(DataError, match=r"f\.pth is not a PyTorch file of plain tensors, or is damaged: [^\n]+$"):
        faces(tmp_path, path=path).prepare_data()
    assert "executed" not in capsys.readouterr().out


def test_a_folder(tmp_path):
    for k in range(20):
        (tmp_path / "mine" / str(k)).mkdir(parents=True)
        Image.new("RGB", (30, 20), (k, k, k)).save(tmp_path / "mine" / str(k) / "face.png")
    data = faces(tmp_path, "folder", tmp_path / "mine")
    data.prepare_data()
    found = [data.split(split).images[:, 0, 0, 0].tolist() for split in ("train", "test")]
    assert [len(images) for images in found] == [18, 2]
    assert sorted(found[0] + found[1]) == list(range(20))
    assert data.factor_names == ()


@pytest.mark.parametrize("source", ["tensor", "bfm", "folder"])
def test_originals_that_are_not_there(tmp_path, source):
    with pytest.raises(DataError, match=rf"data=faces data\.source={source}: \S+gone does not exist; data\.path names"):
        faces(tmp_path, source, tmp_path / "gone").prepare_data()


def test_rendered_faces_in_a_store(tmp_path, monkeypatch):
    asked = []

    def render_faces(heads, rows, seed, size):
        factors = np.array([(row, heads, seed, 0, 0) for row in rows], np.float32)
        return np.stack([np.full((1, size, size), row, np.uint8) for row in rows]), factors

    def heads_from_anny(identities, seed):
        asked.append((identities, seed))
        return 7

    fake = SimpleNamespace(
        FACE_FACTORS=("identity", "azimuth", "elevation", "lighting", "width"),
        render_faces=render_faces,
        heads_from_anny=heads_from_anny,
    )
    monkeypatch.setitem(sys.modules, "infogan.datamodules.rendering.faces", fake)
    data = faces(tmp_path, "rendered")
    data.prepare_data()
    assert asked == [(3, 0)]
    assert (data.expected_train_size, data.train_size) == (36, 36)
    assert data.split("train").images[:, 0, 0, 0].tolist() == list(range(36))
    assert data.split("test").factors[:, 0].tolist() == [36, 37, 38, 39], "no render is in both splits"


def test_a_tensor_in_the_format_of_2018(tmp_path):
    """That of the file in circulation: PyTorch cannot map it."""
    torch.save(RENDERS.clone(), tmp_path / "f.pth", _use_new_zipfile_serialization=False)
    data = faces(tmp_path, path=tmp_path / "f.pth")
    data.prepare_data()
    i, a, e, lamp = data.split("train").factors.T
    assert (data.split("train").images[:, 0, 2, 5] == ((i * 4 + a) * 3 + e) * 2 + lamp).all()


@pytest.mark.parametrize("contents", [Evil(), [RENDERS[0]], RENDERS.float()])
def test_other_contents_in_the_format_of_2018(tmp_path, contents, capfd):
    torch.save(contents, tmp_path / "f.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(DataError, match=r"f\.pth (is not a PyTorch file of plain tensors|holds)[^\n]+$"):
        faces(tmp_path, path=tmp_path / "f.pth").prepare_data()
    assert "executed" not in capfd.readouterr().out


def test_a_tensor_that_claims_more_than_the_file_holds(tmp_path):
    """One stored byte, repeated: 10¹² pixels if it were believed."""
    torch.save(torch.zeros(1, dtype=torch.uint8).expand(100, 100, 100, 100, 100, 100), tmp_path / "f.pth")
    with pytest.raises(DataError, match=r"f\.pth claims 1,000,000,000,000 pixels in [\d,]+ bytes: refused$"):
        faces(tmp_path, path=tmp_path / "f.pth").prepare_data()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.REGTYPE])
def test_the_tar_that_pytorch_once_wrote_is_not_unpacked(tmp_path, monkeypatch, kind):
    """Its reader unpacks a member named storages, wherever that leads."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with tarfile.open(tmp_path / "f.pth", "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    with pytest.raises(DataError, match=r"f\.pth is not a PyTorch file of plain tensors"):
        faces(tmp_path, path=tmp_path / "f.pth").prepare_data()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.pth", "stores", "temporary"]
    assert not any((tmp_path / "temporary").iterdir())


def test_a_tensor_is_averaged_down(tmp_path):
    renders = torch.randint(0, 256, (2, 3, 2, 2, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.save(renders, tmp_path / "f.pth")
    data = faces(tmp_path, path=tmp_path / "f.pth", size=4)
    means = renders.reshape(-1, 4, 2, 4, 2).float().mean((2, 4))[held_out(24)[0]]
    assert ((data.split("train").images[:, 0] - means).abs() <= 0.5).all()


def test_a_range_of_renders_is_counted_from_the_first(monkeypatch):
    def render_faces(heads, rows, seed, size):
        return np.array(rows), (heads, seed, size)

    monkeypatch.setitem(sys.modules, "infogan.datamodules.rendering.faces", SimpleNamespace(render_faces=render_faces))
    chunk = FaceMaker("heads", 100, 4)(range(5, 8))
    assert chunk.images.tolist() == [105, 106, 107]
    assert chunk.factors == ("heads", 0, 4)


def test_the_store_depends_on_what_the_source_uses(tmp_path):
    def folder(source, path=None, **options):
        return faces(tmp_path, source, path, **options).store_folder

    assert folder("rendered") == folder("rendered", "x", skip_broken=True)
    assert folder("tensor", "x") == folder("tensor", "x", images=21, skip_broken=True)
    assert folder("folder", "x") != folder("folder", "x", skip_broken=True)
    others = {folder("rendered", images=21), folder("rendered", size=8), folder("bfm", "x"), folder("bfm", "y")}
    assert len(others | {folder("rendered")}) == 5
