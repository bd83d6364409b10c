"""The schema of a training run, and of a search over such runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    Tag,
    model_validator,
)

from infogan.config.asking import AskingConfig
from infogan.config.data import DataConfig
from infogan.config.fields import CallbackName, LearningRate, Positive, Seconds, Section, low_and_high, union_by_value
from infogan.config.model import ModelConfig


def _no_number(value: Any) -> Any:
    """0 and 1 equal False and True, and are not meant to be these."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("must be auto, true or false")
    return value


class TrainerConfig(Section):
    """How long and on what. One iteration is one D and one G update.

    max_epochs replaces max_iterations where it is given. precision: `bf16` is autocast with float32 weights; for GPUs
    alone there are `fp16`, likewise and with the loss scaled, and `tf32`, float32 whose products are in TF32; `auto` is
    bf16 on devices that compute in it, else fp16 on a GPU and float32 on a CPU. compile: torch.compile's mode for the
    networks, null for none. cuda_graph: the whole iteration is one CUDA graph, on one GPU, with the same results;
    `auto` where it can be. threads: of PyTorch on the CPU, null: its own choice.
    """

    accelerator: Literal["auto", "cpu", "gpu"]
    devices: Positive
    precision: Literal["auto", "float32", "tf32", "bf16", "fp16"]
    compile: Literal["default"] | None
    cuda_graph: Annotated[Literal["auto", True, False], BeforeValidator(_no_number)]
    threads: Positive | None
    max_iterations: Positive
    max_epochs: Positive | None


class WandbConfig(Section):
    """A Weights & Biases run.

    mode: auto is online where there are credentials and the server answers, else offline; online ends the command where
      the server does not answer.
    artifact: whether the final checkpoint is kept there too.
    init_timeout, finish_timeout: how many seconds are waited for the server at the start, and at the end for what was
      not sent yet; it stays on the disk, to be sent later.
    """

    name: Literal["wandb"]
    project: str
    mode: Literal["auto", "online", "offline"]
    tags: list[str]
    artifact: bool
    init_timeout: Seconds
    finish_timeout: Seconds


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
    union_by_value("name", "wandb", "csv", "none"),
]
"""What is added to the run folder's metrics.csv."""


class CollapseConfig(Section):
    """When a run no longer learns, in the mean of the last `window` iterations: D(real) - D(fake) above `largest_gap`,
    or below `least_gap`; the standard deviation of a pixel over generated images below `least_spread` of the range of
    values; the entropy of the categories that Q reads in them below `least_categories` of that of the categories drawn;
    with consistency, the real images of the rarest category below `least_rarest` of an even category's;
    L_I of a code with λ > 0 below `least_information` of what there is to know of it (of H(c), or of the variance of a
    continuous code). A least value of 0 is not looked at, nor is a `least_gap` of -1.

    hidden_information: where images differ by less than `least_spread` and Q reads more than this of all codes, these
      are hidden in the image. recovery: nothing is wrong with a number that in the last quarter of the window is within
      its limit, or nearer to it than in the first by more than this.
    """

    window: Positive
    largest_gap: Annotated[float, Field(gt=0, lt=1)]
    least_gap: Annotated[float, Field(ge=-1, lt=1)]
    least_spread: Annotated[float, Field(ge=0, lt=1)]
    least_categories: Annotated[float, Field(ge=0, lt=1)]
    least_rarest: Annotated[float, Field(ge=0, lt=1)]
    least_information: Annotated[float, Field(ge=0, lt=1)]
    hidden_information: Annotated[float, Field(gt=0, le=1)]
    recovery: Annotated[float, Field(ge=0, le=1)]


class FurtherCallback(Section):
    """A Lightning callback of another package: `kind` is an entry point of the group infogan.callbacks or the path of
    its class, package.module:Class, and all other keys are its arguments."""

    model_config = ConfigDict(extra="allow")

    kind: str

    @property
    def arguments(self) -> dict[str, Any]:
        """What the class is called with."""
        return dict(self.model_extra or {})


class CallbacksConfig(Section):
    """How often things around the loop happen, in iterations.

    health: what becomes of a run that no longer learns, which `collapse` defines. `warn` names it once, with what to
      try; `abort` ends the run; `off` does not look.
    further: callbacks of other packages, by names that are chosen here.
    """

    log_every: Positive
    traversals_every: Positive
    traversal_rows: Positive
    traversal_points: Annotated[int, Field(ge=2)]
    scores_every: Positive
    score_images: Positive
    checkpoint_every: Positive
    health: Literal["warn", "abort", "off"]
    collapse: CollapseConfig | None
    further: dict[CallbackName, FurtherCallback]

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
        """A preset may give its layers by image size, {"28": [...], "64": [...]}: data.size chooses."""
        try:
            size, model = str(values["data"].get("size")), dict(values["model"])
            for network, layers in (("generator", "layers"), ("discriminator", "trunk")):
                table = model[network].get(layers)  # a volume has none
                if not isinstance(table, Mapping):
                    continue
                stacks = {str(known): stack for known, stack in table.items() if isinstance(stack, list)}
                sizes = ", ".join(stacks)
                if others := [str(known) for known in table if str(known) not in stacks]:
                    given = f"model.{network}.{layers}.{others[0]}"
                    raise ValueError(f"{given}: model={model['name']} has layers for {sizes}")
                if size not in stacks:
                    raise ValueError(f"data.size={size}: model={model['name']} has layers for {sizes}")
                model[network] = {**model[network], layers: stacks[size]}
        except (KeyError, TypeError, AttributeError):
            return values  # not even the sections are there: the fields say what is missing
        return {**values, "model": model}


class DataSheetConfig(Config, AskingConfig):
    """`python -m infogan.data`: the run whose images are shown. `transforms`: with those that consistency has, too."""

    transforms: bool


class SearchRangesConfig(Section):
    """[low, high] of the model's values of these names, drawn log-uniformly until something is known."""

    lambda_categorical: Annotated[list[Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(low_and_high)]
    lambda_continuous: Annotated[list[Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(low_and_high)]
    learning_rate_generator: Annotated[list[LearningRate], AfterValidator(low_and_high)]
    learning_rate_discriminator: Annotated[list[LearningRate], AfterValidator(low_and_high)]


class SearchConfig(Section):
    """`trials` in all, those of an earlier start in `folder` included. objective: what is made as large as can be.

    real_information: what the groups of the codes tell of real images whatever mild transforms do to these, in nats, in
      the mean over the codes; needs a code with groups, and no labels. information: the sum of L_I over the codes, in
      nats, continuous ones at σ² = MSE; of generated images alone. acc, nmi, ari: scores of the test split. auto:
      real_information where a code has groups, else information.
    """

    trials: Positive
    objective: Literal["auto", "real_information", "information", "acc", "nmi", "ari"]
    folder: str
    ranges: SearchRangesConfig


class SearchedConfig(Config, AskingConfig):
    """`python -m infogan.search`: what each trial has in common, and the search."""

    search: SearchConfig
