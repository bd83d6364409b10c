"""Attributes, which an image has or has not: which code, category or sum of categories follows each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from infogan.codes.code import Code
from infogan.codes.latents import Latents
from infogan.datamodules.store import SPLITS, Split
from infogan.figures.tables import share_map
from infogan.metrics.attributes import REDUNDANT, auroc, best_sums, entropy_reduction, linear_probe
from infogan.metrics.attributes import total_auroc_difference as tad
from infogan.metrics.clustering import normalised_mutual_information
from infogan.scoring.real_images import EncodedImages

if TYPE_CHECKING:
    from PIL.Image import Image

    from infogan.datamodules.base import ImageDataModule


@dataclass(frozen=True)
class Readings:
    """What Q reads of one code, by split, and what each column is called: the probability of each category, (N, K),
    else the code's (N, D) values. `groups`: the likeliest category of each image, (N,), None for a code without."""

    code: str
    names: list[str]
    values: Mapping[Split, np.ndarray]
    groups: Mapping[Split, np.ndarray] | None


@dataclass(frozen=True)
class Told:
    """How well columns tell each attribute on the test split, all chosen on the training split: which `column` of which
    code, (A,); whether it tells the absence, (A,) bool; AUROC there and here, (A,)."""

    column: np.ndarray
    absent: np.ndarray
    fitted: np.ndarray
    scored: np.ndarray


def attribute_scores(
    latents: Latents,
    samples: Mapping[Split, EncodedImages],
    data: "ImageDataModule",
    pictures: dict[str, "Image"],
) -> dict[str, Any] | str:
    """Plain values for evaluation.json, and a picture: see `run_folder.evaluation.Attributes`.

    Attributes are the factors of 0 and 1 that vary in both splits. Whatever is chosen, a category, its sign, a sum, a
    code, is chosen on the training split, and scored on the test split.
    """
    train, test = samples["train"].factors, samples["test"].factors
    if train is None or test is None:
        return f"data={data.data_set} has no known factors"
    columns = [k for k in range(len(data.factor_names)) if all(_is_binary(part[:, k]) for part in (train, test))]
    if not columns:
        return f"data={data.data_set} has no attributes: no factor is 0 for some images and 1 for the others"
    names = [data.factor_names[k] for k in columns]
    has: dict[Split, np.ndarray] = {"train": train[:, columns] > 0, "test": test[:, columns] > 0}
    readings = [readings_of(code, latents, samples) for code in latents.codes]
    told = {found.code: _best_column(found, has) for found in readings}
    by_code = {code: dict(zip(names, best.scored.tolist(), strict=True)) for code, best in told.items()}
    rows = _by_attribute(readings, told, has, names)
    total, captured = tad(np.array([best.scored for best in told.values()]).clip(0.5), has["test"])
    picture = np.array([[*(by_code[code][name] for code in by_code), *_further(rows[name])] for name in names])
    order = np.argsort(-picture[:, -1], kind="stable")
    further = ["sum", "probe"] if "sum" in rows[names[0]] else ["probe"]
    pictures["attributes"] = share_map(
        picture[order], [names[k] for k in order], [*by_code, *further], f"{data.data_set}: AUROC in percent", 0.5
    )
    return {
        "images": {split: len(has[split]) for split in SPLITS},
        "tad": {
            "score": total,
            "captured": int(captured.sum()),
            "attributes": int((entropy_reduction(has["test"]) <= REDUNDANT).sum()),
        },
        **{
            f"mean_{score}": float(np.mean([row[score] for row in rows.values()]))
            for score in ("auroc", "sum_auroc", "probe")
            if score in rows[names[0]]
        },
        "by_attribute": rows,
        "by_reading": _by_reading(readings, has, names),
        "by_code": by_code,
    }


def _is_binary(values: np.ndarray) -> bool:
    return np.unique(values).tolist() == [0, 1]


def _further(row: Mapping[str, Any]) -> list[float]:
    return [row[score] for score in ("sum_auroc", "probe") if score in row]


def readings_of(code: Code, latents: Latents, samples: Mapping[Split, EncodedImages]) -> Readings:
    """What Q reads of a code from the images of both splits."""
    q: dict[Split, Tensor] = {split: latents.split_posterior(samples[split].q)[code.name] for split in SPLITS}
    means = {split: code.mean(part) for split, part in q.items()}
    groups: dict[Split, np.ndarray] = {}
    values: dict[Split, np.ndarray] = {}
    for split, part in q.items():
        found, group = code.probabilities(part), code.group(means[split])
        values[split] = (code.columns(means[split]) if found is None else found).numpy().astype(np.float64)
        if group is not None:
            groups[split] = group.numpy()
    width = values["train"].shape[1]
    if groups:
        return Readings(code.name, [f"{code.name}={k}" for k in range(width)], values, groups)
    return Readings(
        code.name, [code.name] if width == 1 else [f"{code.name}_{k + 1}" for k in range(width)], values, None
    )


def _best_column(found: Readings, has: Mapping[Split, np.ndarray]) -> Told:
    """The column that tells each attribute best, or its absence."""
    train, test = (auroc(found.values[split], has[split]) for split in SPLITS)
    column = np.abs(train - 0.5).argmax(axis=0)
    every = np.arange(train.shape[1])
    absent = train[column, every] < 0.5
    return Told(
        column, absent, *(np.where(absent, 1 - part, part) for part in (train[column, every], test[column, every]))
    )


def _by_attribute(
    readings: list[Readings], told: Mapping[str, Told], has: Mapping[Split, np.ndarray], names: list[str]
) -> dict[str, dict[str, Any]]:
    grouped = [found for found in readings if found.groups is not None]
    sums = {found.code: best_sums(found.values["train"], has["train"]) for found in grouped}
    areas: dict[Split, dict[str, np.ndarray]] = {
        split: {found.code: auroc(found.values[split] @ sums[found.code], has[split]).diagonal() for found in grouped}
        for split in SPLITS
    }
    probe = auroc(
        linear_probe(*(_together(readings, "train"), has["train"]), _together(readings, "test")), has["test"]
    ).diagonal()
    rows: dict[str, dict[str, Any]] = {}
    for a, name in enumerate(names):
        best = max(readings, key=lambda found: told[found.code].fitted[a])
        by_best = told[best.code]
        reading = best.names[by_best.column[a]]
        rows[name] = {
            "share": float(has["test"][:, a].mean()),
            "reading": f"not {reading}" if by_best.absent[a] else reading,
            "auroc": float(by_best.scored[a]),
        }
        if grouped:
            code = max(sums, key=lambda code: areas["train"][code][a])
            members = ",".join(str(k) for k in np.flatnonzero(sums[code][:, a]))
            rows[name] |= {"sum": f"{code}={members}", "sum_auroc": float(areas["test"][code][a])}
            rows[name] |= _nmi(grouped, has, a)
        rows[name]["probe"] = float(probe[a])
    return rows


def _together(readings: list[Readings], split: Split) -> np.ndarray:
    return np.concatenate([found.values[split] for found in readings], axis=1)


def _nmi(grouped: list[Readings], has: Mapping[Split, np.ndarray], a: int) -> dict[str, Any]:
    """The code whose groups share most with an attribute."""

    def shared(found: Readings, split: Split) -> float:
        assert found.groups is not None
        return normalised_mutual_information(found.groups[split], has[split][:, a])

    best = max(grouped, key=lambda found: shared(found, "train"))
    return {"nmi_code": best.code, "nmi": shared(best, "test")}


def _by_reading(
    readings: list[Readings], has: Mapping[Split, np.ndarray], names: list[str]
) -> dict[str, dict[str, Any]]:
    """The attribute that each column tells best, or its absence."""
    rows: dict[str, dict[str, Any]] = {}
    for found in readings:
        train, test = (auroc(found.values[split], has[split]) for split in SPLITS)
        for k, reading in enumerate(found.names):
            a = int(np.abs(train[k] - 0.5).argmax())
            absent = train[k, a] < 0.5
            rows[reading] = {
                "attribute": f"not {names[a]}" if absent else names[a],
                "auroc": float(1 - test[k, a] if absent else test[k, a]),
            }
            if found.groups is not None:
                rows[reading]["share"] = float(np.mean(found.groups["test"] == k))
    return rows
