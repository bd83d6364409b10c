"""summary.json: what training measured at its end."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from infogan.config.fields import Section
from infogan.run_folder.contents import read_section
from infogan.run_folder.files import write_json
from infogan.run_folder.metrics import CLUSTERING

SUMMARY = "summary.json"
"""In the folder of a run that has finished, and of an exported model."""

Factors = dict[str, dict[str, dict[str, float]]]
"""How each code goes with each factor: score → code → factor → value."""


Category = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
"""JSON has no other keys than text."""


class Summary(Section, extra="allow", allow_inf_nan=False):
    """What a finished model is worth. Dictionaries are by the name of the code.

    data, seed, iterations, lambdas: what was trained, and how long. checkpoint: its file, from the run folder.
    iterations_an_epoch: None in files of before there was one. images_per_second: the median over the training.
    measured_images: how many latents and images of each split at most the scores are of; None where the training was
      stopped while it measured. Files of before there was the field are of all.
    information: L_I over fresh latents in eval mode; train_mode with batch statistics; at_mse for a fixed σ, with
      σ² = MSE; in nats, None where it is not finite. entropy: H(c) in nats, the most that L_I can be.
    acc, nmi, ari: of the scored code on the test split, `matching` the class by category; None where no code fits the
      classes. factors: empty where the data set knows none.
    """

    data: str
    seed: int
    iterations: int
    iterations_an_epoch: int | None = None
    images_per_second: float | None
    measured_images: int | None = None
    information: dict[str, float | None]
    information_train_mode: dict[str, float | None]
    information_at_mse: dict[str, float | None]
    entropy: dict[str, float]
    lambdas: dict[str, float] = Field(alias="lambda")
    acc: float | None
    nmi: float | None
    ari: float | None
    matching: dict[Category, str] | None
    factors: Factors = Field(default_factory=dict)
    checkpoint: str

    @property
    def is_whole(self) -> bool:
        """Whether all was measured."""
        return self.measured_images is not None or "measured_images" not in self.model_fields_set

    @property
    def clustering(self) -> dict[str, float]:
        """acc, nmi and ari by name; empty where no code fits the classes."""
        found = {name: getattr(self, name) for name in CLUSTERING}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def refitted_information(self) -> dict[str, float | None]:
        """L_I of each code in nats, with σ² = MSE where its σ is fixed, which caps L_I whatever Q knows."""
        return self.information | self.information_at_mse

    def values(self) -> dict[str, Any]:
        """The content of the file, as plain values."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def save(self, folder: Path) -> None:
        """Writes summary.json into the folder."""
        write_json(folder / SUMMARY, self.values())


def read_summary(folder: Path) -> Summary | None:
    """That of a run or of an exported model; None where the run has not finished. Raises RunError, one line that names
    file and field, where it is damaged."""
    return read_section(folder / SUMMARY, Summary)
