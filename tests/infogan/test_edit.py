"""`infogan.edit`: a picture is read, found again, and changed in the given codes alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import infogan
from infogan import edit
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.config.opening import InversionConfig
from infogan.errors import DataError
from infogan.figures.grids import CELL, GAP
from infogan.trained import editing

QUICK = ["inversion.restarts=2", "inversion.iterations=5"]


@pytest.fixture
def command(call, digits_run, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        base = [f"run={digits_run}", f"paths.outputs={tmp_path}/outputs", *QUICK]
        return call(edit.main, *base, *arguments)

    return run


@pytest.fixture
def picture(tmp_path):
    """A file of 8×8 random gray pixels."""
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(256, size=(8, 8), dtype=np.uint8)).save(path)
    return path


def cells(path):
    """The images of a strip, (frames, 8, 8) uint8: they lie on the picture's last rows, enlarged, white paper after."""
    pixels, factor = np.asarray(Image.open(path).convert("L")), CELL // 8
    bottom, left = pixels.shape[0] - 12, 12
    count = (pixels.shape[1] - 2 * 12 + GAP) // (CELL + GAP)
    strip = pixels[bottom - CELL : bottom]
    found = [strip[::factor, left + k * (CELL + GAP) :][:, :CELL:factor] for k in range(count)]
    return np.stack([image for image in found if image.min() < 255])


def test_a_strip(command, picture, digits_run, tmp_path):
    code, out, _ = command(f"image={picture}", "codes.c2=-2:2", "codes.c1=3", f"to={tmp_path}/strip.png")
    assert code == 0
    trained = infogan.load(digits_run)
    original = np.array(Image.open(picture))
    codes = trained.encode(original[None, :, :, None])
    likeliest = int(codes["c1"].argmax())
    assert f"reads c1 = {likeliest} ({codes['c1'].max():.0%}, class {trained.matching[likeliest]}), c2 = " in out
    assert "a poor reconstruction" in out and f"picture: {tmp_path}/strip.png" in out
    assert out.count("extrapolated") == 1
    images = cells(tmp_path / "strip.png")
    assert len(images) == 2 + 9
    assert (images[0] == original).all()
    read = trained.latents.selections({"c1": likeliest, "c2": codes["c2"].item(), "c3": codes["c3"].item()})
    setting = InversionConfig(restarts=2, iterations=5, learning_rate=0.1)
    found = editing.inverted(trained, original[:, :, None], read, setting, 0, lambda done: None)
    assert (images[1] == trained.images(found.latent)[0, :, :, 0]).all()
    edited = trained.latents.replaced(found.latent.repeat(9, 1), "c1", torch.eye(10)[3])
    edited = trained.latents.replaced(edited, "c2", torch.linspace(-2, 2, 9).unsqueeze(1))
    assert (images[2:] == trained.images(edited)[..., 0]).all()

    assert command(f"image={picture}", "codes.c2=-2:2", "codes.c1=3", f"to={tmp_path}/again.png")[0] == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "strip.png").read_bytes()
    command(f"image={picture}", "codes.c2=-2:2", "codes.c1=3", "seed=1", f"to={tmp_path}/other.png")
    assert (cells(tmp_path / "other.png")[1] != images[1]).any()


def test_the_number_of_frames(command, picture, tmp_path):
    for name, frames, codes in (
        ("none", 0, []),
        ("one", 1, ["codes.c2=0.5", "codes.c1=4"]),
        ("list", 3, ["codes.c1=[1,2,5]", "codes.c3=0"]),
        ("steps", 4, ["codes.c2=0:1", "steps=4"]),
    ):
        code, out, _ = command(f"image={picture}", f"to={tmp_path}/{name}.png", *codes)
        assert code == 0 and "extrapolated" not in out
        assert len(cells(tmp_path / f"{name}.png")) == 2 + frames


def test_names_by_default(command, picture, tmp_path):
    for _ in range(2):
        assert command(f"image={picture}")[0] == 0
    made = list((tmp_path / "outputs" / "edits").iterdir())
    assert len(made) == 2 and all("_digits" in path.name and path.suffix == ".png" for path in made)


def test_any_picture_becomes_the_models(tmp_path):
    """Gray or colour, cut to the central square, resized: as data=folder does it."""
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = (255, 0, 0)
    wide[:20, 30:70] = (0, 0, 255)
    Image.fromarray(wide).save(tmp_path / "wide.bmp")
    colour = editing.read(tmp_path / "wide.bmp", (3, 8, 8))
    assert colour.shape == (8, 8, 3) and colour.dtype == np.uint8
    assert (colour[:3] == (0, 0, 255)).all() and (colour[5:] == (255, 0, 0)).all(), "the black sides are cut off"
    gray = editing.read(tmp_path / "wide.bmp", (1, 28, 28))
    assert gray.shape == (28, 28, 1) and set(np.unique(gray[[0, -1]])) == {29, 76}, "the luma of blue and of red"


def test_a_picture_that_is_none(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png is not an image that Pillow can read"):
        editing.read(tmp_path / "text.png", (1, 8, 8))
    with pytest.raises(DataError, match="there is no such file"):
        editing.read(tmp_path, (1, 8, 8))


def test_frames_differ_in_the_given_codes_alone(digits_run):
    trained = infogan.load(digits_run)
    latent = trained.sample(1, seed=4)
    frames, labels = editing.edited(
        trained, latent, trained.latents.selections({"c3": 0.25, "c1": [8, 0], "c2": -1}), 5
    )
    assert labels == ["c3=+0.25\nc1=8\nc2=-1", "c3=+0.25\nc1=0\nc2=-1"]
    assert trained.latents.values(frames).tolist() == [[8, -1, 0.25], [0, -1, 0.25]]
    assert torch.equal(frames[:, 12:], latent[:, 12:].expand(2, -1))
    frames, labels = editing.edited(trained, latent, trained.latents.selections({"c2": "-1:1"}), 3)
    assert labels == ["c2=-1", "c2=0", "c2=+1"]
    assert torch.equal(frames[:, :10], latent[:, :10].expand(3, -1))
    assert torch.equal(frames[:, 11:], latent[:, 11:].expand(3, -1))
    assert editing.edited(trained, latent, {}, 3)[0].shape == (0, trained.latents.width)


class Copier(torch.nn.Module):
    """A generator whose pixels are its input's columns, tanh-shaped models' range: -1 to 1."""

    def __init__(self, width):
        super().__init__()
        self.image_shape = (1, 1, width)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latent):
        return latent.view(-1, *self.image_shape)


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_the_noise_of_an_image_is_in_pixels_of_0_to_1(digits_run, low):
    """The code's pixel is off by what the code says, the noise's are met: in either range of values."""
    trained = infogan.load(digits_run)
    latents = Latents((Uniform("slant", -1, 1, 1.0),), 3, "uniform")
    trained = replace(trained, value_range=(low, 1.0), latents=latents, generator=Copier(4))
    image = np.array([255, 200, 150, 255], np.uint8).reshape(1, 4, 1)
    setting = InversionConfig(restarts=3, iterations=400, learning_rate=0.1)
    found = editing.inverted(trained, image, latents.selections({"slant": 0.5}), setting, 0, lambda done: None)
    values = low + image[0, 1:, 0] / 255 * (1 - low)
    np.testing.assert_allclose(found.latent[0, 1:].numpy(), values, atol=2e-3)
    off = 0.5 / (1 - low)
    assert found.error == pytest.approx(off / 2, abs=1e-3), "one pixel of four: the root of off² / 4"
    assert found.latent[0, 0] == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["image=nowhere.png"], "image=nowhere.png: there is no such file"),
        (["image=null"], "image=<file> must name the picture to edit"),
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["codes.c9=1"], "codes.c9: there is no such code; the model has c1, c2, c3"),
        (["codes.c1=10"], "codes.c1=10: must be a category from 0 to 9"),
        (["codes.c2=1:b"], "codes.c2=1:b: must be a number"),
        (["codes.c2=0:1", "codes.c1=[1,2]"], "codes.c2 and codes.c1 take several values"),
        (["steps=1"], "steps=1: "),
        (["inversion.restarts=0"], "inversion.restarts=0: "),
        (["inversion.iterations=0"], "inversion.iterations=0: "),
        (["to=edit.jpg"], "to=edit.jpg: the picture is a PNG"),
        (["label=3"], "label: there is no such key"),
    ],
)
def test_mistakes(command, picture, tmp_path, arguments, message):
    code, _, err = command(f"image={picture}", f"to={tmp_path}/edit.png", *arguments)
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert [path for path in tmp_path.iterdir() if path != picture] == []


def test_a_picture_that_is_there_is_left_alone(command, picture):
    before = picture.read_bytes()
    code, _, err = command(f"image={picture}", f"to={picture}")
    assert code == 2 and "it exists already" in err
    assert picture.read_bytes() == before
