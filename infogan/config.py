"""The typed schema of conf/: every key, its type, its range and its meaning. The values live in the YAML files.

`check` turns a composed configuration into a `Config`, or refuses it with one line that names the key.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    PlainValidator,
    Tag,
    ValidationError,
    model_validator,
)

from infogan.errors import ConfigError


def _sigma(value: Any) -> float | str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "learned" or (number and 0 < value < math.inf):
        return value
    raise ValueError("must be a number above 0, or learned")


def _features(value: Any) -> int | list[int]:
    sizes = value if isinstance(value, list) else [value]
    whole = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes)
    if whole and len(sizes) in (1, 3):
        return value
    raise ValueError("must be a number of features, or [channels, height, width]")


def _not_a_bool(value: Any) -> Any:
    if isinstance(value, bool):  # Python takes True for 1
        raise ValueError("must be a number")
    return value


def _told_by_key(*keys: str) -> Discriminator:
    """Which class of a union is meant, told by the key that only it has."""

    def tag(value: Any) -> str | None:
        present = value if isinstance(value, Mapping) else vars(value) if isinstance(value, BaseModel) else ()
        return next((f"<{key}>" for key in keys if key in present), None)

    return Discriminator(
        tag, custom_error_type="union", custom_error_message=f"needs one of the keys {', '.join(keys)}"
    )


def _told_by_value(key: str, *values: str) -> Discriminator:
    """Which class of a union is meant, told by the value of a key that all have."""

    def tag(value: Any) -> str | None:
        found = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
        return f"<{found}>" if found in values else None

    return Discriminator(
        tag, custom_error_type="union", custom_error_message=f"{key} must be one of {', '.join(values)}"
    )


def _code_name(name: str) -> str:
    if not name.isidentifier() or name in ("samples", "real", "curves"):
        raise ValueError("a code's name is one word, and not that of another picture (samples, real, curves)")
    return name


CodeName = Annotated[str, AfterValidator(_code_name)]
Positive = Annotated[int, Field(ge=1)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Lambda = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Slope = Annotated[float, Field(ge=0, lt=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the configuration: no unknown keys, no silent conversions, no change after it was checked."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AnySection = TypeVar("AnySection", bound=Section)


class Conv(Section):
    """A 4×4 convolution to `conv` channels: stride 2 halves the size, stride 1 keeps it."""

    conv: Positive
    stride: Annotated[Literal[1, 2], BeforeValidator(_not_a_bool)]
    batch_norm: bool = False
    slope: Slope | None = None


class Up(Section):
    """A transposed 4×4 convolution to `up` channels: stride 2 doubles the size, stride 1 keeps it."""

    up: Positive
    stride: Annotated[Literal[1, 2], BeforeValidator(_not_a_bool)]
    batch_norm: bool = False
    slope: Slope | None = None


class Linear(Section):
    """A fully connected layer to `fc` features, or to [channels, height, width]."""

    fc: Annotated[int | list[int], PlainValidator(_features)]
    batch_norm: bool = False
    slope: Slope | None = None


Layer = Annotated[
    Annotated[Conv, Tag("<conv>")] | Annotated[Up, Tag("<up>")] | Annotated[Linear, Tag("<fc>")],
    _told_by_key("conv", "up", "fc"),
]


class CategoricalCode(Section):
    """`classes` equally likely values. `lambda_code` weighs this code alone (null: model.lambda_categorical)."""

    kind: Literal["categorical"]
    classes: Annotated[int, Field(ge=2)]
    lambda_code: Lambda | None


class UniformCode(Section):
    """Uniform on [low, high]. Q's standard deviation is `sigma`, or learned. `lambda_code` weighs this code alone
    (null: model.lambda_continuous)."""

    kind: Literal["uniform"]
    low: FiniteFloat
    high: FiniteFloat
    sigma: Annotated[float | Literal["learned"], PlainValidator(_sigma)]
    lambda_code: Lambda | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        return self


CodeConfig = Annotated[
    Annotated[CategoricalCode, Tag("<categorical>")] | Annotated[UniformCode, Tag("<uniform>")],
    _told_by_value("kind", "categorical", "uniform"),
]


class GeneratorConfig(Section):
    """`layers` from the latents to the image; `slope` of the leaky ReLU (0: ReLU), which a layer may set for itself;
    batch norm comes before the rectifier, or after it with `norm_last`; `output` squashes the last layer."""

    layers: Annotated[list[Layer], Field(min_length=1)]
    slope: Slope
    norm_last: bool
    output: Literal["sigmoid", "tanh"]

    @model_validator(mode="after")
    def _image_is_not_normalised(self) -> Self:
        if self.layers[-1].batch_norm:
            raise ValueError("layers: the last one gives the image and takes no batch_norm")
        return self


class DiscriminatorConfig(Section):
    """`trunk` is shared by D and Q, `posterior` are Q's own hidden layers; `slope` of the leaky ReLU of all of them.
    `spectral_norm` divides every weight, those of both output layers too, by its largest singular value."""

    trunk: Annotated[list[Layer], Field(min_length=1)]
    posterior: list[Linear]
    slope: Slope
    spectral_norm: bool


class ModelConfig(Section):
    """The model and its objective.

    lambda_categorical, lambda_continuous: λ of the codes of that kind, for G and for D/Q.
    lambda_posterior: λ in the D/Q phase alone, for every code. null: each code's own λ, and 1 for a code whose λ is 0,
      so that Q measures what G was not asked for (figure 1's plain GAN). 0: Q does not learn.
    posterior_optimizer: who trains Q. `discriminator` (the authors): D's optimizer owns trunk and both heads, and the
      information term reaches the trunk in the D phase. `generator` (most ports): G's optimizer owns Q's head as
      well, and the trunk never sees the information term. `alone`: D's optimizer owns Q's head, which reads features
      that the information term does not change: with λ = 0 the game is that of a plain GAN.
    """

    name: str
    codes: Annotated[dict[CodeName, CodeConfig], Field(min_length=1)]
    noise: Annotated[int, Field(ge=0)]
    noise_distribution: Literal["uniform", "normal"]
    lambda_categorical: Lambda
    lambda_continuous: Lambda
    lambda_posterior: Lambda | None
    posterior_optimizer: Literal["discriminator", "generator", "alone"]
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    learning_rate_generator: LearningRate
    learning_rate_discriminator: LearningRate
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)]

    def lambda_of(self, code: CategoricalCode | UniformCode) -> float:
        """λ of a code in G's loss: its own, else that of its kind."""
        if code.lambda_code is not None:
            return code.lambda_code
        return self.lambda_categorical if code.kind == "categorical" else self.lambda_continuous

    @model_validator(mode="after")
    def _posterior_learns(self) -> Self:
        if self.posterior_optimizer == "generator":
            if self.lambda_posterior is not None:
                raise ValueError(
                    "lambda_posterior needs posterior_optimizer=discriminator or alone: there Q learns in the D phase"
                )
            for name, code in self.codes.items():
                if self.lambda_of(code) == 0:
                    raise ValueError(f"λ of {name} is 0: with posterior_optimizer=generator Q would not learn")
        return self


BatchSize = Annotated[int, Field(ge=2)]
ImageSize = Annotated[int, Field(ge=8, le=1024)]


class PlainDataConfig(Section):
    """`batch_size` images an iteration, over all devices together: here, and for every data set below."""

    name: Literal["digits", "mnist", "fashion_mnist"]
    batch_size: BatchSize


class SVHNConfig(Section):
    """`extra` adds the 531,131 easier images to the 73,257 to train on."""

    name: Literal["svhn"]
    batch_size: BatchSize
    extra: bool


class CelebAConfig(Section):
    """`path` names the images where they do not lie in celeba/ under paths.data (null). `size`: pixels of a side.
    `skip_broken` leaves broken images out, counted; else the first one ends the command."""

    name: Literal["celeba"]
    batch_size: BatchSize
    path: str | None
    size: ImageSize
    skip_broken: bool


class FacesConfig(Section):
    """`source`: rendered (heads of the free model anny), bfm (a Basel Face Model in `path`), tensor
    (basel_face_renders.pth in faces/ under paths.data, or `path`), folder (the images in `path`).
    `images` renders of `identities` heads, for rendered and bfm. `size`: pixels of a side."""

    name: Literal["faces"]
    batch_size: BatchSize
    source: Literal["rendered", "bfm", "tensor", "folder"]
    path: str | None
    size: ImageSize
    images: Annotated[int, Field(ge=20)]
    identities: Positive
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None and self.source in ("bfm", "folder"):
            raise ValueError(f"path=<where they are> must name the originals of source={self.source}")
        return self


class ChairsConfig(Section):
    """`source`: archive (Aubry's renders, in rendered_chairs/ or .tar under paths.data, or in `path`; downloaded where
    missing) or rendered (`models` parametric chairs from the same 62 views). `size`: pixels of a side."""

    name: Literal["chairs"]
    batch_size: BatchSize
    source: Literal["archive", "rendered"]
    path: str | None
    size: ImageSize
    models: Annotated[int, Field(ge=2)]
    skip_broken: bool


class DSpritesConfig(Section):
    """`path`: the .npz, or the folder that holds it (null: dsprites/ under paths.data)."""

    name: Literal["dsprites"]
    batch_size: BatchSize
    path: str | None


class FolderConfig(Section):
    """Your own images: `path` is a folder, a zip or a tar of them; they become squares of `size` pixels with 1 (gray)
    or 3 (colour) `channels`."""

    name: Literal["folder"]
    batch_size: BatchSize
    path: str | None
    size: ImageSize
    channels: Annotated[Literal[1, 3], BeforeValidator(_not_a_bool)]
    skip_broken: bool

    @model_validator(mode="after")
    def _has_originals(self) -> Self:
        if self.path is None:
            raise ValueError("path=<folder, zip or tar> must name your images")
        return self


DataConfig = Annotated[
    Annotated[PlainDataConfig, Tag("<digits>")]
    | Annotated[PlainDataConfig, Tag("<mnist>")]
    | Annotated[PlainDataConfig, Tag("<fashion_mnist>")]
    | Annotated[SVHNConfig, Tag("<svhn>")]
    | Annotated[CelebAConfig, Tag("<celeba>")]
    | Annotated[FacesConfig, Tag("<faces>")]
    | Annotated[ChairsConfig, Tag("<chairs>")]
    | Annotated[DSpritesConfig, Tag("<dsprites>")]
    | Annotated[FolderConfig, Tag("<folder>")],
    _told_by_value(
        "name", "digits", "mnist", "fashion_mnist", "svhn", "celeba", "faces", "chairs", "dsprites", "folder"
    ),
]


class TrainerConfig(Section):
    """How long and on what. One iteration is one D and one G update.

    max_epochs replaces max_iterations where it is given. precision: `bf16` is autocast with float32 weights; for GPUs
    alone there are `fp16`, likewise and with the loss scaled, and `tf32`, float32 whose products are in TF32; `auto` is
    bf16 on devices that compute in it, else fp16 on a GPU and float32 on a CPU. compile: torch.compile's mode for the
    networks, null for none. cuda_graph: the whole iteration is one CUDA graph, on one GPU, with the same results;
    `auto` where it can be. threads: of PyTorch on the CPU, null: its own choice.
    Defaults are for run folders of versions without these keys.
    """

    accelerator: Literal["auto", "cpu", "gpu"]
    devices: Positive
    precision: Literal["auto", "float32", "tf32", "bf16", "fp16"]
    compile: Literal["default"] | None = None
    cuda_graph: Literal["auto", True, False] = "auto"
    threads: Positive | None
    max_iterations: Positive
    max_epochs: Positive | None


class WandbConfig(Section):
    """A Weights & Biases run.

    mode: auto is online where there are credentials and the server answers, else offline; online ends the command where
      the server does not answer.
    artifact: whether the final checkpoint is kept there too.
    init_timeout, finish_timeout: how many seconds are waited for the server at the start, and at the end for what was
      not sent yet; it stays on the disk, to be sent later. Defaults are for run folders of versions without these keys.
    """

    name: Literal["wandb"]
    project: str
    mode: Literal["auto", "online", "offline"]
    tags: list[str]
    artifact: bool = False
    init_timeout: Seconds = 90
    finish_timeout: Seconds = 60


class CsvConfig(Section):
    """Lightning's own CSV logger, for tools that read its layout, in the run folder's `csv/`."""

    name: Literal["csv"]


class NoLoggerConfig(Section):
    """Nothing but the run folder."""

    name: Literal["none"]


LoggerConfig = Annotated[
    Annotated[WandbConfig, Tag("<wandb>")]
    | Annotated[CsvConfig, Tag("<csv>")]
    | Annotated[NoLoggerConfig, Tag("<none>")],
    _told_by_value("name", "wandb", "csv", "none"),
]
"""What is added to the run folder's metrics.csv."""


class CollapseConfig(Section):
    """When a run no longer learns, in the mean of the last `window` iterations: D(real) - D(fake) above `largest_gap`,
    or below `least_gap`; the standard deviation of a pixel over generated images below `least_spread` of the range of
    values; the entropy of the categories that Q reads in them below `least_categories` of that of the categories drawn;
    L_I of a code with λ > 0 below `least_information` of what there is to know of it (of H(c), or of the variance of a
    continuous code). A least value of 0 is not looked at, nor is a `least_gap` of -1, that of runs of a version that
    had none.
    """

    window: Positive
    largest_gap: Annotated[float, Field(gt=0, lt=1)]
    least_gap: Annotated[float, Field(ge=-1, lt=1)] = -1.0
    least_spread: Annotated[float, Field(ge=0, lt=1)]
    least_categories: Annotated[float, Field(ge=0, lt=1)]
    least_information: Annotated[float, Field(ge=0, lt=1)]


class CallbacksConfig(Section):
    """How often things around the loop happen, in iterations.

    health: what becomes of a run that no longer learns, which `collapse` defines. `warn` tells it once, with what to
      try; `abort` ends the run; `off` does not look, and is that of runs of a version that did not.
    """

    log_every: Positive
    traversals_every: Positive
    traversal_rows: Positive
    traversal_points: Annotated[int, Field(ge=2)]
    scores_every: Positive
    score_images: Positive
    checkpoint_every: Positive
    health: Literal["warn", "abort", "off"] = "off"
    collapse: CollapseConfig | None = None

    @model_validator(mode="after")
    def _knows_collapse(self) -> Self:
        if self.collapse is None and self.health != "off":
            raise ValueError(f"health={self.health}: collapse is missing, which says what is looked for")
        return self


class PathsConfig(Section):
    """`data` holds the originals, one folder a data set; `stores` their images, decoded once; `outputs` the run
    folders."""

    data: str
    stores: str
    outputs: str


class Config(Section):
    """One experiment, whole."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    run: str | None
    data: DataConfig
    model: ModelConfig
    trainer: TrainerConfig
    logger: LoggerConfig
    callbacks: CallbacksConfig
    paths: PathsConfig

    @model_validator(mode="before")
    @classmethod
    def _layers_of_the_size(cls, values: Any) -> Any:
        """A preset may give its layers by image size, {28: [...], 64: [...]}: data.size chooses."""
        try:
            size, model = values["data"].get("size"), dict(values["model"])
            for network, layers in (("generator", "layers"), ("discriminator", "trunk")):
                table = model[network][layers]
                if not isinstance(table, Mapping):
                    continue
                if size not in table:
                    sizes = ", ".join(str(known) for known in table)
                    raise ValueError(f"data.size={size}: model={model['name']} has layers for {sizes}")
                model[network] = {**model[network], layers: table[size]}
        except (KeyError, TypeError, AttributeError):
            return values  # not even the sections are there: the fields tell what is missing
        return {**values, "model": model}


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


class EvaluateConfig(Section):
    """`python -m infogan.evaluate`: the run folder, or latest; `seed` draws latents, images and groups. `accelerator`:
    what the networks work on, auto for a GPU where there is one."""

    run: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    metrics: MetricsConfig
    paths: OpenedPathsConfig


class CompareConfig(Section):
    """`python -m infogan.compare`: the runs of the folder `sweep`, or `runs`, one of the two; `seed` draws latents.
    `accelerator` as in `EvaluateConfig`."""

    sweep: str | None
    runs: Annotated[list[str], Field(min_length=1)] | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    accelerator: Literal["auto", "cpu", "gpu"]
    paths: OpenedPathsConfig

    @model_validator(mode="after")
    def _names_runs(self) -> Self:
        if (self.sweep is None) == (self.runs is None):
            raise ValueError("sweep=<folder of a sweep> or runs=[<run>,<run>] must say what to compare, one of the two")
        return self


def _class_name(value: Any) -> Any:
    """A class may be named by a number: Hydra reads `label=3` as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class GenerateConfig(Section):
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
    label: Annotated[str | None, BeforeValidator(_class_name)]
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


class EditConfig(Section):
    """`python -m infogan.edit`: the picture file `image`, and what its `codes` become.

    codes: as in `GenerateConfig`; one of them may take several values, low:high in `steps` or a list.
    to: the picture to write, .png; null for one of today's date in edits/ under paths.outputs.
    seed: of the starts of the search. `accelerator` as in `EvaluateConfig`.
    """

    run: str
    image: str | None
    codes: dict[CodeName, Any]
    steps: Annotated[int, Field(ge=2)]
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


class ExportConfig(Section):
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

    format: the version of what is written here. data, seed, iterations: what the model was trained on, and how long.
    image_shape: [channels, height, width]. value_range: [low, high] of the images, for both networks.
    columns: [first, after the last] of each code in the generator's input, width of all; the rest is noise.
    model: as it was configured.
    """

    format: int
    data: str
    seed: int
    iterations: int
    image_shape: list[int]
    value_range: list[float]
    columns: dict[str, list[int]]
    width: int
    model: ModelConfig


class FilmConfig(Section):
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


class ExploreConfig(Section):
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


class RunsConfig(Section):
    """`python -m infogan.runs`."""

    paths: OutputsConfig


def _range(bounds: list[float]) -> list[float]:
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise ValueError("must be [low, high], low not above high; the same twice keeps the value")
    return bounds


class SearchRangesConfig(Section):
    """[low, high] of the model's values of these names, drawn log-uniformly until something is known."""

    lambda_categorical: Annotated[list[Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(_range)]
    lambda_continuous: Annotated[list[Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(_range)]
    learning_rate_generator: Annotated[list[LearningRate], AfterValidator(_range)]
    learning_rate_discriminator: Annotated[list[LearningRate], AfterValidator(_range)]


class SearchConfig(Section):
    """`trials` in all, those of an earlier start in `folder` included. objective: `information` is the sum of L_I over
    the codes, in nats, continuous ones at σ² = MSE, and needs no labels; the others are scores of the test split."""

    trials: Positive
    objective: Literal["information", "acc", "nmi", "ari"]
    folder: str
    ranges: SearchRangesConfig


class SearchedConfig(Config):
    """`python -m infogan.search`: what each trial has in common, and the search."""

    search: SearchConfig


def check(values: Mapping[str, Any]) -> Config:
    """The configuration of a training run. Raises ConfigError, one line that names every key that is wrong."""
    return check_section(values, Config)


def check_section(values: Mapping[str, Any], schema: type[AnySection]) -> AnySection:
    """`values` as an object of that schema, for a command that is not training. Raises ConfigError as `check`."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_line(detail) for detail in error.errors(include_url=False))) from None


def _line(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"] if str(part)[0] not in "<[")  # no union's tag
    message = detail["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if detail["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    if detail["type"] == "missing":
        return f"{key} is missing"
    if isinstance(detail["input"], Mapping | BaseModel):
        return f"{key}: {message[0].lower()}{message[1:]}"
    value = " ".join(str(detail["input"]).split())
    return f"{key}={value if len(value) < 60 else value[:57] + '...'}: {message[0].lower()}{message[1:]}"
