"""Every data set, in its official layout, through the whole of a training run."""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from infogan.config.check import check
from infogan.datamodules.fashion_mnist import FashionMNIST
from infogan.datamodules.mnist import MNIST
from infogan.datamodules.svhn import SVHN
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.summary import Summary

RNG = np.random.default_rng(0)


def blobs(count, size, channels):
    """(count, size, size, channels) uint8: a bright square that lies anywhere."""
    images = np.zeros((count, size, size, channels), np.uint8)
    for image, (x, y) in zip(images, RNG.integers(0, size // 2, (count, 2)), strict=True):
        image[y : y + size // 3, x : x + size // 3] = RNG.integers(100, 256, channels)
    return images


def png(image, size=None):
    picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
    stream = io.BytesIO()
    (picture.resize(size) if size else picture).save(stream, "PNG")
    return stream.getvalue()


def idx(root, monkeypatch, data_set, name):
    (root / name / "raw").mkdir(parents=True)
    md5 = {}
    for prefix, count in (("train", 300), ("t10k", 40)):
        for kind, array in (("images-idx3", blobs(count, 28, 1)[..., 0]), ("labels-idx1", np.arange(count) % 10)):
            sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
            contents = bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()
            (root / name / "raw" / f"{prefix}-{kind}-ubyte").write_bytes(contents)
            md5[f"{prefix}-{kind}-ubyte"] = hashlib.md5(contents).hexdigest()
    monkeypatch.setattr(data_set, "md5", md5)


def mnist(root, monkeypatch):
    idx(root, monkeypatch, MNIST, "MNIST")
    return []


def fashion_mnist(root, monkeypatch):
    idx(root, monkeypatch, FashionMNIST, "FashionMNIST")
    return []


def digits(root, monkeypatch):
    return []


def svhn(root, monkeypatch):
    (root / "SVHN").mkdir()
    md5 = {}
    for name in ("train", "test"):
        path = root / "SVHN" / f"{name}_32x32.mat"
        savemat(path, {"X": blobs(200, 32, 3).transpose(1, 2, 3, 0), "y": 1 + np.arange(200)[:, None] % 10})
        md5[name] = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(SVHN, "md5", md5)
    return []


def celeba(root, monkeypatch):
    (root / "celeba" / "img_align_celeba").mkdir(parents=True)
    names = [f"{k:06d}.jpg" for k in range(1, 151)]
    for name, image in zip(names, blobs(150, 64, 3), strict=True):
        Image.fromarray(image).resize((178, 218)).save(root / "celeba" / "img_align_celeba" / name)
    lines = ["150", "Smiling Male", *(f"{name} {1 - 2 * (k % 2)} -1" for k, name in enumerate(names))]
    (root / "celeba" / "list_attr_celeba.txt").write_text("\n".join(lines))
    return []


def celeba64(root, monkeypatch):
    (root / "celeba").mkdir()
    with zipfile.ZipFile(root / "celeba" / "img_align_celeba.zip", "w") as archive:
        for k, image in enumerate(blobs(150, 64, 3)):
            archive.writestr(f"img_align_celeba/{k:06d}.png", png(image, (178, 218)))
    return []


def faces(root, monkeypatch):
    (root / "faces").mkdir()
    renders = torch.from_numpy(blobs(10 * 7 * 3 * 2, 64, 1)[..., 0]).reshape(10, 7, 3, 2, 64, 64)
    torch.save(renders, root / "faces" / "basel_face_renders.pth")
    return ["data.source=tensor"]


def chairs(root, monkeypatch):
    with tarfile.open(root / "rendered_chairs.tar", "w") as archive:
        for k, image in enumerate(blobs(248, 64, 1)):
            model, view = divmod(k, 62)
            angle = f"p{20 + 10 * (view // 31):03d}_t{view % 31 * 11:03d}"
            member = tarfile.TarInfo(f"rendered_chairs/{model:032x}/renders/image_{view:03d}_{angle}_r096.png")
            data = png(image, (150, 150))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return []


def rendered_chairs(root, monkeypatch):
    return ["data=chairs", "data.source=rendered", "data.models=4", "model=chairs_narrow"]


def rendered_svhn(root, monkeypatch):
    return ["data=svhn", "data.source=rendered", "data.images=200"]


def dsprites(root, monkeypatch):
    (root / "dsprites").mkdir()
    values = np.column_stack([np.ones(200), 1 + np.arange(200) % 3, RNG.random((200, 4))])
    images = blobs(200, 64, 1)[..., 0] // 255
    np.savez_compressed(root / "dsprites" / "dsprites.npz", imgs=images, latents_values=values)
    return []


def folder(root, monkeypatch):
    for k, image in enumerate(blobs(150, 40, 3)):
        place = root / "mine" / ("left", "right")[k % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{k}.png").write_bytes(png(image))
    return [f"data.path={root / 'mine'}", "data.size=32"]


LAYOUTS = [
    mnist, fashion_mnist, svhn, rendered_svhn, celeba, celeba64, faces, chairs, rendered_chairs, digits, dsprites,
    folder,
]  # fmt: skip


def trained(layout, iterations, compose_values, root, monkeypatch):
    """The run folder of a training on that layout."""
    root.mkdir(exist_ok=True)
    more = layout(root, monkeypatch)
    more = more if any(word.startswith("data=") for word in more) else [f"data={layout.__name__}", *more]
    values = compose_values(*more, f"paths.data={root}", f"trainer.max_iterations={iterations}", "data.batch_size=32")
    run = create(check(values), root / "runs", "run")
    summary = train(run)
    assert summary.iterations == iterations
    for name, bound in summary.information.items():
        assert bound is not None, f"L_I of {name} is finite"
    return run, summary


def check_figures(run: Path, summary: Summary):
    figures = {path.stem for path in (run / "figures").glob("*.png")}
    assert figures == {*summary.entropy, "samples", "real", "curves"}
    for figure in figures:
        with Image.open(run / "figures" / f"{figure}.png") as picture:
            assert min(picture.size) > 100
            assert np.asarray(picture).std() > 5


@pytest.mark.parametrize("layout", [celeba, rendered_chairs, dsprites, folder], ids=lambda layout: layout.__name__)
def test_a_data_set_trains(layout, compose_values, tmp_path, monkeypatch):
    monkeypatch.setattr("infogan.callbacks.conclusion.FRESH_LATENTS", 200)
    run, summary = trained(layout, 2, compose_values, tmp_path / "root", monkeypatch)
    check_figures(run, summary)
    assert json.loads((run / "summary.json").read_text()) == summary.values()
    if layout is rendered_chairs:
        assert 0 <= summary.factors["rotation"]["c4"]["azimuth"] <= 1
        assert set(summary.factors["nmi"]["c1"]) == {"model", "azimuth", "elevation"}
    if layout is dsprites:
        assert set(summary.factors["spearman"]["c5"]) == {"shape", "scale", "orientation", "x", "y"}
    if layout is folder:
        assert set(summary.factors["nmi"]["c1"]) == {"label"}


@pytest.mark.long
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_a_data_set_trains_for_200_iterations(layout, compose_values, tmp_path, monkeypatch):
    check_figures(*trained(layout, 200, compose_values, tmp_path / "root", monkeypatch))
