"""A plain classifier that has seen generated images alone, tested on real ones.

    python -m infogan.generate run=<run> count=1000 to=generated
    python examples/classifier.py generated data=digits

The folder is `infogan.generate`'s: <class>/000000.png, where the run has matched its categories to classes. Beside it
stands the same classifier, trained on as many real images with their labels. Further overrides are those of
`infogan.train`, such as paths.data=<folder>, or trainer.threads=1 beside other work.
"""

import sys

import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Grayscale, ToTensor

from infogan.arguments import in_hydras_grammar
from infogan.config.check import check
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import SPLITS
from infogan.errors import ConfigError, ends_as_one_line
from infogan.experiments.build import build_data
from infogan.experiments.machine import threads
from infogan.trained.image_sets import folder_name

SEEDS, STEPS, BATCH_SIZE, LEARNING_RATE = (0, 1, 2), 1000, 64, 1e-3


def main() -> None:
    folder, *overrides = sys.argv[1:] or ["--help"]
    if folder in ("-h", "--help"):
        sys.exit(__doc__)
    with ends_as_one_line():
        with initialize_config_module("infogan.conf", version_base="1.3"):
            values = compose("train", in_hydras_grammar(overrides))
        config = check(OmegaConf.to_container(values, resolve=True))
        with threads(config.trainer.threads):
            compare(folder, build_data(config))


def compare(folder: str, data: ImageDataModule) -> None:
    """Trains and tests the classifiers, and prints their accuracies."""
    labels = {split: data.labels(split) for split in SPLITS}
    images = {split: data.split(split).images / 255 for split in SPLITS}
    generated, classes = read(folder, [folder_name(name) for name in data.class_names], data.image_shape[0])
    scores = {"generated": [], "real": []}
    for seed in SEEDS:
        torch.manual_seed(seed)
        chosen = torch.randperm(len(images["train"]))[: len(generated)]
        real = images["train"][chosen], labels["train"][chosen]
        for name, seen in (("generated", (generated, classes)), ("real", real)):
            scores[name].append(tested(trained(*seen, data.classes), images["test"], labels["test"]))
    counts = {"generated": len(generated), "real": len(chosen)}
    print(f"accuracy on the {len(images['test']):,} real test images of {data.data_set}, classifier seeds {SEEDS}:")
    for name, values in scores.items():
        each = ", ".join(f"{value:.3f}" for value in values)
        print(f"trained on {counts[name]:,} {name} images: {sum(values) / len(values):.3f} ({each})")


def read(folder: str, names: list[str], channels: int) -> tuple[Tensor, Tensor]:
    """The images of all sub-folders, (N, C, H, W) in [0, 1], and their labels, (N,). Raises ConfigError for a folder
    that is none, or where a sub-folder has not the name of a class."""
    try:
        pictures = ImageFolder(folder, Compose([Grayscale(), ToTensor()] if channels == 1 else [ToTensor()]))
    except FileNotFoundError as error:
        raise ConfigError(f"{folder} is not a folder of images by class: {error}") from None
    if unknown := set(pictures.classes) - set(names):
        raise ConfigError(f"{folder} has sub-folders that are no class of the data set: {', '.join(sorted(unknown))}")
    labels = [names.index(pictures.classes[k]) for k in pictures.targets]
    return torch.stack([image for image, _ in pictures]), torch.tensor(labels)


def trained(images: Tensor, labels: Tensor, classes: int) -> nn.Module:
    """A small convolutional network, fitted to the images by Adam with a learning rate that falls to 0."""
    network = nn.Sequential(
        *(nn.LazyConv2d(32, 3, padding=1), nn.ReLU(), nn.LazyConv2d(64, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Dropout(0.25), nn.LazyLinear(128), nn.ReLU(), nn.Dropout(0.5), nn.LazyLinear(classes)),
    )
    network(images[:1])  # the lazy layers take their sizes from it
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(images), (BATCH_SIZE,))
        optimizer.zero_grad()
        F.cross_entropy(network(images[batch]), labels[batch]).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def tested(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images that it names rightly."""
    found = torch.cat([network(part).argmax(dim=1) for part in images.split(500)])
    return (found == labels).double().mean().item()


if __name__ == "__main__":
    main()
