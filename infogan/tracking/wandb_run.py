"""What Weights & Biases gets of a run."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from PIL.Image import Image

from infogan.config.training import Config, WandbConfig
from infogan.run_folder.evaluation import Evaluation
from infogan.run_folder.metrics import CLUSTERING, IMAGES_PER_SECOND, entropy, information
from infogan.run_folder.paths import checkpoint_path
from infogan.run_folder.summary import SUMMARY, Summary
from infogan.tracking.wandb_session import finish_wandb, is_new, one_line, said_before, start_wandb, wandb_id

if TYPE_CHECKING:
    from wandb import Artifact, Run


log = logging.getLogger("infogan")

AT_MSE = "information_at_mse/"
"""What the keys of L_I at σ² = MSE start with; a code's name follows."""

REAL = "real"
"""The picture that shows images of the data set."""


class WandbRun(WandbLogger):
    """The W&B run of a run folder: its only x axis is `iteration`, its summaries are last values, as W&B has them by
    itself (the best would flatter), and the entropy of a code, the most that L_I can be, stands beside its bound.

    `metadata`: what W&B's filters and axes need of the run, beside the settings of `start_wandb`. `entropies` in nats,
    by code. What W&B raises once the run has begun is logged in one line and ends its part: no training is lost by it.
    """

    def __init__(
        self, folder: Path, config: WandbConfig, metadata: Mapping[str, Any], entropies: Mapping[str, float]
    ) -> None:
        super().__init__(name=folder.name, project=config.project, save_dir=folder)
        self.folder, self.config = folder, config
        self._metadata = metadata
        self._entropies = {information(name): (entropy(name), value) for name, value in entropies.items()}
        self._lost = False
        self._first_step: int | None = None

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """Started where it is first asked for; see `start_wandb` for what is raised."""
        if self._experiment is None:
            before = said_before(self.folder)
            run = self._experiment = start_wandb(self.folder, self.config, self._metadata)
            if run.offline and before:
                run.summary.update({key: value for key, value in before.items() if not key.startswith("_")})
                self._first_step = before.get("_step", -1) + 1
            if not run.offline:
                log.info(f"W&B: {run.url}")
            run.define_metric("iteration", hidden=True)
            run.define_metric("*", step_metric="iteration", step_sync=True)
            run.define_metric(IMAGES_PER_SECOND, step_metric="iteration", step_sync=True, summary="mean")
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        ceilings = dict(self._entropies[name] for name in metrics if name in self._entropies)
        self._send(lambda run: self._log(run, {**metrics, **ceilings}, step))

    @rank_zero_only
    def log_pictures(self, pictures: Mapping[str, Path], iteration: int) -> None:
        """One image panel for each PNG file, under `figures/`. Image panels have no x axis: the caption says the
        iteration, but for `real` images. Files, because encoding pictures a second time was most of what W&B cost the
        training loop."""
        import wandb

        def send(run: "Run") -> None:
            captions = dict.fromkeys(pictures, f"iteration {iteration:,}") | {REAL: "real images"}
            images = {f"figures/{name}": wandb.Image(path, caption=captions[name]) for name, path in pictures.items()}
            self._log(run, images, iteration)

        self._send(send)

    @rank_zero_only
    def log_conclusion(self, summary: Summary) -> None:
        """The content of summary.json as W&B's summary; for panels L_I at σ² = MSE, which is measured at the end alone,
        and tables of how codes follow factors and of the matching; with `logger.artifact` the final checkpoint, as a
        folder that `infogan.load` opens."""

        def send(run: "Run") -> None:
            run.summary.update(summary.values())
            at_mse = {f"{AT_MSE}{name}": value for name, value in summary.information_at_mse.items()}
            if found := at_mse | conclusion_tables(summary):
                self._log(run, found, summary.iterations)
            if self.config.artifact:
                iteration = summary.iterations
                run.log_artifact(self._artifact(summary), aliases=["latest", f"iteration-{iteration}"])

        self._send(send)

    @rank_zero_only
    def log_page(self, iteration: int, report: Path | None, film: Path | None) -> None:
        """The report of the run and the film of its training, those that there are."""
        import wandb

        def send(run: "Run") -> None:
            found = {} if report is None else {"report": _html(report)}
            if film is not None:
                found["film"] = wandb.Video(str(film), caption="the grids over training")
            if found:
                self._log(run, found, iteration)

        self._send(send)

    @rank_zero_only
    def log_evaluation(
        self, iteration: int, evaluation: Evaluation, pictures: Mapping[str, Image], report: Path
    ) -> None:
        """What was measured after that iteration: scores as numbers and as a table, the tables of single attributes and
        categories, pictures; all under `evaluation/`. The report, which has them now."""
        import wandb

        def send(run: "Run") -> None:
            lines = [[name, *row] for name, row in evaluation.rows.items()]
            found: dict[str, Any] = {
                "evaluation/scores": wandb.Table(columns=["score", "value", "low", "high"], data=lines)
            }
            for name, (columns, data) in evaluation.tables.items():
                found[table_key(name)] = wandb.Table(columns=list(columns), data=[list(line) for line in data])
            found |= {f"evaluation/{name}": wandb.Image(picture) for name, picture in pictures.items()}
            numbers = {name: value for name, (value, _, _) in evaluation.rows.items() if is_number(name)}
            found |= {f"evaluation/{name}": value for name, value in numbers.items()}
            self._log(run, {**found, "report": _html(report)}, iteration)

        self._send(send)

    def _artifact(self, summary: Summary) -> "Artifact":
        import wandb

        headlines = {
            name: value
            for name, value in summary.values().items()
            if name in ("data", "seed", "iterations", "lambda", *CLUSTERING)
        }
        artifact = wandb.Artifact(f"model-{wandb_id(self.folder)}", type="model", metadata=headlines)
        checkpoint = checkpoint_path(self.folder, summary.iterations)
        for path in (checkpoint, self.folder / "config.yaml", self.folder / SUMMARY):
            name = path.relative_to(self.folder).as_posix()
            # Else W&B would copy each file twice below the user's home, where runs that stay offline would pile up.
            artifact.add_file(str(path), name, policy="immutable", skip_cache=True)
        return artifact

    def _log(self, run: "Run", values: Mapping[str, Any], iteration: int | None) -> None:
        """A row of the history. W&B counts them by itself, but from 0 again in another part that is offline."""
        first, self._first_step = self._first_step, None
        run.log({**values, "iteration": iteration}, step=first, commit=True)

    def _send(self, send: "Callable[[Run], object]") -> None:
        if self._lost:
            return
        try:
            send(self.experiment)
        except Exception as error:  # a full disk, W&B's process gone, whatever it is
            self._lost = True
            log.warning(f"W&B gets no more of this run: {one_line(error)}")


def table_key(name: str) -> str:
    """The key of a table of an evaluation."""
    return f"evaluation/{name}_table"


def is_number(score: str) -> bool:
    """Whether a score, by its path, has a key of its own: those of single attributes and categories, hundreds of them,
    are in tables alone."""
    return "/by_" not in score


def conclusion_tables(summary: Summary) -> dict[str, Any]:
    """W&B tables of what summary.json says of factors, code by factor for each score, and of classes, by key."""
    import wandb

    tables = {}
    lines = [(code, score, row) for score, by_code in summary.factors.items() for code, row in by_code.items()]
    if factors := list(dict.fromkeys(name for _, _, row in lines for name in row)):
        data = [[code, score, *(row.get(name) for name in factors)] for code, score, row in lines]
        tables["codes_by_factor"] = wandb.Table(columns=["code", "score", *factors], data=data)
    if summary.matching:
        data = [[int(category), name] for category, name in summary.matching.items()]
        tables["matching"] = wandb.Table(columns=["category", "class"], data=data)
    return tables


def _html(report: Path) -> Any:
    import wandb

    return wandb.Html(str(report), inject=False)


def add_evaluation(
    run_folder: Path,
    config: Config,
    iteration: int,
    evaluation: Evaluation,
    pictures: Mapping[str, Image],
    report: Path,
) -> None:
    """Adds what was measured after that iteration to the W&B run of a run folder, where it has one: scores, tables,
    pictures, and the report."""
    if isinstance(config.logger, WandbConfig) and not is_new(run_folder):
        WandbRun(run_folder, config.logger, {}, {}).log_evaluation(iteration, evaluation, pictures, report)
        finish_wandb(failed=False)
