"""What features are taken from: trained on digits, on factors alone, and Inception with random weights."""

import pickle
import sys

import numpy as np
import pytest
import torch

from infogan.datamodules.base import DataContext, ImageDataModule
from infogan.datamodules.build_store import Originals, part_of_arrays
from infogan.datamodules.digits import Digits
from infogan.datamodules.store import LabelledImages
from infogan.errors import ConfigError, DataError
from infogan.metrics.groups import class_bounds
from infogan.scoring import extractor as module
from infogan.scoring.extractor import Classifier, extractor_of, inception, own_random_numbers, targets

RNG = np.random.default_rng(0)


def digits(stores):
    return Digits(DataContext(stores, stores, 100, (-1.0, 1.0), 0))


class Bars(ImageDataModule):
    """A white row in an 8×8 image, `size` images in all: which row it is, noise in [0, 1], and a constant."""

    data_set, licence, image_shape = "bars", "none", (1, 8, 8)
    size, known = 600, True

    def originals(self):
        rows = RNG.integers(8, size=self.size)
        images = np.zeros((self.size, *self.image_shape), np.uint8)
        images[np.arange(self.size), 0, rows] = 255
        factors = np.column_stack([rows, RNG.random(self.size), np.ones(self.size)]) if self.known else None
        half = self.size // 2
        splits = [
            part_of_arrays(images[s], None, factors[s] if self.known else None)
            for s in np.split(np.arange(self.size), [half])
        ]
        return Originals(*splits, "made here", factor_names=("row", "noise", "constant") if self.known else ())


def bars(stores):
    return Bars(DataContext(stores, stores, 100, (-1.0, 1.0), 0))


@pytest.fixture
def short(monkeypatch):
    """Little training, for tests of everything else."""
    monkeypatch.setattr(module, "ITERATIONS", 60)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """With PyTorch's own random numbers, as they were before and after."""
    data = digits(tmp_path_factory.mktemp("stores"))
    torch.manual_seed(7)
    before = torch.get_rng_state()
    return data, extractor_of(data), before, torch.get_rng_state()


def test_it_learns_the_labels(trained):
    data, extractor, before, after = trained
    images = data.split("test").images
    found = extractor.classify(images)[0].argmax(dim=1)
    accuracy = (found == data.labels("test")).double().mean().item()
    assert 0.95 < accuracy < 1
    assert extractor.accuracy == {"labels": pytest.approx(accuracy)}
    assert extractor.name == f"digits classifier (labels, {100 * accuracy:.1f} % on the test split)"
    assert torch.equal(before, after)


def test_its_features(trained):
    data, extractor, *_ = trained
    images = data.split("test").images[:20]
    features = extractor(images)
    assert (features.shape, features.dtype, extractor.num_features) == ((20, 128), torch.float32, 128)
    assert not extractor.training
    assert torch.allclose(features[3:4], extractor(images[3:4]), atol=1e-5)  # an image's own, in any batch
    assert features.std(dim=0).count_nonzero() > 60


def test_floats_go_the_same_way_without_being_rounded(trained):
    data, extractor, *_ = trained
    images = data.split("test").images[:5]
    floats = (images.float() / 255).requires_grad_()
    features = extractor.features(floats)
    assert torch.allclose(features, extractor(images), atol=1e-5)
    (gradient,) = torch.autograd.grad(features.sum(), floats)
    assert gradient.abs().sum() > 0
    assert not torch.equal(features, extractor.features(floats * (1 - 1e-4)))


def test_it_is_trained_once(trained, monkeypatch, capsys):
    data, extractor, *_ = trained
    monkeypatch.setattr(module, "train", None)
    again = extractor_of(digits(data.stores))
    assert (again.name, again.accuracy) == (extractor.name, extractor.accuracy)
    images = data.split("test").images[:5]
    assert torch.equal(again(images), extractor(images))
    assert [path.name for path in (data.stores / "extractors").iterdir()] == [
        f"digits_{data.store_folder.name}.safetensors"
    ]
    assert capsys.readouterr().out == ""


def test_it_is_a_function_of_the_images(tmp_path, short):
    torch.manual_seed(1)
    first = extractor_of(digits(tmp_path / "a")).state_dict()
    torch.manual_seed(2)
    second = extractor_of(digits(tmp_path / "b")).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_of_other_images_or_a_damaged_file_it_is_trained_anew(tmp_path, short, capsys):
    data = bars(tmp_path)
    first = extractor_of(data)
    (path,) = (tmp_path / "extractors").iterdir()
    path.write_bytes(b"damaged")
    assert torch.equal(extractor_of(data).heads[0].weight, first.heads[0].weight)
    for file in data.store_folder.iterdir():
        file.unlink()
    assert not torch.equal(extractor_of(bars(tmp_path)).heads[0].weight, first.heads[0].weight)
    assert capsys.readouterr().out.count("training the feature extractor") == 3


def test_without_labels_it_learns_the_factors_that_vary(tmp_path, short):
    extractor = extractor_of(bars(tmp_path))
    assert [head.out_features for head in extractor.heads] == [8, 10]
    assert extractor.accuracy["row"] == 1
    assert 0.02 < extractor.accuracy["noise"] < 0.25  # chance is 0.1
    mean = 50 * sum(extractor.accuracy.values())
    assert extractor.name == f"bars classifier (2 factors, {mean:.1f} % on the test split)"


class Marks(ImageDataModule):
    """8×8 noise with a white row for each of three attributes, which 50, 20 and 5 of 100 images have, in any number;
    and a fourth that nothing shows."""

    data_set, licence, image_shape = "marks", "none", (1, 8, 8)

    def originals(self):
        has = RNG.random((1200, 4)) < [0.5, 0.2, 0.05, 0.5]
        images = RNG.integers(0, 100, (1200, 1, 8, 8), dtype=np.uint8)
        for mark in range(3):
            images[has[:, mark], 0, 2 * mark] = 255
        factors = has.astype(np.float32)
        parts = [part_of_arrays(images[s], None, factors[s]) for s in (slice(800), slice(800, None))]
        return Originals(*parts, "made here", factor_names=("even", "some", "rare", "hidden"))


def test_it_learns_attributes_of_which_an_image_has_any_number(tmp_path, short):
    """A rare one is told by its area, since always saying no would be 95 % right; a hidden one stays at chance."""
    data = Marks(DataContext(tmp_path, tmp_path, 100, (-1.0, 1.0), 0))
    extractor = extractor_of(data)
    assert [head.out_features for head in extractor.heads] == [2] * 4
    assert min(extractor.areas[name] for name in ("even", "some", "rare")) > 0.98
    assert 0.4 < extractor.areas["hidden"] < 0.6
    mean = sum(extractor.areas.values()) / 4
    assert extractor.name == f"marks classifier (4 attributes, AUROC {mean:.3f} on the test split)"
    again = extractor_of(data)
    assert (again.areas, again.accuracy, again.name) == (extractor.areas, extractor.accuracy, extractor.name)
    features = extractor(data.split("test").images)
    apart = [features[data.split("test").factors[:, k] > 0].mean(dim=0) - features.mean(dim=0) for k in range(3)]
    assert all(difference.norm() > 0.1 * features.std() for difference in apart)


def test_with_neither_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(Bars, "known", False)
    assert extractor_of(bars(tmp_path)) is None
    assert not (tmp_path / "extractors").exists()


def test_labels_go_before_factors():
    images, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1, 2, 0])
    split = LabelledImages(images, labels, torch.arange(4.0).unsqueeze(1))
    assert {name: column.tolist() for name, column in targets(split, split, ("x",))["train"].items()} == {
        "labels": [0, 1, 2, 0]
    }


def test_a_factor_of_few_values_has_a_class_for_each():
    factor = np.array([3.0, -1, 0.5, 3, -1])
    assert class_bounds(factor).tolist() == [-0.25, 1.75]
    train, test = (
        LabelledImages(torch.zeros(len(values), 1, 8, 8), None, torch.tensor(values).unsqueeze(1))
        for values in ([3.0, -1, 0.5, 3, -1], [-9.0, 0.6, 2.9])
    )
    known = targets(train, test, ("x",))
    assert known["train"]["x"].tolist() == [2, 0, 1, 2, 0]
    assert known["test"]["x"].tolist() == [0, 1, 2]  # the class nearest to it


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 33, 20), (3, 128, 128)])
def test_images_of_any_size(shape):
    classifier = Classifier(shape, {"a": 3, "b": 5})
    logits = classifier.classify(torch.randint(0, 256, (2, *shape), dtype=torch.uint8))
    assert [part.shape for part in logits] == [(2, 3), (2, 5)]
    assert sum(weight.numel() for weight in classifier.parameters()) < 700_000


def test_own_random_numbers():
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    first = torch.rand(1)
    with own_random_numbers(5):
        inside = torch.rand(1)
    assert torch.equal(torch.cat([first, torch.rand(1)]), expected)
    with own_random_numbers(5):
        assert torch.equal(torch.rand(1), inside)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights of Inception's shapes, and the network of torchmetrics that has them."""
    pytest.importorskip("torch_fidelity")
    from torchmetrics.image.fid import NoTrainInceptionV3

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch, own_random_numbers(0):
        patch.setattr(torch.hub, "load_state_dict_from_url", None)
        patch.setattr("torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(NoTrainInceptionV3, "load_state_dict", lambda *_: None)
        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], antialias=False)
    torch.save(network.state_dict(), path)
    return path, network


def test_inception_is_that_of_fid(weights):
    path, network = weights
    extractor = inception(str(path))
    assert (extractor.name, extractor.num_features, extractor.training) == ("Inception-v3", 2048, False)
    images = torch.from_numpy(RNG.integers(0, 256, (2, 3, 20, 20), dtype=np.uint8))
    expected = network(images)
    assert expected.std() > 0
    features = extractor(images)
    assert features.shape == (2, 2048)
    assert torch.allclose(features, expected, rtol=1e-3, atol=1e-3 * expected.std().item())
    gray = images[:, :1]
    assert torch.equal(extractor(gray), extractor(gray.repeat(1, 3, 1, 1)))
    with torch.no_grad():
        floats = extractor.features(images.float() / 255)
    assert torch.allclose(floats, features)


def one_line(weights, match):
    with pytest.raises(ConfigError, match=match) as error:
        inception(str(weights))
    assert "\n" not in str(error.value)


def test_weights_that_are_not_there(weights, tmp_path):
    one_line(tmp_path / "none.pth", r"none\.pth: there is no such file")


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("content", [b"", b"no weights", pickle.dumps(Evil())], ids=["empty", "text", "pickle"])
def test_a_file_that_is_something_else(weights, tmp_path, content, capsys):
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    one_line(path, r"file\.pth does not hold Inception's weights: \w+")
    assert capsys.readouterr().out == ""


def test_weights_of_another_network(weights, tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    one_line(tmp_path / "other.pth", "does not hold Inception's weights: Error")


def test_a_download(weights, tmp_path, monkeypatch):
    from infogan.datamodules.sources import download

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(url, path):
        raise DataError(f"{url} could not be downloaded (no route)")

    monkeypatch.setattr(download, "download", unreachable)
    one_line("download", r"=download: https://\S+\.pth could not be downloaded \(no route\); or name a file")

    def reachable(url, path):
        path.parent.mkdir(parents=True)
        path.symlink_to(weights[0])

    monkeypatch.setattr(download, "download", reachable)
    assert inception("download").name == "Inception-v3"
    monkeypatch.setattr(download, "download", unreachable)
    assert inception("download").num_features == 2048  # what was downloaded stays


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    one_line("download", r"pip install 'infogan-lab\[quality\]'")
