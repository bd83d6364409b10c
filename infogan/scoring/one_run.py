"""All scores of one trained model: what it shows by itself, then what labels, factors and real images say of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from infogan.config.opening import MetricsConfig
from infogan.datamodules.store import SPLITS, Split
from infogan.errors import InfoGANError
from infogan.figures.tables import number_table
from infogan.metrics.clustering import (
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
)
from infogan.metrics.groups import levels, varying
from infogan.scoring.against_labels import cluster_scores, factor_scores, groups
from infogan.scoring.attributes import attribute_scores
from infogan.scoring.label_free import information, label_free, real_information
from infogan.scoring.real_images import BATCH_SIZE, EncodedImages, encode_split
from infogan.trained.inference import encode
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from PIL.Image import Image

    from infogan.datamodules.base import ImageDataModule
    from infogan.scoring.extractor import Extractor


@dataclass
class Scored:
    """`values`: plain, for evaluation.json; a part that could not be computed holds the reason, as text. `pictures` by
    name. `seconds` of each part."""

    values: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, "Image"] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def evaluate(
    trained: Trained,
    data: "ImageDataModule | None",
    why_no_data: str,
    metrics: MetricsConfig,
    seed: int,
    notify: Callable[[str], None],
) -> Scored:
    """Every score that can be computed. `data` is None where its originals cannot be had, `why_no_data` then says why.
    `notify` hears which part is next. A part that fails for a reason that its user can mend leaves the others alone.
    """
    found = Scored()
    samples: dict[Split, EncodedImages] = {}

    def part(name: str, compute: Callable[[], Any], needs_data: bool = True) -> None:
        notify(name)
        start = time.monotonic()
        try:
            found.values[name] = why_no_data if needs_data and data is None else compute()
        except InfoGANError as error:
            found.values[name] = str(error)
        found.seconds[name] = time.monotonic() - start

    part("information", lambda: information(trained, metrics.latents, seed), needs_data=False)
    if data is not None:
        notify("reading the data set")
        samples = {split: encode_split(trained, data, split, metrics.images, seed) for split in SPLITS}
    part("label_free", lambda: own_scores(trained, data, samples.get("test"), metrics.latents, seed), needs_data=False)
    if data is not None:
        part("clustering", lambda: clustering(trained, data, samples, found.pictures))
        part("factors", lambda: factor_table(trained, data, samples["test"], found.pictures))
        part("attributes", lambda: attribute_scores(trained.latents, samples, data, found.pictures))
        part("disentanglement", lambda: disentanglement(trained, data, samples, metrics, seed))
        part("image_quality", lambda: quality(trained, data, metrics, seed, found.pictures))
        part("diversity", lambda: effect_of_noise(trained, data, metrics, seed))
    else:
        for name in ("clustering", "factors", "attributes", "disentanglement", "image_quality", "diversity"):
            part(name, lambda: None)
    return found


def own_scores(
    trained: Trained, data: "ImageDataModule | None", test: EncodedImages | None, count: int, seed: int
) -> dict[str, Any]:
    """`label_free`, and with a data set `real_information`."""
    found = label_free(trained, test, count, seed)
    return found if data is None else found | {"real_information": real_information(trained, data, seed)}


def clustering(
    trained: Trained, data: "ImageDataModule", samples: Mapping[Split, EncodedImages], pictures: dict[str, "Image"]
) -> dict[str, Any] | str:
    """Each categorical code against the labels of the test split: NMI and ARI; several codes also all together.

    Where it has as many categories as there are classes: ACC, each class's error and the confusion, as a picture too,
    after a matching fitted on the training split.
    """
    codes = [code for code in trained.latents.codes if code.groups is not None]
    scored = trained.latents.code_for_classes(data.classes)
    train, test = samples["train"], samples["test"]
    if not codes:
        return "the model has no code that sorts images into groups"
    if train.labels is None or test.labels is None:
        return f"data={data.data_set} has no labels"
    found: dict[str, Any] = {}
    together = np.zeros(len(test.labels), np.int64)
    for code in codes:
        clusters = {split: groups(trained.latents, samples[split].q, code) for split in SPLITS}
        together = together * (code.groups or 1) + clusters["test"]
        scores: dict[str, Any] = _against_labels(clusters["test"], test.labels)
        if code == scored:
            labels: dict[Split, np.ndarray] = {"train": train.labels, "test": test.labels}
            as_classifier = cluster_scores(clusters, labels, data.classes)
            matching = np.array(as_classifier.matching)
            confusion = contingency(matching[clusters["test"]], test.labels, data.classes, data.classes)
            shares = confusion / np.maximum(confusion.sum(axis=0), 1)
            scores["acc"] = as_classifier.acc
            scores["error_by_class"] = dict(zip(data.class_names, (1 - shares.diagonal()).tolist(), strict=True))
            scores["matching"] = {str(k): data.class_names[label] for k, label in enumerate(as_classifier.matching)}
            scores["confusion"] = confusion.tolist()
            pictures[f"confusion_{code.name}"] = number_table(
                100 * shares.T,
                data.class_names,
                data.class_names,
                f"{data.data_set}: {code.name} as a classifier, ACC {scores['acc']:.3f} (percent of each class)",
                "true class",
                "class of the category",
                digits=1,
                largest=100,
            )
        found[code.name] = scores
    if len(codes) > 1:
        found["all"] = _against_labels(together, test.labels)
    return found


def factor_table(
    trained: Trained, data: "ImageDataModule", test: EncodedImages, pictures: dict[str, "Image"]
) -> dict[str, Any] | str:
    """Which code follows which factor, on the test split; see `factor_scores`. With a picture."""
    if test.factors is None:
        return f"data={data.data_set} has no known factors"
    q = encode(trained.discriminator, data.batches("test", BATCH_SIZE))
    found = factor_scores(trained.latents, q, data)
    for score, title in (("spearman", "|Spearman|"), ("nmi", "NMI")):
        by_code = found.get(score, {})
        if by_code:
            names = list(dict.fromkeys(name for row in by_code.values() for name in row))
            table = np.array([[row.get(name, np.nan) for name in names] for row in by_code.values()])
            pictures[f"codes_by_factors_{score}"] = number_table(
                table,
                list(by_code),
                names,
                f"{data.data_set}: {title} of codes and factors",
                "code",
                "factor",
                largest=1,
            )
    return found


def disentanglement(
    trained: Trained, data: "ImageDataModule", samples: Mapping[Split, EncodedImages], metrics: MetricsConfig, seed: int
) -> dict[str, Any] | str:
    """The scores of `metrics.disentanglement` over `metrics.draws` draws, on both splits: training saw no factor."""
    from infogan.metrics.disentanglement import dlib_scores, infogan_cr_scores, over_draws

    known = [sample.factors for sample in samples.values() if sample.factors is not None]
    if not known:
        return f"data={data.data_set} has no known factors"
    factors = levels(np.concatenate(known))
    chosen = varying(factors)
    if len(chosen) < 2:
        return f"data={data.data_set}: fewer than two factors vary"
    factors = factors[:, chosen]
    names = [data.factor_names[f] for f in chosen]
    ordered = [name not in data.unordered for name in names]
    q = torch.cat([sample.q for sample in samples.values()])
    means = trained.latents.split(trained.latents.posterior_mean(q))
    full = np.concatenate([means[code.name].numpy() for code in trained.latents.codes], axis=1).astype(np.float64)
    single = np.column_stack([code.columns(means[code.name]).numpy() for code in trained.latents.codes])
    seeds = range(seed, seed + metrics.draws)
    jobs = torch.get_num_threads()
    return {
        "factors": names,
        "images": len(full),
        "draws": metrics.draws,
        "dlib": over_draws(lambda s: dlib_scores(full, single, factors, s, jobs), seeds),
        "infogan_cr": over_draws(lambda s: infogan_cr_scores(full, single, factors, ordered, s), seeds),
    }


def quality(
    trained: Trained, data: "ImageDataModule", metrics: MetricsConfig, seed: int, pictures: dict[str, "Image"]
) -> dict[str, Any]:
    """See `image_quality`: with Inception where its weights are named, else with an extractor trained on this data."""
    from infogan.scoring.image_quality import image_quality, neighbours_picture

    pictures["neighbours"] = neighbours_picture(trained, data)
    return image_quality(trained, data, extractor_for(trained, data, metrics), metrics.samples, seed)


def effect_of_noise(
    trained: Trained, data: "ImageDataModule", metrics: MetricsConfig, seed: int
) -> dict[str, Any] | str:
    """See `diversity`, with the extractor of `quality`."""
    from infogan.scoring.diversity import diversity

    return diversity(trained, data, extractor_for(trained, data, metrics), seed)


def extractor_for(trained: Trained, data: "ImageDataModule", metrics: MetricsConfig) -> "Extractor | None":
    """On the model's device; None where there is nothing to train one on."""
    from infogan.scoring.extractor import extractor_of, inception

    weights = metrics.inception_weights
    extractor = extractor_of(data) if weights is None else inception(weights)
    return None if extractor is None else extractor.to(next(trained.generator.parameters()).device)


def _against_labels(clusters: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {"nmi": normalised_mutual_information(clusters, labels), "ari": adjusted_rand_index(clusters, labels)}
