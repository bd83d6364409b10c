"""The schema of the commands that open a run."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from infogan.config.asking import AskingConfig
from infogan.config.fields import CodeName, LearningRate, OutputFormat, Positive, Section, class_name
from infogan.config.model import ModelConfig


class MetricsConfig(Section):
    """What `infogan.evaluate` spends. `latents`: fresh ones, for information and consistency. `images`: at most so many
    of each split are read by Q. `draws` of images and groups for the disentanglement scores. `samples`: generated
    images for image quality. `inception_weights`: a file, or `download`; null: an extractor trained on the data set
    itself.
    """

    latents: Annotated[int, Field(ge=1000)]
    images: Annotated[int, Field(ge=1000)]
    draws: Positive
    samples: Annotated[int, Field(ge=1000)]
    inception_weights: str | None


class OutputsConfig(Section):
    """`outputs` holds the run folders."""

    outputs: str


class OpenedPathsConfig(OutputsConfig):
    """`data` and `stores`: null for those that the run was trained with."""

    data: str | None
    stores: str | None


class ComputingConfig(AskingConfig):
    """Of every command that puts images through networks. `threads`: of the CPU; null: all cores, which is slow beside
    other work."""

    threads: Positive | None


class EvaluateConfig(ComputingConfig):
    """`python -m infogan.evaluate`: the run folder, or latest; `seed` draws latents, images and groups. `accelerator`:
    what the networks work on, auto for a GPU where there is one."""

    run: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    metrics: MetricsConfig
    paths: OpenedPathsConfig


class CompareConfig(ComputingConfig):
    """`python -m infogan.compare`: the runs of the folder `sweep`, or `runs`, one of the two; `seed` draws latents.
    `accelerator` as in `EvaluateConfig`."""

    sweep: str | None
    runs: Annotated[list[str], Field(min_length=1)] | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    format: OutputFormat
    paths: OpenedPathsConfig

    @model_validator(mode="after")
    def _names_runs(self) -> Self:
        if (self.sweep is None) == (self.runs is None):
            raise ValueError("sweep=<folder of a sweep> or runs=[<run>,<run>] must say what to compare, one of the two")
        return self


class GenerateConfig(ComputingConfig):
    """`python -m infogan.generate`: `count` images of the run (a folder, or latest), a function of `seed`.

    codes: by name, the value of a continuous code or low:high to draw it from; a category or a list of some. A code
      that is not there is drawn as in training.
    label: the class whose category the images are to have, where the run knows a matching.
    format: `png`, a picture each in sub-folders by class or category, with codes.csv; `npz`, one archive of arrays.
    to: the folder to make; null for one of today's date in generated/ under paths.outputs.
    `accelerator` as in `EvaluateConfig`.
    """

    run: str
    count: Positive
    codes: dict[CodeName, Any]
    label: Annotated[str | None, BeforeValidator(class_name)]
    format: Literal["png", "npz"]
    to: str | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    paths: OutputsConfig


class InversionConfig(Section):
    """How the noise of an image is looked for: from `restarts` random starts, `iterations` of Adam each."""

    restarts: Positive
    iterations: Positive
    learning_rate: LearningRate


class EditConfig(ComputingConfig):
    """`python -m infogan.edit`: the picture file `image`, and what its `codes` become.

    codes: as in `GenerateConfig`; one of them may take several values, low:high in `steps` or a list.
    to: the picture to write, .png; null for one of today's date in edits/ under paths.outputs.
    seed: of the starts of the search. `accelerator` as in `EvaluateConfig`.
    """

    run: str
    image: str | None
    codes: dict[CodeName, Any]
    steps: Annotated[int, Field(ge=2, le=200)]
    to: str | None
    inversion: InversionConfig
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    paths: OutputsConfig

    @model_validator(mode="after")
    def _names_files(self) -> Self:
        if self.image is None:
            raise ValueError("image=<file> must name the picture to edit")
        if self.to is not None and not self.to.lower().endswith(".png"):
            raise ValueError(f"to={self.to}: the picture is a PNG, its name must end in .png")
        return self


class ExportConfig(ComputingConfig):
    """`python -m infogan.export`: of the run folder, or latest; `to`: the folder to make."""

    run: str
    to: str | None
    paths: OutputsConfig

    @model_validator(mode="after")
    def _names_a_folder(self) -> Self:
        if self.to is None:
            raise ValueError("to=<folder> must name the folder to make")
        return self


class ExportedConfig(Section):
    """config.json of an exported folder: what is needed to build the networks again, or to use them without this code.

    data, seed, iterations: what the model was trained on, and how long.
    image_shape: [channels, height, width]. value_range: [low, high] of the images, for both networks.
    columns: [first, after the last] of each code in the generator's input, width of all; the rest is noise.
    model: as it was configured.
    """

    data: str
    seed: int
    iterations: int
    image_shape: list[int]
    value_range: list[float]
    columns: dict[str, list[int]]
    width: int
    model: ModelConfig


class FilmConfig(ComputingConfig):
    """`python -m infogan.film`: of the run folder, or latest.

    code: the one to walk through; null for the grids of all codes over training.
    `seconds` of `fps` frames each. to: the file to write; null for one of today's date in films/ under paths.outputs.
    """

    run: str
    code: str | None
    seconds: Annotated[float, Field(gt=0, le=600)]
    fps: Annotated[int, Field(ge=1, le=60)]
    format: Literal["mp4", "gif"]
    to: str | None
    paths: OutputsConfig

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if self.to is not None and not self.to.lower().endswith(f".{self.format}"):
            raise ValueError(f"to={self.to}: its name must end in .{self.format}, or format must be another")
        if self.format == "gif" and 100 % self.fps:
            raise ValueError(f"fps={self.fps}: a GIF counts in hundredths of a second, so 50, 25, 20, 10, 5, 4, 2 or 1")
        if round(self.seconds * self.fps) < 2:
            raise ValueError(f"seconds={self.seconds:g}: at fps={self.fps} that is not even two frames")
        return self


class ExploreConfig(ComputingConfig):
    """`python -m infogan.explore`: the run folder, or latest, on a page at `port` of this machine.

    port: null for any that is free. browser: whether to open the page in one. seed: of the first noise, and of the
      starts of the search for a picture's. `accelerator` as in `EvaluateConfig`.
    """

    run: str
    port: Annotated[int, Field(ge=1, le=65535)] | None
    browser: bool
    inversion: InversionConfig
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    paths: OpenedPathsConfig


class ReportConfig(Section):
    """`python -m infogan.report`: of the run folder `run`, or latest, or of the folder `sweep`, one of the two."""

    run: str | None
    sweep: str | None
    paths: OutputsConfig

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.run is None) == (self.sweep is None):
            raise ValueError("run=<folder>, run=latest or sweep=<folder of a sweep> must say of what, one of the two")
        return self


class DashboardConfig(ReportConfig):
    """`python -m infogan.dashboard`: likewise."""


class LedgerConfig(Section):
    """`python -m infogan.ledger`: of the run folder `run`, or latest, or several of them, or of the folder `sweep`, one
    of the two. to: the file that lines are added to, .csv."""

    run: str | Annotated[list[str], Field(min_length=1)] | None
    sweep: str | None
    to: str
    paths: OutputsConfig

    @model_validator(mode="after")
    def _names_runs(self) -> Self:
        if (self.run is None) == (self.sweep is None):
            raise ValueError("run=<folder>, run=[<folder>,<folder>] or sweep=<folder of a sweep> must say which runs")
        if not self.to.lower().endswith(".csv"):
            raise ValueError(f"to={self.to}: its name must end in .csv")
        return self


class RunsConfig(Section):
    """`python -m infogan.runs`."""

    format: OutputFormat
    paths: OutputsConfig
