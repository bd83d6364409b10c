"""Distances of features, path lengths and neighbours, where the answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.scoring import image_quality as scoring
from infogan.scoring.image_quality import (
    COMPARED,
    features,
    frechet_distance,
    generated,
    image_quality,
    kernel_distance,
    nearest_distance,
    path_lengths,
)

LATENTS = Latents((Uniform("c1", -1.0, 1.0, 1.0), Uniform("c2", -1.0, 1.0, 1.0)), 2, "uniform")


def gaussian(count, seed=0, width=4):
    """(count, width) float64 with mean 0 and covariance I, exactly."""
    x = torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = x - x.mean(dim=0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T


def test_the_frechet_distance_of_gaussians():
    """|μ₁ - μ₂|² + Σ (σ₁ - σ₂)² where covariances are diagonal."""
    x = gaussian(500)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-4)
    shift = torch.tensor([3.0, 0, -4.0, 0], dtype=torch.float64)
    assert frechet_distance(x, x + shift) == pytest.approx(25, rel=1e-4)
    scale = torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=torch.float64)
    assert frechet_distance(x, x * scale) == pytest.approx(0 + 1 + 4 + 0.25, rel=1e-3)
    assert frechet_distance(x, gaussian(700, seed=1) * scale + shift) == pytest.approx(30.25, rel=1e-3)


def test_the_kernel_distance_of_two_points():
    """All features alike: k(u, u) + k(v, v) - 2 k(u, v) with k(u, v) = (u·v / 4 + 1)³, whichever are drawn."""
    u, v = torch.tensor([2.0, 0, 0, 0]), torch.tensor([0, 2.0, 0, 0])
    found = kernel_distance(u.repeat(50, 1).double(), v.repeat(60, 1).double(), seed=0)
    assert found == {"mean": pytest.approx(8 + 8 - 2), "std": pytest.approx(0, abs=1e-6)}
    nothing = kernel_distance(u.repeat(50, 1).double(), u.repeat(60, 1).double(), seed=0)
    assert nothing["mean"] == pytest.approx(0, abs=1e-5)


def test_the_kernel_distance_of_gaussians_is_a_function_of_its_seed(monkeypatch):
    """N(0, I) and N(m, I) with |m| = 1 in four dimensions: what the three moments of the cubic kernel differ by."""
    monkeypatch.setattr(scoring, "SUBSETS", 10)
    monkeypatch.setattr(scoring, "SUBSET_SIZE", 500)
    x, y = gaussian(1500), gaussian(1500, seed=1) + 0.5
    before = torch.random.get_rng_state()
    same, again, other = (kernel_distance(x, y, seed) for seed in (0, 0, 1))
    assert same == again != other
    assert other["mean"] == pytest.approx(3 / 4 + 3 / 16 + (1 + 6 + 18) / 64, rel=0.1)
    assert 0 < other["std"] < 0.5
    assert torch.equal(torch.random.get_rng_state(), before)


class Plane(nn.Module):
    """A linear generator of 1×1×2 images: (2 c1, c2) in a range of -1 to 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[2.0, 0, 0, 0], [0, 1.0, 0, 0]]), requires_grad=False)

    def forward(self, latent):
        return (latent @ self.weight.T).view(-1, 2, 1, 1)


class Pixels(nn.Module):
    """An extractor whose features are the pixels."""

    name = "pixels"

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def features(self, images):
        return images.flatten(1)

    def forward(self, images):
        return self.features(images / 255)


def plane():
    generator = Plane()

    def images(latent):
        pixels = ((generator(latent) + 1) / 2 * 255).clamp(0, 255).round().to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).numpy()

    return SimpleNamespace(latents=LATENTS, generator=generator, value_range=(-1.0, 1.0), images=images)


def test_path_lengths_of_a_linear_generator():
    """The squared distance of the ends, whatever the step: E (a - b)² = 2/3 of U(-1, 1), pixels being half of it."""
    found = path_lengths(plane(), Pixels(), seed=0)
    assert list(found) == ["all", "c1", "c2"]
    assert found["c1"] == pytest.approx(2 / 3, rel=0.1)
    assert found["c2"] == pytest.approx(1 / 6, rel=0.1)
    assert found["c1"] / found["c2"] == pytest.approx(4, rel=0.15)
    assert found["all"] == pytest.approx(5 / 6, rel=0.1)


def data(train, test):
    """A data set of such (N, 2, 1, 1) uint8 images."""
    splits = {"train": torch.as_tensor(train), "test": torch.as_tensor(test)}
    return SimpleNamespace(
        data_set="plane",
        split=lambda name: SimpleNamespace(images=splits[name]),
        store=SimpleNamespace(count=lambda name: len(splits[name])),
    )


def test_the_distance_to_the_training_images():
    """0 for images learned by heart, what they are off by for others."""
    model = plane()
    own = torch.cat(list(generated(model, COMPARED, seed=3)))
    other = torch.full((20, 2, 1, 1), 200, dtype=torch.uint8)
    train = torch.cat([own, other + 51])
    found = nearest_distance(model, data(train, other), seed=3)
    assert found["generated"] == 0
    assert 0 < found["test"] <= 51 / 255 + 1e-6
    alone = nearest_distance(model, data(other + 51, other), seed=3)
    assert alone["test"] == pytest.approx(51 / 255)
    assert alone["generated"] > 0.2


def test_images_are_drawn_by_the_seed_in_batches():
    batches = list(generated(plane(), 600, seed=0))
    assert [len(batch) for batch in batches] == [250, 250, 100]
    assert batches[0].shape[1:] == (2, 1, 1) and batches[0].dtype == torch.uint8
    again = torch.cat(list(generated(plane(), 600, seed=0)))
    assert torch.equal(torch.cat(batches), again)
    assert not torch.equal(again, torch.cat(list(generated(plane(), 600, seed=1))))
    found = features(Pixels(), batches)
    assert found.dtype == torch.float64 and found.shape == (600, 2)
    torch.testing.assert_close(found, again.flatten(1).double() / 255, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("size", "split"), [(2000, "test"), (1999, "train")])
def test_a_small_test_split_does_not_stand_for_the_data_set(size, split):
    random = np.random.default_rng(0)
    train, test = (random.integers(256, size=(count, 2, 1, 1), dtype=np.uint8) for count in (2100, size))
    found = image_quality(plane(), data(train, test), Pixels(), samples=600, seed=0)
    assert found["reference"] == {"split": split, "images": {"test": size, "train": 2100}[split]}
    assert found["samples"] == found["precision_recall_images"] == 600
    assert 0 <= found["precision"] <= 1 and 0 <= found["recall"] <= 1
    assert "frechet_distance" in found and "fid" not in found, "these are not Inception's features"


def test_without_an_extractor_it_says_why():
    found = image_quality(plane(), data(*np.zeros((2, 9, 2, 1, 1), np.uint8)), None, samples=10, seed=0)
    assert set(found) == {"nearest_distance", "no_extractor"}
    assert found["no_extractor"].startswith("data=plane has neither labels nor factors")
