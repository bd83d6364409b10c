"""`infogan.film`: what was drawn while training in its order, and walks that end where they began."""

import importlib.util
import os
import shutil
import signal
import stat

import numpy as np
import pytest
import torch
from PIL import Image

from infogan import film
from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.trained import films
from infogan.trained.model import load_run
from tests.infogan.processes import Forked, ended, wait_for

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

QUICK = ["seconds=2", "fps=10"]


@pytest.fixture
def command(call, digits_run, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(film.main, f"run={digits_run}", f"paths.outputs={tmp_path}/outputs", *QUICK, *arguments)

    return run


def decoded(path):
    """All frames, (F, H, W, 3) uint8, and how many there are a second."""
    if path.suffix == ".gif":
        with Image.open(path) as picture:
            frames, milliseconds = [], 0
            for k in range(picture.n_frames):
                picture.seek(k)
                frames.append(np.asarray(picture.convert("RGB")))
                milliseconds += picture.info["duration"]
            return np.stack(frames), milliseconds
    reader = imageio_ffmpeg.read_frames(path)
    about = next(reader)
    width, height = about["size"]
    return np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]), about["fps"]


def difference(one, other):
    """The mean over pixels."""
    return np.abs(one.astype(float) - other.astype(float)).mean()


@pytest.fixture
def with_history(digits_run, tmp_path):
    """The run with grids of two times before its end, of one colour each."""
    run = shutil.copytree(digits_run, tmp_path / "with_history")
    (run / "figures" / "history").mkdir()
    for iteration, colour in ((5, (200, 0, 0)), (10, (0, 200, 0))):
        for name in ("c1", "c2", "c3"):
            size = (300, 101) if name == "c2" else (300, 120)
            Image.new("RGB", size, colour).save(run / "figures" / "history" / f"{name}_{iteration:08d}.png")
    return run


@pytest.mark.parametrize("form", ["mp4", "gif"])
def test_grids_over_training(command, with_history, tmp_path, form):
    place = tmp_path / f"film.{form}"
    code, out, _ = command(f"run={with_history}", f"to={place}", f"format={form}", "seconds=1.5")
    assert code == 0
    frames, timing = decoded(place)
    finals = [Image.open(with_history / "figures" / f"c{k}.png") for k in (1, 2, 3)]
    width, height = (max(getattr(picture, side) for picture in finals) for side in ("width", "height"))
    assert frames.shape[1:] == (height + height % 2, 3 * width + 3 * width % 2, 3)
    assert f"film: {place}   15 frames of {frames.shape[2]}×{frames.shape[1]} pixels, 1.5 s" == out.splitlines()[-1]
    if form == "mp4":
        assert (len(frames), timing) == (15, 10)
        frames = frames[[0, 4, 5, 9, 10, 14]]
    else:
        assert (len(frames), timing) == (3, 1500), "frames that are alike are one"
        frames = frames[[0, 0, 1, 1, 2, 2]]
    for k, colour in enumerate([(200, 0, 0), (200, 0, 0), (0, 200, 0), (0, 200, 0)]):
        for column in range(3):
            assert np.abs(frames[k][50, column * width + 50].astype(int) - colour).max() < 8
        assert frames[k][110, width + 50].min() > 250, "paper below the smaller grid"
    last = np.asarray(finals[1].convert("RGB"))
    for k in (4, 5):
        shown = frames[k][: last.shape[0], width : width + last.shape[1]]
        assert difference(shown, last) < 8 < difference(shown, np.flip(last, axis=0))


def test_more_times_than_frames_show_the_last(with_history):
    shown = list(films.over_training(with_history, ["c1"], 2))
    final = Image.open(with_history / "figures" / "c1.png").convert("RGB")
    assert len(shown) == 2
    assert shown[-1].crop((0, 0, *final.size)).tobytes() == final.tobytes()


def test_a_run_without_grids_of_two_times(command, tmp_path):
    code, _, err = command(f"to={tmp_path}/film.mp4")
    assert code == 2 and "has not even two grids: one is drawn every callbacks.traversals_every iterations" in err
    assert list(tmp_path.glob("*film*")) == []


@pytest.mark.parametrize(("form", "name"), [("mp4", "c2"), ("gif", "c1")])
def test_a_walk_is_a_loop(command, tmp_path, form, name):
    place = tmp_path / f"walk.{form}"
    assert command(f"code={name}", f"to={place}", f"format={form}", "seconds=4")[0] == 0
    frames, _ = decoded(place)
    assert frames.shape == (40, 296, 592, 3)
    steps = [difference(a, b) for a, b in zip(frames, np.roll(frames, -1, axis=0), strict=True)]
    assert max(steps) > 0.1, "it moves"
    assert steps[-1] < 1.5 * max(steps[:-1]), "no jump where it starts again"
    if form == "mp4":
        middle = difference(frames[0], frames[20])
        assert steps[-1] < 0.3 * middle, "it has been elsewhere"
        assert difference(frames[5], frames[-5]) < 0.3 * middle, "back on the same way"


def test_the_frames_are_the_models_images(digits_run):
    """Ten draws of all else, the same in all frames; one category each."""
    trained = load_run(digits_run)
    latents = trained.latents
    frame = list(films.walk(trained, "c2", 4))[1]
    pixels = np.asarray(frame.convert("L"))
    base = latents.sample(trained.config.seed, "film", 0, range(10))
    base = latents.replaced(base, "c1", torch.eye(10))
    images = trained.images(latents.replaced(base, "c2", torch.zeros(1)))
    corners = [(pixels.shape[0] - 238 + row * 114, 12 + column * 114) for row in range(2) for column in range(5)]
    cells = [pixels[top : top + 112 : 14, left : left + 112 : 14] for top, left in corners]
    assert (np.stack(cells) == images[..., 0]).all()


def test_the_way_of_a_walk():
    way = Latents((Uniform("slant", 0, 2, 1.0),), 1, "uniform").walk("slant", 8)[:, 0]
    torch.testing.assert_close(way[[0, 2, 4, 6]], torch.tensor([-1.0, 1.0, 3.0, 1.0]))
    torch.testing.assert_close(way[1:4], way[[7, 6, 5]])
    way = Latents((Categorical("kind", 3),), 1, "uniform").walk("kind", 12)
    torch.testing.assert_close(way.sum(dim=1), torch.ones(12))
    torch.testing.assert_close(way[::4], torch.eye(3))
    torch.testing.assert_close(way[10], torch.tensor([0.5, 0, 0.5]))
    assert way[9, 2] > 0.8 and (way >= 0).all()


def test_names_by_default(command, tmp_path):
    for _ in range(2):
        assert command("code=c3", "format=gif", "seconds=0.2")[0] == 0
    made = list((tmp_path / "outputs" / "films").iterdir())
    assert len(made) == 2 and all("_digits" in path.name and path.suffix == ".gif" for path in made)


def test_ffmpeg_that_fails_leaves_nothing(command, monkeypatch, tmp_path):
    for name, script in (("refuses", "exit 1"), ("is silent", "cat > /dev/null")):
        (tmp_path / name).mkdir()
        fake = tmp_path / name / "ffmpeg"
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", os.fspath(fake))
        code, _, err = command("code=c2", f"to={tmp_path}/film.mp4")
        assert code == 2 and "film.mp4 could not be written: " in err and err.count("\n") == 1
        assert list(tmp_path.glob("*film*")) == []


def test_mp4_without_its_package(command, monkeypatch, tmp_path):
    found = importlib.util.find_spec
    monkeypatch.setattr(films, "find_spec", lambda name: None if name == "imageio_ffmpeg" else found(name))
    code, _, err = command("code=c2", f"to={tmp_path}/film.mp4")
    assert (code, err) == (
        2,
        "error: format=mp4 needs imageio-ffmpeg: pip install 'infogan-lab[film]', or format=gif\n",
    )
    assert command("code=c2", "format=gif", f"to={tmp_path}/film.gif", "seconds=0.2")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["code=c9"], "code=c9: there is no such code; the model has c1, c2, c3"),
        (["seconds=0"], "seconds=0: "),
        (["seconds=0.1"], "seconds=0.1: at fps=10 that is not even two frames"),
        (["fps=0"], "fps=0: "),
        (["format=avi"], "format=avi: "),
        (["format=gif"], "its name must end in .gif"),
        (["format=gif", "to=null", "fps=30"], "fps=30: a GIF counts in hundredths of a second"),
    ],
)
def test_mistakes(command, tmp_path, arguments, message):
    code, _, err = command("code=c2", f"to={tmp_path}/film.mp4", *arguments)
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert list(tmp_path.glob("*film*")) == []


def test_a_film_that_is_there_is_left_alone(command, tmp_path):
    (tmp_path / "film.gif").write_text("mine")
    code, _, err = command("code=c2", "format=gif", f"to={tmp_path}/film.gif")
    assert code == 2 and "it exists already" in err
    assert (tmp_path / "film.gif").read_text() == "mine"


@pytest.mark.parametrize("form", ["mp4", "gif"])
def test_much_is_asked_about(command, tmp_path, form):
    asked = ["code=c2", f"format={form}", f"to={tmp_path}/film.{form}", "ask_above.gigabytes=0.0001"]
    code, out, err = command(*asked)
    assert (code, out) == (2, "")
    assert err.startswith("error: seconds=2 fps=10 takes 1 file, ") and err.endswith("; yes=true does it\n")
    assert list(tmp_path.iterdir()) == []
    code, out, _ = command(*asked, "yes=true")
    assert code == 0 and out.startswith("seconds=2 fps=10: at most 1 file, ")
    said = films.expected(decoded_first(tmp_path / f"film.{form}"), 20, 0.1, form)
    assert (tmp_path / f"film.{form}").stat().st_size < 1.1 * said.bytes


def decoded_first(path):
    return Image.fromarray(decoded(path)[0][0])


@pytest.mark.parametrize("form", ["mp4", "gif"])
def test_a_signal_leaves_nothing(digits_run, tmp_path, form):
    long = ["code=c2", "seconds=600", "fps=50", f"format={form}", "threads=1", f"to={tmp_path}/film.{form}"]
    process = Forked(f"run={digits_run}", *long, program=("-m", "infogan.film"))
    wait_for(process, lambda: [*tmp_path.glob(".film.*")])
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert (code, err) == (143, "stopped by SIGTERM\n")
    assert list(tmp_path.iterdir()) == []
