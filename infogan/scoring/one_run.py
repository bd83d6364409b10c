"""All scores of one trained model: what it tells by itself, then what labels, factors and real images tell of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from infogan.codes.code import Code
from infogan.config.opening import MetricsConfig
from infogan.errors import InfoGANError
from infogan.figures.tables import number_table
from infogan.metrics.bootstrap import bootstrap_interval
from infogan.metrics.clustering import (
    accuracy,
    adjusted_rand_index,
    contingency,
    normalised_mutual_information,
    one_to_one_matching,
)
from infogan.metrics.consistency import category_agreement, usage_entropy, value_agreement
from infogan.metrics.groups import levels, varying
from infogan.networks.value_range import scaled
from infogan.objective.information import information_bound
from infogan.scoring.against_labels import factor_scores, groups
from infogan.trained.inference import encode, reread
from infogan.trained.model import Trained

if TYPE_CHECKING:
    from PIL.Image import Image

    from infogan.datamodules.base import ImageDataModule

BATCH_SIZE = 500
SPLITS: tuple[Literal["train"], Literal["test"]] = ("train", "test")


@dataclass(frozen=True)
class Sample:
    """Images of one split as Q reads them: (N, outputs); their labels (N,) and factors (N, F) where there are some."""

    q: Tensor
    labels: np.ndarray | None
    factors: np.ndarray | None


@dataclass
class Evaluation:
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
    tell: Callable[[str], None],
) -> Evaluation:
    """Every score that can be computed. `data` is None where its originals cannot be had, `why_no_data` then says why.
    `tell` hears which part is next. A part that fails for a reason that its user can mend leaves the others alone.
    """
    found = Evaluation()
    samples: dict[str, Sample] = {}

    def part(name: str, compute: Callable[[], Any], needs_data: bool = True) -> None:
        tell(name)
        start = time.monotonic()
        try:
            found.values[name] = why_no_data if needs_data and data is None else compute()
        except InfoGANError as error:
            found.values[name] = str(error)
        found.seconds[name] = time.monotonic() - start

    part("information", lambda: information(trained, metrics.latents, seed), needs_data=False)
    if data is not None:
        tell("reading the data set")
        samples = {split: read(trained, data, split, metrics.images, seed) for split in SPLITS}
    part("label_free", lambda: label_free(trained, samples.get("test"), metrics.latents, seed), needs_data=False)
    if data is not None:
        part("clustering", lambda: clustering(trained, data, samples, found.pictures))
        part("factors", lambda: factor_table(trained, data, samples["test"], found.pictures))
        part("disentanglement", lambda: disentanglement(trained, data, samples, metrics, seed))
        part("image_quality", lambda: quality(trained, data, metrics, seed, found.pictures))
    else:
        for name in ("clustering", "factors", "disentanglement", "image_quality"):
            part(name, lambda: None)
    return found


def information(trained: Trained, latents: int, seed: int) -> dict[str, Any]:
    """L_I of each code over fresh latents, in nats: in eval and in train mode with its bootstrap interval, for a fixed
    σ also with σ² = MSE, and H(c)."""
    of = trained.latents
    latent = of.sample(seed, "evaluation", 0, range(latents))
    networks = (trained.generator, trained.discriminator, latent, trained.config.data.batch_size)
    found: dict[str, Any] = {name: {"entropy": entropy} for name, entropy in of.entropies.items()}
    for mode in ("eval", "train"):
        q = reread(*networks, batch_statistics=mode == "train")
        for name, likelihood in of.log_likelihoods(latent, q).items():
            entropy = of.entropies[name]
            low, high = bootstrap_interval(likelihood.double().numpy(), seed)
            bound = information_bound(likelihood.double(), entropy).item()
            found[name][mode] = {"mean": bound, "low": low + entropy, "high": high + entropy}
        if mode == "eval":
            for code, value, parameter in _by_code(trained, latent, q):
                refitted = code.refitted_log_likelihood(value, parameter)
                if refitted is not None:
                    found[code.name]["at_mse"] = refitted.item() + of.entropies[code.name]
    return found


def label_free(trained: Trained, real: Sample | None, latents: int, seed: int) -> dict[str, Any]:
    """What one run tells of itself, without labels.

    consistency: does Q read the same from two images of one code with other noise, 0 to 1 for each code. usage: how
    evenly it uses a code's categories on real images, entropy in nats. score: the mean consistency times the mean of
    usage / H(c).
    """
    of = trained.latents
    codes, noise = (of.sample(seed, stream, 0, range(latents)) for stream in ("consistency", "other noise"))
    other = torch.cat([codes[:, : of.codes_width], noise[:, of.codes_width :]], dim=1)
    first, second = (reread(trained.generator, trained.discriminator, rows, BATCH_SIZE) for rows in (codes, other))
    consistency, usage = {}, {}
    for code in of.codes:
        if code.groups is not None:
            consistency[code.name] = category_agreement(groups(of, first, code), groups(of, second, code), code.groups)
            if real is not None:
                usage[code.name] = usage_entropy(groups(of, real.q, code), code.groups)
        else:
            a, b = (code.columns(of.split(of.posterior_mean(q))[code.name]).numpy() for q in (first, second))
            consistency[code.name] = float(np.mean([value_agreement(*pair) for pair in zip(a.T, b.T, strict=True)]))
    evenness = [usage[name] / of.entropies[name] for name in usage]
    score = float(np.mean(list(consistency.values())) * (np.mean(evenness) if evenness else 1.0))
    return {"score": score, "consistency": consistency, "usage": usage}


def read(trained: Trained, data: "ImageDataModule", split: Literal["train", "test"], most: int, seed: int) -> Sample:
    """At most `most` images of a split, drawn by `seed`, in the split's order."""
    images = data.split(split)
    rows = torch.arange(len(images.images))
    if len(rows) > most:
        rows = torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(rows))[:most]))

    def batches() -> Iterator[Tensor]:
        for part in rows.split(BATCH_SIZE):
            yield scaled(images.images[part], data.value_range)

    labels, factors = images.labels, images.factors
    return Sample(
        encode(trained.discriminator, batches()),
        None if labels is None else labels[rows].numpy(),
        None if factors is None else factors[rows].numpy(),
    )


def clustering(
    trained: Trained, data: "ImageDataModule", samples: Mapping[str, Sample], pictures: dict[str, "Image"]
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
            table = contingency(clusters["train"], train.labels, data.classes, data.classes)
            matching = one_to_one_matching(table)
            confusion = contingency(matching[clusters["test"]], test.labels, data.classes, data.classes)
            shares = confusion / np.maximum(confusion.sum(axis=0), 1)
            scores["acc"] = accuracy(clusters["test"], test.labels, matching)
            scores["error_by_class"] = dict(zip(data.class_names, (1 - shares.diagonal()).tolist(), strict=True))
            scores["matching"] = {str(k): data.class_names[label] for k, label in enumerate(matching)}
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
    trained: Trained, data: "ImageDataModule", test: Sample, pictures: dict[str, "Image"]
) -> dict[str, Any] | str:
    """Which code follows which factor, on the test split; see `readings.factor_scores`. With a picture."""
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
    trained: Trained, data: "ImageDataModule", samples: Mapping[str, Sample], metrics: MetricsConfig, seed: int
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
    from infogan.scoring.extractor import extractor_of, inception
    from infogan.scoring.image_quality import image_quality, neighbours_picture

    pictures["neighbours"] = neighbours_picture(trained, data)
    weights = metrics.inception_weights
    extractor = extractor_of(data) if weights is None else inception(weights)
    if extractor is not None:
        extractor.to(next(trained.generator.parameters()).device)
    return image_quality(trained, data, extractor, metrics.samples, seed)


def _against_labels(clusters: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {"nmi": normalised_mutual_information(clusters, labels), "ari": adjusted_rand_index(clusters, labels)}


def _by_code(trained: Trained, latent: Tensor, q: Tensor) -> Iterator[tuple[Code, Tensor, Tensor]]:
    values, parameters = trained.latents.split(latent), trained.latents.split_posterior(q)
    return ((code, values[code.name], parameters[code.name]) for code in trained.latents.codes)
