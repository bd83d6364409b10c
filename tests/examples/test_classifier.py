"""`examples/classifier.py` tells what images are worth to someone who trains on them."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from infogan.config.regularisers import Transforms
from infogan.datamodules.base import DataContext
from infogan.datamodules.digits import Digits

SCRIPT = Path(__file__).parents[2] / "examples" / "classifier.py"


@pytest.fixture
def script(monkeypatch):
    """The script as a module, with one short training."""
    spec = importlib.util.spec_from_file_location("classifier", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SEEDS", (0,))
    monkeypatch.setattr(module, "STEPS", 200)
    return module


@pytest.fixture
def digits(tmp_path):
    """100 real digits to train on, with their labels."""
    train = Digits(DataContext(tmp_path, tmp_path / "stores", 50, (0.0, 1.0), 0)).split("train")
    return train.images[:100], train.labels[:100]


def write(folder, images, names):
    for k, (image, name) in enumerate(zip(images, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(folder / name / f"{k:06d}.png")
    return folder


def accuracies(out):
    return {name: float(value) for value, name in re.findall(r"([0-9.]+) \([0-9.]+\) trained on 100 (\w+) ones", out)}


def test_real_images_teach_what_real_images_teach(call, script, digits, tmp_path):
    images, labels = digits
    code, out, _ = call(script.main, str(write(tmp_path / "real", images, map(str, labels.tolist()))), "data=digits")
    assert code == 0 and out.splitlines()[-1].startswith("accuracy on 360 real test images of digits: ")
    found = accuracies(out)
    assert found["real"] > 0.7 and abs(found["generated"] - found["real"]) < 0.15

    wrong = [str((label + 1) % 10) for label in labels.tolist()]
    _, out, _ = call(script.main, str(write(tmp_path / "wrong", images, wrong)), "data=digits")
    assert accuracies(out)["generated"] < 0.1, "it believes the folders' names"


def test_labels_are_the_data_sets_whatever_folders_there_are(script, digits, tmp_path):
    images, _ = digits
    write(tmp_path / "two", images[:3], ["top", "b_shirt", "top"])
    read, labels = script.read(str(tmp_path / "two"), ["x", "top", "b_shirt"], 1)
    assert sorted(labels.tolist()) == [1, 1, 2]
    assert torch.equal(read[labels == 2], images[1:2] / 255)


def test_it_sees_what_the_models_consistency_leaves_the_same(call, script, digits, monkeypatch, tmp_path):
    images, labels = digits
    folder = str(write(tmp_path / "real", images, map(str, labels.tolist())))
    asked = []
    monkeypatch.setattr(script, "compare", lambda folder, data, transforms: asked.append(transforms))
    call(script.main, folder, "data=digits", "model.regularisers.consistency.transforms.rotation=40")
    call(script.main, folder, "data=digits", "model=paper_digits")
    assert asked == [
        Transforms(rotation=40, scale=0.15, shear=0.2, shift=0.075, brightness=0.1, contrast=0.3, noise=0.1),
        Transforms(),
    ]


def test_it_learns_from_the_transforms_alone(script, digits, monkeypatch):
    images, labels = digits
    transforms = Transforms(rotation=15, scale=0.15, shear=0.2, shift=0.075)
    taken = []

    def blank(images, u, transforms, value_range):
        taken.append((u.shape, transforms, value_range))
        return 0 * images

    seen = script.trained(images / 255, labels, 10, transforms)
    monkeypatch.setattr(script, "transformed", blank)
    unseen = script.trained(images / 255, labels, 10, transforms)
    assert script.tested(seen, images / 255, labels) > 0.8 > 0.3 > script.tested(unseen, images / 255, labels)
    assert taken == [((64, 5), transforms, (0.0, 1.0))] * 200


@pytest.mark.parametrize(
    ("names", "overrides", "message"),
    [
        (["cat"], ["data=digits"], "sub-folders that are no class of the data set: cat"),
        ([], ["data=digits"], "is not a folder of images by class"),
        (["3"], ["data=digit"], "data=digit: there is no such choice"),
    ],
)
def test_mistakes(call, script, digits, tmp_path, names, overrides, message):
    code, _, err = call(script.main, str(write(tmp_path / "images", digits[0][: len(names)], names)), *overrides)
    assert code == 2 and message in err and err.count("\n") == 1
