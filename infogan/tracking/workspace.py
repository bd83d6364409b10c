"""W&B's workspace and report on a run or a sweep, as code: only panels for which the runs have logged something."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wandb_workspaces import expr
from wandb_workspaces import workspaces as ws
from wandb_workspaces.reports import v2 as wr

from infogan.config.training import Config, WandbConfig
from infogan.errors import RunError
from infogan.run_folder.evaluation import read_evaluation
from infogan.run_folder.files import write_json
from infogan.run_folder.metrics import (
    AGREEMENT,
    BALANCE,
    CLUSTERING,
    ENTROPY,
    FAKE,
    INFORMATION,
    ITERATION,
    LOSSES,
    RAREST,
    REAL,
    REAL_INFORMATION,
    SHARED,
    entropy,
    information,
    of_real_images,
    read_metrics,
)
from infogan.run_folder.paths import REPORT
from infogan.run_folder.status import RunStatus, read_status
from infogan.run_folder.summary import read_summary
from infogan.tracking.wandb_run import AT_MSE, is_number, table_key
from infogan.tracking.wandb_session import is_new, wandb_id

SCORES = "evaluation/scores"
TABLES = table_key("attributes"), table_key("categories")
"""What W&B has of an evaluation as tables."""

BEST = 3
"""How many runs of a sweep stand side by side."""


@dataclass(frozen=True)
class TrackedRun:
    """A run that W&B has under `id` in `project`."""

    status: RunStatus
    config: Config
    project: str
    id: str


@dataclass(frozen=True)
class Dashboard:
    """What a dashboard shows: `name` of the run or sweep, `group` in W&B (None for a single run), the W&B ids of the
    runs, best first, and the keys under which W&B holds something of any of them."""

    name: str
    group: str | None
    project: str
    configs: Sequence[Config]
    ids: Sequence[str]
    keys: frozenset[str]

    @property
    def codes(self) -> list[str]:
        """The names of the codes, each once."""
        return list(dict.fromkeys(name for config in self.configs for name in config.model.codes))

    @property
    def swept(self) -> list[str]:
        """A code for each λ that differs between the runs; codes whose λ go together count once."""
        columns: dict[tuple[float, ...], str] = {}
        for name in self.configs[0].model.codes:
            if all(name in config.model.codes for config in self.configs):
                values = tuple(config.model.lambdas[name] for config in self.configs)
                columns.setdefault(values, name)
        return [name for values, name in columns.items() if len(set(values)) > 1]

    def held(self, *keys: str) -> list[str]:
        """Those of the keys that W&B holds."""
        return [key for key in keys if key in self.keys]

    def runs(self, ids: Sequence[str] | None = None) -> expr.FilterExpr:
        """W&B's filter for all runs, or for those of these ids."""
        if ids is None and self.group is not None:
            return expr.Metric("Group") == self.group
        return expr.Metric("ID").isin(list(self.ids if ids is None else ids))


def dashboard_of(name: str, group: str | None, runs: Sequence[TrackedRun]) -> Dashboard:
    """The dashboard of runs, best first. Raises RunError where one is damaged."""
    order = sorted(runs, key=lambda run: _merit(run.status), reverse=True)
    keys = frozenset[str]().union(*(logged_keys(run.status.folder, run.config) for run in order))
    return Dashboard(name, group, order[0].project, [run.config for run in order], [run.id for run in order], keys)


def _merit(status: RunStatus) -> tuple[float, float]:
    """By labels where they are known, else by the information of the first code."""
    return (
        -1.0 if status.acc is None else status.acc,
        float("-inf") if status.information is None else status.information,
    )


def logged_keys(folder: Path, config: Config) -> set[str]:
    """The keys under which W&B holds something of the run of this folder."""
    keys = set(read_metrics(folder).columns)
    keys |= {key.replace(INFORMATION, ENTROPY, 1) for key in keys if key.startswith(INFORMATION)}
    figures, summary = folder / "figures", read_summary(folder)
    for name in [*config.model.codes, "samples"]:
        if (figures / f"{name}.png").is_file() or any((figures / "history").glob(f"{name}_????????.png")):
            keys.add(f"figures/{name}")
    keys |= {f"evaluation/{path.stem}" for path in (figures / "evaluation").glob("*.png")}
    if (scores := folder / "evaluation.csv").is_file():
        with scores.open(newline="", encoding="utf-8") as file:
            keys |= {f"evaluation/{row['score']}" for row in csv.DictReader(file) if is_number(row["score"])}
    if (evaluation := read_evaluation(folder)) is not None:
        keys |= {SCORES, *(table_key(name) for name in evaluation.tables)}
    found = {"report": (folder / REPORT).is_file(), "film": any(figures.glob("film.*"))}
    if summary is not None:
        keys |= {f"{AT_MSE}{name}" for name in summary.information_at_mse}
        found |= {"codes_by_factor": bool(summary.factors), "matching": bool(summary.matching)}
    return keys | {key for key, there in found.items() if there}


def workspace(dashboard: Dashboard, entity: str) -> ws.Workspace:
    """The workspace. `entity`: whose project it is."""
    return ws.Workspace(
        entity=entity,
        project=dashboard.project,
        name=dashboard.name,
        auto_generate_panels=False,
        settings=ws.WorkspaceSettings(x_axis=ITERATION, max_runs=50),
        runset_settings=ws.RunsetSettings(filters=expr.And(dashboard.runs())),
        sections=[ws.Section(name=title, panels=panels, is_open=True) for title, panels in sections(dashboard).items()],
    )


def report(dashboard: Dashboard, entity: str) -> wr.Report:
    """The report. `entity`: whose project it is; empty where nothing is to be asked of the server."""

    def grid(panels: list[Any], ids: Sequence[str] | None = None) -> wr.PanelGrid:
        project = dashboard.project if entity else ""
        runset = wr.Runset(entity=entity, project=project, name=dashboard.name, filters=expr.And(dashboard.runs(ids)))
        return wr.PanelGrid(runsets=[runset], panels=panels)

    blocks: list[Any] = [wr.P(text=_about(dashboard)), wr.TableOfContents()]
    for title, panels in sections(dashboard).items():
        blocks += [wr.H2(text=title), grid(panels)]
        if title == GRIDS and dashboard.group is not None:
            best = [_grids(key, side_by_side=True) for key in _figures(dashboard)]
            blocks += [
                wr.H2(text=f"The best {min(BEST, len(dashboard.ids))} runs side by side"),
                grid(best, dashboard.ids[:BEST]),
            ]
    return wr.Report(
        entity=entity, project=dashboard.project, title=f"InfoGAN: {dashboard.name}", blocks=blocks, width="fluid"
    )


def _about(dashboard: Dashboard) -> str:
    data = ", ".join(dict.fromkeys(config.data.name for config in dashboard.configs))
    runs = "one run" if dashboard.group is None else f"{len(dashboard.ids)} runs"
    return (
        f"{runs} on {data}. L_I is the lower bound of the mutual information between a code and the image, in nats; "
        "the entropy of the code is the most that it can be."
    )


GRIDS = "Traversals"


def sections(dashboard: Dashboard) -> dict[str, list[Any]]:
    """The panels by the title of their section; no section without panels."""
    found = {
        "λ against scores": _against_lambda(dashboard),
        "Information and entropy": [
            wr.LinePlot(title=f"{code}: L_I and H, in nats", x=ITERATION, y=[*lines])
            for code in dashboard.codes
            if (lines := dashboard.held(information(code), entropy(code)))
        ]
        + _bars("L_I at σ² = MSE, in nats", dashboard.held(*(f"{AT_MSE}{code}" for code in dashboard.codes))),
        "Categories of real images": _real_images(dashboard),
        "The game": [
            wr.LinePlot(title=title, x=ITERATION, y=[*lines], range_y=span)
            for title, names, span in (
                ("D(real), D(fake)", (REAL, FAKE), (0, 1)),
                ("Losses", LOSSES, (None, None)),
                ("Balance: what the information's gradient is scaled by", (BALANCE,), (0, 1)),
            )
            if (lines := dashboard.held(*names))
        ],
        "Categories against labels": [
            wr.LinePlot(title=score.upper(), x=ITERATION, y=[score]) for score in dashboard.held(*CLUSTERING)
        ],
        GRIDS: [_grids(key) for key in _figures(dashboard)],
        "Evaluation": _evaluation(dashboard),
        "Report and film": [
            wr.MediaBrowser(title=key, media_keys=[key], num_columns=1, layout=wr.Layout(w=24, h=16))
            for key in dashboard.held("report", "film")
        ],
        "Tables": [
            wr.WeavePanelSummaryTable(table_name=key)
            for key in dashboard.held("codes_by_factor", "matching", SCORES, *TABLES)
        ],
    }
    return {title: panels for title, panels in found.items() if panels}


def _real_images(dashboard: Dashboard) -> list[Any]:
    """Panels of what consistency logs."""

    def plot(title: str, ending: str, *further: str, span: tuple[int | None, int | None] = (0, None)) -> list[Any]:
        lines = of_real_images(sorted(dashboard.keys), ending)
        held = dashboard.held(*further)
        return [wr.LinePlot(title=title, x=ITERATION, y=[*lines, *held], range_y=span)] if lines else []

    codes = dict.fromkeys(of_real_images(sorted(dashboard.keys), REAL_INFORMATION).values())
    return [
        *plot("Information of real images and H, the most it can be, in nats", REAL_INFORMATION, *map(entropy, codes)),
        *plot("Share of real images whose category their transform keeps", AGREEMENT, span=(0, 1)),
        *plot("Rarest category of real images, as a part of an even one", RAREST, span=(0, 1)),
        *plot("Information that two codes share on real images, in nats", SHARED),
    ]


def _against_lambda(dashboard: Dashboard) -> list[Any]:
    bounds = (name for code in dashboard.codes for name in (information(code), f"{AT_MSE}{code}"))
    scores = dashboard.held(*CLUSTERING, *bounds)
    return [
        wr.ScatterPlot(
            title=f"{score} over λ({code})", x=wr.Config(f"lambda.{code}"), y=wr.SummaryMetric(score), regression=False
        )
        for code in dashboard.swept
        for score in scores
    ]


NO_SCORES = {"error_by_class", "entropy", "images", "samples", "precision_recall_images", "draws"}
"""Parts of the paths of an evaluation's numbers that say what was measured, or too much of it for a panel."""


def _evaluation(dashboard: Dashboard) -> list[Any]:
    """A panel for each score, those of all codes together, and one for each picture."""
    scores: dict[str, list[str]] = {}
    pictures = []
    for key in sorted(key for key in dashboard.keys if key.startswith("evaluation/")):
        parts = key.split("/")[1:]
        if len(parts) == 1:
            pictures += [key] if key not in (SCORES, *TABLES) else []
        elif not NO_SCORES & {*parts}:
            scores.setdefault(" ".join(part for part in parts if part not in dashboard.codes), []).append(key)
    bars = [panel for title, keys in scores.items() for panel in _bars(title.replace("_", " "), keys)]
    return bars + [_grids(key) for key in pictures]


def _bars(title: str, keys: list[str]) -> list[Any]:
    return [wr.BarPlot(title=title, metrics=[*keys])] if keys else []


def _figures(dashboard: Dashboard) -> list[str]:
    return dashboard.held(*(f"figures/{name}" for name in [*dashboard.codes, "samples"]))


def _grids(key: str, side_by_side: bool = False) -> wr.MediaBrowser:
    title, size = key.removeprefix("figures/").removeprefix("evaluation/").replace("_", " "), wr.Layout(w=12, h=9)
    view: dict[str, Any] = {"num_columns": BEST, "mode": "gallery", "gallery_axis": "run"} if side_by_side else {}
    return wr.MediaBrowser(title=title, media_keys=[key], layout=size, **{"num_columns": 1, **view})


def tracked_runs(folders: Sequence[Path]) -> list[TrackedRun]:
    """Those of the run folders that have a W&B run. Raises RunError where a folder cannot be read."""
    statuses = [read_status(folder) for folder in folders]
    for status in statuses:
        if status.config is None:
            raise RunError(status.reason)
    return [
        TrackedRun(status, status.config, status.config.logger.project, wandb_id(status.folder))
        for status in statuses
        if status.config is not None and isinstance(status.config.logger, WandbConfig) and not is_new(status.folder)
    ]


def send(dashboard: Dashboard) -> dict[str, str]:
    """Saves workspace and report in W&B, and returns their addresses by name. Raises whatever W&B, its transport or the
    library on top of both do."""
    import wandb

    api = wandb.Api()
    entity = str(api.default_entity)
    api.run(f"{entity}/{dashboard.project}/{dashboard.ids[0]}").load()
    saved = {"workspace": workspace(dashboard, entity).save(), "report": report(dashboard, entity).save()}
    return {name: view.url for name, view in saved.items()}


def write_dashboard(dashboard: Dashboard, folder: Path) -> Path:
    """dashboard.json in this folder: workspace and report as W&B takes them. Returns its path."""
    models = {"workspace": workspace(dashboard, "")._to_model(), "report": report(dashboard, "")._to_model()}
    path = folder / "dashboard.json"
    texts = {name: model.model_dump_json(by_alias=True, exclude_none=True) for name, model in models.items()}
    write_json(path, {"project": dashboard.project, **{name: json.loads(text) for name, text in texts.items()}})
    return path
