"""Generated images against real ones: distances of their features, precision and recall, path lengths, neighbours."""

import copy
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from infogan.datamodules.store import Split
from infogan.figures.grids import labelled_grid
from infogan.metrics.neighbours import nearest
from infogan.metrics.path_length import path_length, trimmed_mean
from infogan.metrics.precision_recall import precision_recall
from infogan.scoring.extractor import Extractor, Inception, own_random_numbers
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from PIL.Image import Image

    from infogan.datamodules.base import ImageDataModule

SMALLEST_REFERENCE = 2000
"""Images that the test split must have to stand for the data set."""

MANIFOLD = 5000
"""Images of each kind that precision and recall compare, at most; as many of either, since both depend on it."""

PAIRS = 1000
"""Of latents, for each path length."""

COMPARED = 500
"""Images of each kind whose nearest training image is looked for."""

SUBSETS, SUBSET_SIZE = 100, 1000
BATCH_SIZE = 250


def image_quality(
    trained: Trained, data: "ImageDataModule", extractor: Extractor | None, samples: int, seed: int
) -> dict[str, Any]:
    """Plain values for evaluation.json. Without an extractor only what needs none, and why.

    reference: the split that generated images are compared with, the test split unless it is small. Of Inception's
    features the distances are named fid and kid, of another's frechet_distance and kernel_distance.
    """
    found: dict[str, Any] = {"nearest_distance": nearest_distance(trained, data, seed)}
    if extractor is None:
        reason = f"data={data.data_set} has neither labels nor factors to train a feature extractor on"
        return found | {"no_extractor": f"{reason}; metrics.inception_weights=<file> or download names Inception's"}
    split: Split = "test" if data.store.count("test") >= SMALLEST_REFERENCE else "train"
    real = features(extractor, data.split(split).images.split(BATCH_SIZE))
    fake = features(extractor, generated(trained, samples, seed))
    fid, kid = ("fid", "kid") if isinstance(extractor, Inception) else ("frechet_distance", "kernel_distance")
    random, size = np.random.default_rng(seed), min(MANIFOLD, len(real), len(fake))
    some_real, some_fake = (part.numpy()[random.permutation(len(part))[:size]] for part in (real, fake))
    precision, recall = precision_recall(some_real, some_fake)
    return found | {
        "extractor": extractor.name,
        "reference": {"split": split, "images": len(real)},
        "samples": samples,
        fid: frechet_distance(real, fake),
        kid: kernel_distance(real, fake, seed),
        "precision": precision,
        "recall": recall,
        "precision_recall_images": size,
        "path_length": path_lengths(trained, extractor, seed),
    }


@torch.no_grad()
def features(extractor: Extractor, batches: Iterable[Tensor]) -> Tensor:
    """Batches of (n, C, H, W) uint8 images → (N, D) float64 features of all of them, on the CPU."""
    device = next(extractor.parameters()).device
    return torch.cat([extractor(batch.to(device)).double().cpu() for batch in batches])


def generated(trained: Trained, samples: int, seed: int) -> Iterator[Tensor]:
    """`samples` generated images in batches of (n, C, H, W) uint8, a function of the seed."""
    for latent in trained.latents.sample(seed, "image quality", 0, range(samples)).split(BATCH_SIZE):
        yield torch.from_numpy(trained.images(latent)).permute(0, 3, 1, 2)


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Between Gaussians with the means and covariances of (N, D) and (M, D) float64 features; ≥ 0 up to rounding."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_given(real.shape[1]))
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute().item()


def kernel_distance(real: Tensor, fake: Tensor, seed: int) -> dict[str, float]:
    """The unbiased squared MMD of (N, D) and (M, D) features under KID's cubic kernel: mean and deviation over
    subsets drawn by `seed`.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all")
        size = min(SUBSET_SIZE, len(real), len(fake))
        metric = KernelInceptionDistance(feature=_given(real.shape[1]), subsets=SUBSETS, subset_size=size)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    with own_random_numbers(seed):
        mean, deviation = metric.compute()
    return {"mean": mean.item(), "std": deviation.item()}


def _given(num_features: int) -> nn.Module:
    """For torchmetrics: an extractor of features that are extracted already, once for all scores."""
    module = nn.Identity()
    module.num_features = num_features  # type: ignore[assignment]
    return module


@torch.no_grad()
def path_lengths(trained: Trained, extractor: Extractor, seed: int) -> dict[str, float]:
    """The perceptual path length of each code, all else in the latent being shared, and of the whole latent (`all`).

    In units of squared distances of the extractor's features, for the step from one value to another drawn alike.
    """
    generator, extractor = copy.deepcopy(trained.generator).double(), copy.deepcopy(extractor).double()
    device = next(generator.parameters()).device
    low, high = trained.value_range

    def features_of(latent: Tensor) -> Tensor:
        return extractor.features((generator(latent.to(device)) - low) / (high - low)).cpu()

    def squared(a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().sum(dim=1)

    starts, others = (trained.latents.sample(seed, stream, 0, range(PAIRS)) for stream in ("path starts", "path ends"))
    t = torch.from_numpy(np.random.default_rng(seed).random(PAIRS))
    ends = {name: trained.latents.replaced(starts, name, code) for name, code in trained.latents.split(others).items()}
    found = {}
    for name, end in {"all": others, **ends}.items():
        parts = zip(starts.split(BATCH_SIZE), end.split(BATCH_SIZE), t.split(BATCH_SIZE), strict=True)
        lengths = [path_length(features_of, a, b, share, squared) for a, b, share in parts]
        found[name] = trimmed_mean(torch.cat(lengths))
    return found


def nearest_distance(trained: Trained, data: "ImageDataModule", seed: int) -> dict[str, float]:
    """The mean distance to the nearest training image, RMS of pixels in [0, 1], of generated and of test images.

    Generated images that are much nearer than test images have been learned by heart.
    """
    test = data.split("test").images
    rows = np.random.default_rng(seed).permutation(len(test))[:COMPARED]
    kinds = {"generated": torch.cat(list(generated(trained, COMPARED, seed))), "test": test[torch.from_numpy(rows)]}
    train = data.split("train").images.numpy()
    return {kind: float(nearest(images.numpy(), train, 1)[1].mean()) for kind, images in kinds.items()}


def neighbours_picture(trained: Trained, data: "ImageDataModule", count: int = 10, nearest_count: int = 8) -> "Image":
    """A row for each of `count` generated images: the image, then the training images nearest to it.

    The rows are labelled with the distances of the first and the last of these: RMS of pixels in [0, 1].
    """
    samples = trained.images(trained.latents.sample(0, "neighbours", 0, range(count)))
    train = data.split("train").images
    indices, distances = nearest(samples.transpose(0, 3, 1, 2), train.numpy(), nearest_count)
    neighbours = train[torch.from_numpy(indices)].permute(0, 1, 3, 4, 2).numpy()
    return labelled_grid(
        np.concatenate([samples[:, None], neighbours], axis=1),
        f"{data.data_set}: generated images and the nearest of {len(train):,} training images",
        ["generated", *(str(k + 1) for k in range(nearest_count))],
        [f"{row[0]:.3f} … {row[-1]:.3f}" for row in distances],
        f"before each row: the RMS difference of pixels in [0, 1] to the first and to number {nearest_count}",
    )
