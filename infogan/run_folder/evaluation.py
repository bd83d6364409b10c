"""evaluation.json: all scores of a model, which `infogan.evaluate` leaves in the folder of its run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from infogan.config.fields import Section
from infogan.run_folder.contents import read_section
from infogan.run_folder.files import write_json
from infogan.run_folder.summary import Factors

EVALUATION = "evaluation.json"
"""In the folder of a run that was evaluated."""

Rows = dict[str, tuple[float, float | None, float | None]]
"""Scores by their path, as (value, low, high)."""

Table = tuple[Sequence[str], Sequence[tuple[str | float | None, ...]]]
"""Names of columns, and lines; None where there is nothing."""

T = TypeVar("T")

Part = Annotated[
    Annotated[T, Tag("<part>")] | Annotated[str, Tag("<reason>")],
    Discriminator(lambda value: "<reason>" if isinstance(value, str) else "<part>"),
]
"""A part of the evaluation, or why it could not be computed."""


class _Scores(Section, extra="allow", allow_inf_nan=False):
    """What later versions add is kept."""


class Mean(_Scores):
    """A mean, and the ends of its interval where there are some."""

    mean: float
    low: float | None = None
    high: float | None = None


class CodeInformation(_Scores):
    """L_I of a code over fresh latents, in eval and in train mode, for a fixed σ at σ² = MSE too, H(c), and L_I of the
    images as they are seen; nats. `visible_share`: the last as a part of what is read; None where that is nothing."""

    entropy: float
    eval: Mean
    at_mse: float | None = None
    train: Mean | None = None
    visible: float | None = None
    visible_share: float | None = None


class LabelFree(_Scores):
    """See `scoring.label_free`: by code, but for the score."""

    score: float
    consistency: dict[str, float]
    usage: dict[str, float]


class Clusters(_Scores):
    """The groups of a code against the labels of the test split. From acc on only for the code that is scored: rows of
    `confusion` are classes that categories are matched to, columns true classes, both in the data set's order."""

    nmi: float
    ari: float
    acc: float | None = None
    error_by_class: dict[str, float] | None = None
    matching: dict[str, str] | None = None
    confusion: list[list[int]] | None = None

    @property
    def clustering(self) -> dict[str, float]:
        """acc, nmi and ari by name, of the code that is scored; empty for another."""
        return {} if self.acc is None else {"acc": self.acc, "nmi": self.nmi, "ari": self.ari}


class Diversity(_Scores):
    """How far images of the same codes and other noise are apart, and real images of one category; the first as a
    share of the second."""

    generated: float
    real: float
    share: float


class Attribute(_Scores):
    """What tells an attribute on the test split: the share of its images that have it; one category, or continuous
    code, and its AUROC; a sum of categories of one code, and its AUROC; the code with the largest NMI; the AUROC of a
    linear probe of all codes."""

    share: float
    reading: str
    auroc: float
    sum: str | None = None
    sum_auroc: float | None = None
    nmi_code: str | None = None
    nmi: float | None = None
    probe: float


class Reading(_Scores):
    """The attribute that one category, or continuous code, tells best on the test split, its AUROC, and the share of
    images that the category is the likeliest for."""

    attribute: str
    auroc: float
    share: float | None = None


class Attributes(_Scores):
    """Attributes against codes: all that is chosen is chosen on the training split, all numbers are of the test split.
    `tad`: see `metrics.attributes`, one column a code, which is its best category; `by_code`: those columns' AUROCs."""

    by_attribute: dict[str, Attribute]
    by_reading: dict[str, Reading]
    by_code: dict[str, dict[str, float]]

    @property
    def tables(self) -> dict[str, Table]:
        """For people: attributes, those first that all codes together tell best, and what each category follows."""
        attributes = sorted(self.by_attribute.items(), key=lambda item: -item[1].probe)
        readings = sorted(self.by_reading.items(), key=lambda item: -item[1].auroc)
        return {
            "attributes": (
                ("attribute", "share", "category", "AUROC", "sum", "AUROC of the sum", "code", "NMI", "linear probe"),
                [
                    (name, row.share, row.reading, row.auroc, row.sum, row.sum_auroc, row.nmi_code, row.nmi, row.probe)
                    for name, row in attributes
                ],
            ),
            "categories": (
                ("category", "follows", "AUROC", "share"),
                [(name, row.attribute, row.auroc, row.share) for name, row in readings],
            ),
        }


class Evaluation(_Scores):
    """The scores of the model after so many iterations, part by part; None where the version that wrote the file had
    no such part.

    information, clustering: by code, and clustering of several together as `all`. disentanglement, image_quality:
      nested, as `scoring` writes them. diversity: of pixels and of features, by code.
      seconds: that each part took. protocol: what it was asked with. provenance: of
      the process that scored.
    """

    iterations: int
    information: Part[dict[str, CodeInformation]] | None = None
    label_free: Part[LabelFree] | None = None
    clustering: Part[dict[str, Clusters]] | None = None
    factors: Part[Factors] | None = None
    attributes: Part[Attributes] | None = None
    disentanglement: Part[dict[str, Any]] | None = None
    image_quality: Part[dict[str, Any]] | None = None
    diversity: Part[dict[str, dict[str, Diversity]]] | None = None
    seconds: dict[str, float] = Field(default_factory=dict)
    protocol: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for path, row in self.rows.items():
            if not all(number is None or isinstance(number, int | float) for number in row):
                raise ValueError(f"{path} is no number")
        return self

    @property
    def parts(self) -> dict[str, Any]:
        """The scores as plain values by part, without what the file says of itself."""
        about = {"iterations", "seconds", "protocol", "provenance"}
        return {name: part for name, part in self.values().items() if name not in about and part is not None}

    @property
    def rows(self) -> Rows:
        """Every score by its path: what evaluation.csv holds."""
        return flat(self.parts)

    @property
    def headlines(self) -> Rows:
        """The scores without those of single classes, attributes and categories, which stand in tables and pictures."""
        return {name: row for name, row in self.rows.items() if not is_detail(name)}

    @property
    def tables(self) -> dict[str, Table]:
        """What is best read as a table, by name."""
        return self.attributes.tables if isinstance(self.attributes, Attributes) else {}

    @property
    def scored(self) -> Clusters | None:
        """The groups that are matched to classes."""
        clusters = self.clustering.values() if isinstance(self.clustering, Mapping) else []
        return next((code for code in clusters if code.acc is not None), None)

    def values(self) -> dict[str, Any]:
        """The content of the file, as plain values."""
        return self.model_dump(exclude_unset=True)

    def save(self, folder: Path) -> None:
        """Writes evaluation.json into the folder."""
        write_json(folder / EVALUATION, self.values())


def read_evaluation(folder: Path) -> Evaluation | None:
    """That of a run folder; None before the run was evaluated. Raises RunError, one line that names file and field,
    where it is damaged."""
    return read_section(folder / EVALUATION, Evaluation)


def is_detail(name: str) -> bool:
    """Whether a score, by its path, is of a single class, attribute or category."""
    return "/by_" in name or "/error_by_class/" in name


def flat(values: Mapping[str, Any], prefix: str = "") -> Rows:
    """Every number among nested scores by its path; lists and texts are left out."""
    rows: Rows = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            if "mean" in value:
                rows[path] = (value["mean"], value.get("low"), value.get("high"))
            else:
                rows |= flat(value, f"{path}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rows[path] = (value, None, None)
    return rows
