"""`infogan.generate`: the codes that were asked for, in a layout that others read, whole or not at all."""

import csv
import errno
import json
import shutil
import signal
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

import infogan
from infogan import generate
from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.run_folder.amounts import on_disk
from infogan.trained.image_sets import draw, expected, write_arrays, write_pictures
from tests.infogan.processes import Forked, ended, wait_for

COUNT = 620
"""More than one batch."""


@pytest.fixture
def command(call, digits_run, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        base = [f"run={digits_run}", f"count={COUNT}", f"paths.outputs={tmp_path}/outputs"]
        return call(generate.main, *base, *arguments)

    return run


def table(folder):
    with (folder / "codes.csv").open() as file:
        return list(csv.DictReader(file))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pictures_by_class(command, digits_run, tmp_path):
    code, out, _ = command("codes.c2=-2:2", f"to={tmp_path}/images")
    assert code == 0
    assert out.count("extrapolated") == 1 and "c2 was drawn from -1 to 1 in training" in out
    images, rows = ImageFolder(tmp_path / "images"), table(tmp_path / "images")
    assert len(images) == len(rows) == COUNT == len({row["file"] for row in rows})
    assert {(tmp_path / "images" / row["file"]) for row in rows} == {tmp_path / path for path, _ in images.samples}
    assert [row["file"].split("/")[1] for row in rows] == [f"{k:06d}.png" for k in range(COUNT)]
    matching = infogan.load(digits_run).matching
    for row in rows:
        assert row["label"] == row["file"].split("/")[0] == matching[int(row["c1"])]
    assert len({row["label"] for row in rows}) == 10
    c2, c3 = (np.array([float(row[name]) for row in rows]) for name in ("c2", "c3"))
    assert -2 <= c2.min() < -1.9 and 1.9 < c2.max() <= 2 and abs(c2.mean()) < 0.2
    assert -1 <= c3.min() < -0.95 and 0.95 < c3.max() <= 1


def test_arrays_hold_the_same_images(command, tmp_path):
    assert command(f"to={tmp_path}/png")[0] == 0
    assert command("format=npz", f"to={tmp_path}/npz")[0] == 0
    assert list(files(tmp_path / "npz")) == ["images.npz"]
    arrays, rows = np.load(tmp_path / "npz" / "images.npz"), table(tmp_path / "png")
    assert set(arrays) == {"images", "codes", "code_names", "labels"}
    assert (arrays["images"].dtype, arrays["images"].shape) == (np.uint8, (COUNT, 8, 8, 1))
    pictures = [np.asarray(Image.open(tmp_path / "png" / row["file"])) for row in rows]
    assert (arrays["images"][..., 0] == np.stack(pictures)).all()
    assert len(np.unique(arrays["images"], axis=0)) > 600, "not one image again and again"
    assert arrays["code_names"].tolist() == ["c1", "c2", "c3"]
    codes = [[float(row[name]) for name in ("c1", "c2", "c3")] for row in rows]
    assert arrays["codes"].dtype == np.float32
    np.testing.assert_allclose(arrays["codes"], codes, rtol=1e-5, atol=1e-6)
    assert arrays["labels"].tolist() == [row["label"] for row in rows]


def test_a_function_of_the_seed(command, tmp_path):
    for form in ("png", "npz"):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            assert command(f"format={form}", f"seed={seed}", f"to={tmp_path}/{form}/{name}")[0] == 0
        a, b, c = (files(tmp_path / form / name) for name in "abc")
        assert a == b != c
    assert command("count=505", "seed=1", f"to={tmp_path}/fewer")[0] == 0
    fewer, more = files(tmp_path / "fewer"), files(tmp_path / "png" / "a")
    del fewer["codes.csv"]
    assert len(fewer) == 505 and fewer.items() <= more.items()


def test_codes_that_are_given(command, tmp_path):
    assert command("format=npz", f"to={tmp_path}/free")[0] == 0
    code, out, _ = command("format=npz", "codes.c1=[3,5]", "codes.c2=0.5", f"to={tmp_path}/given")
    assert code == 0 and "extrapolated" not in out
    free, given = (np.load(tmp_path / name / "images.npz")["codes"] for name in ("free", "given"))
    assert set(given[:, 0]) == {3, 5} and 0.42 < (given[:, 0] == 3).mean() < 0.58
    assert (given[:, 1] == 0.5).all()
    assert (given[:, 2] == free[:, 2]).all(), "a code that is not given is what it is without"


def test_a_label_is_its_category(command, digits_run, tmp_path):
    categories = {name: k for k, name in infogan.load(digits_run).matching.items()}
    code, out, _ = command("label=7", f"to={tmp_path}/sevens")
    assert code == 0 and f"label=7: c1 = {categories['7']}\n" in out
    assert {(row["label"], int(row["c1"])) for row in table(tmp_path / "sevens")} == {("7", categories["7"])}
    assert sorted(path.name for path in (tmp_path / "sevens").iterdir()) == ["7", "codes.csv"]


def test_a_run_without_matching(command, digits_run, tmp_path):
    run = shutil.copytree(digits_run, tmp_path / "copy")
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"matching": None}))
    assert command(f"run={run}", f"to={tmp_path}/images")[0] == 0
    rows = table(tmp_path / "images")
    assert list(rows[0]) == ["file", "c1", "c2", "c3"]
    assert all(row["file"].split("/")[0] == row["c1"] for row in rows)
    assert command(f"run={run}", "format=npz", f"to={tmp_path}/npz")[0] == 0
    assert "labels" not in np.load(tmp_path / "npz" / "images.npz")
    code, _, err = command(f"run={run}", "label=7", f"to={tmp_path}/sevens")
    assert code == 2 and err.startswith("error: label=7: ") and "matches no categories to classes" in err


def test_a_folder_of_its_own_by_default(command, tmp_path):
    for _ in range(2):
        assert command("count=1")[0] == 0
    made = sorted((tmp_path / "outputs" / "generated").iterdir())
    assert len(made) == 2 and all("_digits" in path.name and len(table(path)) == 1 for path in made)


def test_a_few_by_default(call, digits_run, tmp_path):
    code, out, _ = call(generate.main, f"run={digits_run}", f"to={tmp_path}/images")
    assert code == 0 and len(table(tmp_path / "images")) == 64
    assert out.startswith("count=64: 65 files, "), "what it takes is said first"


def test_no_disk_has_room_for_it(command, tmp_path):
    code, _, err = command("count=99999999999999", f"to={tmp_path}/images", "yes=true")
    assert code == 2 and err.count("\n") == 1
    assert err.startswith("error: count=99999999999999 takes 100,000,000,000,000 files, ") and " PB, about " in err
    assert f"the disk of {tmp_path} has room for " in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "form"), [("files=500", "png"), ("gigabytes=0.00001", "npz"), ("gigabytes=0.0001", "png")]
)
def test_much_is_asked_about(command, tmp_path, limit, form):
    asked = [f"ask_above.{limit}", f"format={form}", f"to={tmp_path}/images"]
    code, _, err = command(*asked)
    assert code == 2 and err.startswith(f"error: count={COUNT} takes ") and err.endswith("; yes=true does it\n")
    assert list(tmp_path.iterdir()) == []
    assert command(*asked, "yes=true")[0] == 0


@pytest.mark.parametrize("form", ["png", "npz"])
def test_what_is_said_is_what_it_takes(digits_run, tmp_path, form):
    trained = infogan.load(digits_run)
    first, *others = draw(trained, COUNT, 0, {})
    amount = expected(first, 5.0, COUNT, form)
    write = write_pictures if form == "png" else write_arrays
    write(tmp_path, [first, *others], trained.latents.value_names, COUNT)
    written = [path.stat() for path in tmp_path.rglob("*") if path.is_file()]
    assert amount.files == len(written)
    assert amount.bytes == pytest.approx(sum(on_disk(file.st_size) for file in written), rel=0.1)
    assert amount.seconds == pytest.approx(5 * COUNT / 500, rel=0.5)


def generating(digits_run, tmp_path, place):
    """The command as a process, once it has written some of what it never ends with."""
    many = ["count=1000000000", "yes=true", "threads=1"]
    process = Forked(f"run={digits_run}", *many, f"to={place}", program=("-c", NO_LIMITS))
    wait_for(process, lambda: len([*tmp_path.glob(".images.*/*/*")]) > 10)
    return process


NO_LIMITS = """
import infogan.run_folder.amounts as amounts
amounts._free = lambda folder: (float("inf"), float("inf"))
from infogan.generate import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing(digits_run, tmp_path, number):
    process = generating(digits_run, tmp_path, tmp_path / "images")
    process.send_signal(number)
    code, _, err = ended(process)
    assert (code, err) == (128 + number, f"stopped by {number.name}\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(command, digits_run, tmp_path):
    process = generating(digits_run, tmp_path, tmp_path / "images")
    process.kill()
    ended(process)
    assert [path.name.split(".")[1] for path in tmp_path.iterdir()] == ["images"]
    assert command(f"to={tmp_path}/other")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_what_is_there_is_left_alone(command, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    code, _, err = command(f"to={tmp_path}/full")
    assert code == 2 and "exists and is not an empty folder" in err
    assert files(tmp_path / "full") == {"mine": b"mine"}


@pytest.mark.parametrize("form", ["png", "npz"])
def test_a_full_disk_leaves_nothing(command, monkeypatch, tmp_path, form):
    written = iter(range(3))

    def refuse(*arguments, **options):
        if not isinstance(arguments[1], BytesIO) and next(written, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", refuse)
    monkeypatch.setattr(np.lib.format, "write_array", refuse)
    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", refuse)
    if form == "npz":
        next(written), next(written)
    code, _, err = command(f"format={form}", f"to={tmp_path}/place/images")
    assert code == 2
    assert err == f"error: {tmp_path}/place/images could not be written: No space left on device\n"
    assert list((tmp_path / "place").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["codes.c9=1"], "codes.c9: there is no such code; the model has c1, c2, c3"),
        (["codes.c1=10"], "codes.c1=10: must be a category from 0 to 9"),
        (["codes.c1=[3,10]"], "codes.c1=[3,10]: must be a category from 0 to 9"),
        (["codes.c2=1:b"], "codes.c2=1:b: must be a number such as 1.5, or an interval such as -2:2"),
        (["label=cat"], "label=cat: there is no such class; the run knows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (["label=7", "codes.c1=3"], "leave one of label and codes.c1 out"),
        (["count=0"], "count=0: "),
        (["count=many"], "count=many: "),
        (["format=jpg"], "format=jpg: "),
        (["seed=-1"], "seed=-1: "),
        (["size=3"], "size: there is no such key"),
        (["accelerator=tpu"], "accelerator=tpu: "),
    ],
)
def test_mistakes(command, tmp_path, arguments, message):
    code, _, err = command(f"to={tmp_path}/images", *arguments)
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert list(tmp_path.glob("*images*")) == []


class Copier(torch.nn.Module):
    """A generator whose pixels are its input's columns, from -1 … 1 to 0 … 1."""

    def __init__(self, width):
        super().__init__()
        self.image_shape = (1, 1, width)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latent):
        return ((latent + 1) / 2).view(-1, *self.image_shape)


def drawn(digits_run, *codes, given, count=1100):
    latents = Latents(codes, 4, "uniform")
    trained = replace(infogan.load(digits_run), latents=latents, generator=Copier(latents.width))
    return list(draw(trained, count, 3, latents.selections(given)))


SLANT = Uniform("slant", -1, 1, 1.0)


def test_the_codes_are_those_that_made_the_images(digits_run):
    kind = Categorical("kind", 12)  # not as many as there are classes
    batches = drawn(digits_run, SLANT, kind, given={"slant": "-0.5:1"})
    assert [len(batch.images) for batch in batches] == [500, 500, 100]
    for batch in batches:
        pixels = batch.images[:, 0, :, 0] / 255 * 2 - 1
        np.testing.assert_allclose(pixels[:, 0], batch.codes[:, 0], atol=1 / 255)
        assert (pixels[:, 1:13].argmax(axis=1) == batch.codes[:, 1]).all()
        assert batch.labels is None and batch.groups == [f"{k:02.0f}" for k in batch.codes[:, 1]]
    noise = np.concatenate([batch.images[:, 0, 13:, 0] for batch in batches])
    assert len(np.unique(noise, axis=0)) == 1100, "no batch repeats another"


def test_without_a_categorical_code_all_images_are_in_one_folder(digits_run):
    (batch,) = drawn(digits_run, SLANT, given={"slant": 1}, count=3)
    assert batch.groups == ["all"] * 3 and batch.labels is None
    assert batch.codes.tolist() == [[1]] * 3
