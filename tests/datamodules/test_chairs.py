import io
import sys
import tarfile
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from infogan.datamodules.base import DataContext
from infogan.datamodules.chairs import VIEWS, ChairMaker, Chairs
from infogan.errors import DataError

MODELS = ["1028b32dc1873c2afe26a3ac360dbd4", "a" * 32, "b1c" * 10, "ff00" * 8]
AZIMUTHS = (0, 11, 23)


def names():
    return [
        f"{model}/renders/image_{k:03d}_p{elevation:03d}_t{azimuth:03d}_r096.png"
        for model in MODELS
        for k, (elevation, azimuth) in enumerate((e, a) for e in (20, 30) for a in AZIMUTHS)
    ]


def render(name):
    gray = 40 * MODELS.index(name.split("/")[0]) + int(name.split("_t")[1][:3])
    stream = io.BytesIO()
    Image.new("RGB", (60, 60), (gray, gray, gray)).save(stream, "PNG")
    return stream.getvalue()


def write_tar(place, more=()):
    with tarfile.open(place, "w") as archive:
        for name, data in [*((name, render(name)) for name in names()), *more]:
            member = tarfile.TarInfo(f"rendered_chairs/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def write_folder(place):
    for name in names():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(render(name))
    (place / "all_chair_names.mat").write_bytes(b"MATLAB")


def chairs(root, path=None, **options):
    context = DataContext(root, root / "stores", 2, (0.0, 1.0), 0)
    given = {"source": "archive", "size": 16, "models": 20, "skip_broken": False} | options
    return Chairs(context, path=path, **given)


@pytest.mark.parametrize("kind", ["folder", "tar", "path"])
def test_the_archive(tmp_path, kind):
    if kind == "folder":
        write_folder(tmp_path / "rendered_chairs")
    else:
        write_tar(tmp_path / ("rendered_chairs.tar" if kind == "tar" else "mine.tar"))
    data = chairs(tmp_path, str(tmp_path / "mine.tar") if kind == "path" else None)
    data.prepare_data()
    train, test = data.split("train"), data.split("test")
    assert (train.images.shape, test.images.shape) == ((18, 1, 16, 16), (6, 1, 16, 16))
    assert data.factor_names == ("model", "azimuth", "elevation")
    assert {*train.factors[:, 0].tolist()}.isdisjoint(test.factors[:, 0].tolist()), "no chair is in both splits"
    for split in (train, test):
        model, azimuth, elevation = split.factors.T
        assert (split.images[:, 0, 3, 3] == 40 * model + azimuth).all()
        assert {*azimuth.tolist()} == {*AZIMUTHS}
        assert {*elevation.tolist()} == {20, 30}
    assert data.full_turns == ("azimuth",)


def test_a_name_that_is_not_the_archives(tmp_path):
    write_tar(tmp_path / "rendered_chairs.tar", [("cafe/renders/front.png", render(names()[0]))])
    with pytest.raises(DataError, match=r"cafe/renders/front\.png in \S+rendered_chairs\.tar: not named as in Aubry's"):
        chairs(tmp_path).prepare_data()


def test_a_link_in_the_archive(tmp_path):
    write_tar(tmp_path / "rendered_chairs.tar")
    with tarfile.open(tmp_path / "rendered_chairs.tar", "a") as archive:
        member = tarfile.TarInfo("rendered_chairs/x/renders/image_000_p020_t000_r096.png")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match="is a link, a device or sparse: refused"):
        chairs(tmp_path).prepare_data()


def test_no_archive_and_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(Chairs, "url", "http://127.0.0.1:9/rendered_chairs.tar")
    with pytest.raises(DataError) as error:
        chairs(tmp_path).prepare_data()
    line = str(error.value)
    assert "\n" not in line
    for text in (
        "could not be downloaded",
        str(tmp_path),
        "data.source=rendered model=chairs_narrow",
        "one to two hours",
    ):
        assert text in line
    assert (files("infogan.conf") / "model" / "chairs_narrow.yaml").is_file()
    with pytest.raises(DataError, match=r"data\.path=\S+gone does not exist"):
        chairs(tmp_path, str(tmp_path / "gone")).prepare_data()


def fake_render(models, seed, size):
    """Images that tell their model and view."""
    factors = np.array([(model, view, 20) for model in models for view in range(VIEWS)], np.float32)
    images = np.zeros((len(factors), 1, size, size), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = factors[:, 0], factors[:, 1]
    return images, factors


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setitem(sys.modules, "infogan.datamodules.rendering.chairs", SimpleNamespace(render_chairs=fake_render))


@pytest.mark.parametrize("rows", [range(0, 1), range(0, 62), range(60, 64), range(61, 186), range(185, 186)])
def test_any_range_of_views(fake, rows):
    models = np.array([3, 5, 8])
    chunk = ChairMaker(models, 8)(rows)
    assert chunk.images.shape == (len(rows), 1, 8, 8)
    assert chunk.factors[:, 0].tolist() == [models[row // VIEWS] for row in rows]
    assert chunk.factors[:, 1].tolist() == [row % VIEWS for row in rows]
    assert (chunk.images[:, 0, 0, 0] == chunk.factors[:, 0]).all()


def test_rendered_chairs_in_a_store(fake, tmp_path):
    data = chairs(tmp_path, source="rendered", models=4, size=8)
    data.prepare_data()
    assert (data.expected_train_size, data.train_size) == (3 * VIEWS, 3 * VIEWS)
    models = [{*data.split(split).factors[:, 0].int().tolist()} for split in ("train", "test")]
    assert [len(found) for found in models] == [3, 1]
    assert set.union(*models) == {0, 1, 2, 3}
    assert "rendered here" in data.store.manifest["source"]


def test_models_whose_names_end_alike_are_not_taken_for_one(tmp_path):
    name = f"chair_{names()[0]}"
    write_tar(tmp_path / "rendered_chairs.tar", [(name, render(names()[0]))])
    with pytest.raises(DataError, match=rf"{name} in \S+: not named as in Aubry's archive"):
        chairs(tmp_path).prepare_data()


@pytest.mark.parametrize("step", [1, 61, 62, 63, 100, 256])
def test_chunks_join_without_a_seam(fake, step):
    models = np.array([2, 3, 7, 11, 40])
    images, factors = fake_render(models, 0, 4)
    chunks = [ChairMaker(models, 4)(range(k, min(k + step, len(images)))) for k in range(0, len(images), step)]
    assert (np.concatenate([chunk.images for chunk in chunks]) == images).all()
    assert (np.concatenate([chunk.factors for chunk in chunks]) == factors).all()


def test_a_broken_render_is_named_or_left_out(tmp_path):
    write_folder(tmp_path / "rendered_chairs")
    broken = tmp_path / "rendered_chairs" / names()[7]
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(DataError, match=rf"{names()[7]} is damaged: [^\n]+$"):
        chairs(tmp_path).prepare_data()
    data = chairs(tmp_path, skip_broken=True)
    for split in (data.split("train"), data.split("test")):
        model, azimuth, _ = split.factors.T
        assert (split.images[:, 0, 3, 3] == 40 * model + azimuth).all()
    assert data.train_size + data.store.count("test") == 23


def test_where_the_archive_lies_is_nothing_to_rendered_chairs(tmp_path):
    def folder(path=None, **options):
        return chairs(tmp_path, path, **options).store_folder

    assert folder(source="rendered") == folder("x", source="rendered", skip_broken=True)
    others = {folder(source="rendered", models=21), folder(source="rendered", size=32), folder(), folder("x")}
    assert len(others | {folder(source="rendered")}) == 5


def test_what_is_hidden_in_the_archive_is_no_render(tmp_path):
    write_tar(tmp_path / "rendered_chairs.tar", [(".cache/thumbnails/x.png", render(names()[0]))])
    assert chairs(tmp_path).train_size == 18
