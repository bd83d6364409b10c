"""Features of images for the scores of image quality: those of Inception, or of a classifier trained here."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan.errors import ConfigError, DataError, RunError
from infogan.metrics.attributes import auroc
from infogan.metrics.groups import class_bounds
from infogan.run_folder.trees import load_tree, save_tree

if TYPE_CHECKING:
    from infogan.datamodules.base import ImageDataModule
    from infogan.datamodules.store import LabelledImages

SEED, BATCH_SIZE, ITERATIONS, LEARNING_RATE = 0, 128, 1000, 2e-3
FEATURES = 128
TESTED = 10_000
"""Images of the test split that accuracy is measured on, at most."""

FORMAT = 2
"""Of the stored classifiers: those of another are trained again."""


@contextmanager
def own_random_numbers(seed: int) -> Iterator[None]:
    """PyTorch's own generator on the CPU starts at `seed`, and is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class Extractor(nn.Module, ABC):
    """Images → features. `name` says whose features they are; a score bears it. `num_features`: how many."""

    name: str
    num_features: int

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1], of the type of the weights → (N, num_features), differentiable."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 → (N, num_features)."""
        return self.features(images.to(next(self.parameters()).dtype) / 255)


class Classifier(Extractor):
    """A small convolutional network with one linear head for each thing that it names, `classes` by name.

    A head of two classes tells an attribute, any number of which an image may have. `accuracy` by the same names: the
    share of the test split that it names rightly. `areas`: of the heads of two classes, the area under the ROC curve,
    since always saying no is right about 98 of 100 images where 2 have the attribute.
    """

    num_features = FEATURES

    def __init__(self, image_shape: tuple[int, int, int], classes: Mapping[str, int]) -> None:
        super().__init__()
        channels, height, width = image_shape
        layers: list[nn.Module] = []
        out = 32
        while max(height, width) > 2:
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels, height, width, out = out, -(-height // 2), -(-width // 2), min(2 * out, 128)
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, FEATURES), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for count in classes.values())
        self.accuracy = dict.fromkeys(classes, 0.0)
        self.areas: dict[str, float] = {}
        self.name = ""

    def features(self, images: Tensor) -> Tensor:
        return self.body(images)

    def classify(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) uint8 → the logits of each head, (N, classes)."""
        features = self(images)
        return [head(features) for head in self.heads]


class Inception(Extractor):
    """Inception-v3 as FID takes it: its last pooled features, of images enlarged to 299×299 as TensorFlow 1 did."""

    name = "Inception-v3"
    num_features = 2048
    LAYERS = (
        *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1", "Conv2d_3b_1x1", "Conv2d_4a_3x3"),
        *("MaxPool_2", "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
        *("Mixed_7a", "Mixed_7b", "Mixed_7c", "AvgPool"),
    )

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*(network.get_submodule(name) for name in self.LAYERS), nn.Flatten())

    def features(self, images: Tensor) -> Tensor:
        from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as enlarged

        images = images.expand(-1, 3, -1, -1)  # gray is repeated
        return self.body((enlarged(images * 255, size=(299, 299), align_corners=False) - 128) / 128)


def inception(weights: str) -> Inception:
    """Inception-v3 with the weights of a file, or of torch-fidelity's with `download`.

    Raises ConfigError where torch-fidelity is not installed, or the weights are not there, are not Inception's or
    cannot be downloaded.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
        from torchmetrics.image.fid import NoTrainInceptionV3
    except ModuleNotFoundError:
        raise ConfigError(
            "metrics.inception_weights needs torch-fidelity: pip install 'infogan-lab[quality]'"
        ) from None

    path = _downloaded(URL_INCEPTION_V3) if weights == "download" else Path(weights).expanduser()
    if not path.is_file():
        raise ConfigError(f"metrics.inception_weights={weights}: there is no such file")
    try:
        torch.load(path, weights_only=True)  # torch-fidelity would run what a pickle says: tensors alone may pass
        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(path))
    except Exception as error:  # the readers of PyTorch's formats agree on no class
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"metrics.inception_weights: {path} does not hold Inception's weights: {reason}") from None
    return Inception(network).eval().requires_grad_(False)


def _downloaded(url: str) -> Path:
    from infogan.datamodules.sources.download import download

    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        try:
            download(url, path)
        except DataError as error:
            raise ConfigError(f"metrics.inception_weights=download: {error}; or name a file") from None
    return path


def extractor_of(data: "ImageDataModule") -> Classifier | None:
    """The classifier of this data set's labels, or where it has none of its known factors; None without either.

    It is trained once and kept with the image stores: a function of the images and what is known of them.
    """
    known = targets(data.split("train"), data.split("test"), data.factor_names)
    if not known["train"]:
        return None
    classes = {name: int(column.max()) + 1 for name, column in known["train"].items()}
    path = data.stores / "extractors" / f"{data.data_set}_{data.store_folder.name}.safetensors"
    made_from = {"format": FORMAT, "splits": data.store.manifest["splits"]}
    with own_random_numbers(SEED):
        classifier = Classifier(data.image_shape, classes).to(memory_format=torch.channels_last)
    if not _restored(classifier, path, made_from):
        print(f"data={data.data_set}: training the feature extractor {path}")
        train(classifier, data.split("train").images, known["train"])
        classifier.accuracy, classifier.areas = tested(classifier, data.split("test").images, known["test"])
        measured = {"accuracy": classifier.accuracy, "areas": classifier.areas}
        save_tree(path, {"made_from": made_from, **measured, "state_dict": classifier.state_dict()})
    classifier.name = f"{data.data_set} classifier ({_quality(classifier)} on the test split)"
    return classifier.eval().requires_grad_(False)


def _quality(classifier: Classifier) -> str:
    """What it was trained on, and how well it learned that, in words."""
    names, several = list(classifier.accuracy), "s" * (len(classifier.accuracy) > 1)
    if names != ["labels"] and classifier.areas.keys() == {*names}:
        return f"{len(names)} attribute{several}, AUROC {np.mean(list(classifier.areas.values())):.3f}"
    what = "labels" if names == ["labels"] else f"{len(names)} factor{several}"
    return f"{what}, {100 * np.mean(list(classifier.accuracy.values())):.1f} %"


def targets(
    train: "LabelledImages", test: "LabelledImages", factor_names: tuple[str, ...]
) -> dict[str, dict[str, Tensor]]:
    """What a classifier can learn of both splits, by split and name: (N,) integers from 0.

    The labels; where there are none every factor that varies, those of many values in bins. Where the training split
    has neither it is empty.
    """
    known: dict[str, dict[str, Tensor]] = {"train": {}, "test": {}}
    if train.labels is not None and test.labels is not None:
        known["train"]["labels"], known["test"]["labels"] = train.labels, test.labels
    elif train.factors is not None and test.factors is not None:
        for f, name in enumerate(factor_names):
            bounds = class_bounds(train.factors[:, f].numpy())
            if len(bounds):
                for split, factors in (("train", train.factors), ("test", test.factors)):
                    known[split][name] = torch.from_numpy(np.searchsorted(bounds, factors[:, f], side="right"))
    return known


def train(classifier: Classifier, images: Tensor, known: Mapping[str, Tensor]) -> None:
    """Fits all heads to (N, C, H, W) uint8 images, cross-entropies summed, with a learning rate that falls to 0."""
    from infogan.datamodules.base import BatchStream

    optimizer = torch.optim.Adam(classifier.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, ITERATIONS)
    rows = BatchStream(torch.arange(len(images)), min(BATCH_SIZE, len(images)), SEED)
    classifier.train()
    for iteration in range(ITERATIONS):
        batch = rows.at(iteration)
        logits = classifier.classify(images.index_select(0, batch).to(memory_format=torch.channels_last))
        answers = [column[batch] for column in known.values()]
        loss = torch.stack([F.cross_entropy(*pair) for pair in zip(logits, answers, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    classifier.eval()


@torch.no_grad()
def tested(
    classifier: Classifier, images: Tensor, known: Mapping[str, Tensor]
) -> tuple[dict[str, float], dict[str, float]]:
    """The share of images that each head names rightly, by name, and the AUROC of those of two classes that both are
    among the images."""
    from infogan.datamodules.base import epoch_order

    rows = torch.from_numpy(epoch_order(SEED, 0, len(images))[:TESTED])
    batches = [classifier.classify(images[part]) for part in rows.split(500)]
    accuracy, areas = {}, {}
    for (name, column), *parts in zip(known.items(), *batches, strict=True):
        logits, answers = torch.cat(parts), column[rows]
        accuracy[name] = (logits.argmax(dim=1) == answers).double().mean().item()
        if logits.shape[1] == 2 and 0 < answers.sum() < len(answers):
            odds = (logits[:, 1] - logits[:, 0]).unsqueeze(1).numpy()
            areas[name] = auroc(odds, answers.unsqueeze(1).numpy()).item()
    return accuracy, areas


def _restored(classifier: Classifier, path: Path, made_from: Mapping[str, Any]) -> bool:
    """Fills the classifier from its file; False where there is none, or it was made from other images."""
    with suppress(RunError):  # what is missing or damaged is made again
        tree = load_tree(path)
        if tree.get("made_from") == made_from:
            classifier.load_state_dict(tree["state_dict"])
            classifier.accuracy, classifier.areas = tree["accuracy"], tree["areas"]
            return True
    return False
