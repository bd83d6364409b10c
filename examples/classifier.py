"""A plain classifier that has seen generated images alone, tested on real ones.

    python -m infogan.generate run=<run> count=1000 to=generated
    python examples/classifier.py generated data=digits

The folder is `infogan.generate`'s: <class>/000000.png, where the run has matched its categories to classes, and the
other codes and the noise are drawn as in training. Beside it stands the same classifier, trained on as many real images
with their labels. Both see the images as the model's consistency does, turned and shifted by what leaves a class the
same; with model=paper_<data> as they are. Further overrides are those of `infogan.train`, such as paths.data=<folder>,
or trainer.threads=1 beside other work.
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
from infogan.config.regularisers import ConsistencySection, Transforms
from infogan.datamodules.base import ImageDataModule
from infogan.datamodules.store import SPLITS
from infogan.errors import ConfigError, ends_as_one_line
from infogan.experiments.build import build_data
from infogan.experiments.machine import threads
from infogan.objective.transforms import numbers, transformed
from infogan.trained.image_sets import folder_name

SEEDS, STEPS, BATCH_SIZE, LEARNING_RATE = (0, 1, 2), 1000, 64, 2e-3


def main() -> None:
    folder, *overrides = sys.argv[1:] or ["--help"]
    if folder in ("-h", "--help"):
        sys.exit(__doc__)
    with ends_as_one_line():
        with initialize_config_module("infogan.conf", version_base="1.3"):
            values = compose("train", in_hydras_grammar(overrides))
        config = check(OmegaConf.to_container(values, resolve=True))
        with threads(config.trainer.threads):
            sections = [s for s in config.model.regularisers.values() if isinstance(s, ConsistencySection)]
            compare(folder, build_data(config), sections[0].transforms if sections else Transforms())


def compare(folder: str, data: ImageDataModule, transforms: Transforms) -> None:
    """Trains and tests the classifiers, and prints their accuracies in one line."""
    labels = {split: data.labels(split) for split in SPLITS}
    images = {split: data.split(split).images / 255 for split in SPLITS}
    generated, classes = read(folder, [folder_name(name) for name in data.class_names], data.image_shape[0])
    scores = {"generated": [], "real": []}
    for seed in SEEDS:
        torch.manual_seed(seed)
        chosen = torch.randperm(len(images["train"]))[: len(generated)]
        real = images["train"][chosen], labels["train"][chosen]
        for name, seen in (("generated", (generated, classes)), ("real", real)):
            scores[name].append(tested(trained(*seen, data.classes, transforms), images["test"], labels["test"]))
    counts = {"generated": len(generated), "real": len(chosen)}
    found = [f"{sum(values) / len(values):.3f} ({', '.join(f'{value:.3f}' for value in values)}) trained on "
             f"{counts[name]:,} {name} ones" for name, values in scores.items()]  # fmt: skip
    print(f"accuracy on {len(images['test']):,} real test images of {data.data_set}: {'; '.join(found)}")


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


def trained(images: Tensor, labels: Tensor, classes: int, transforms: Transforms) -> nn.Module:
    """A small convolutional network, fitted to transforms of the images by Adam, whose learning rate falls to 0."""
    layers: list[nn.Module] = []
    for width, size, stride in ((16, 5, 2), (32, 3, 2), (64, 3, 1)):
        layers += [nn.LazyConv2d(width, size, stride, size // 2), nn.LazyBatchNorm2d(), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), nn.LazyLinear(classes))
    network(images[:2])  # the lazy layers take their sizes from them
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(images), (BATCH_SIZE,))
        optimizer.zero_grad()
        views = transformed(images[batch], torch.rand(BATCH_SIZE, numbers(transforms)), transforms, (0.0, 1.0))
        F.cross_entropy(network(views), labels[batch]).backward()
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
