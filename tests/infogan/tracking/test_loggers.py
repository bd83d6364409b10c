"""metrics.csv survives a restart; what lands in W&B's offline files is what a reviewer needs."""

import json
import math
import os
import shutil
import signal

import lightning as L
import pytest
from PIL import Image

from infogan.config.check import check
from infogan.errors import Stopped
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder.configuration import load_config
from infogan.run_folder.evaluation import Evaluation
from infogan.run_folder.metrics import read_metrics
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from infogan.tracking.metrics_file import MetricsFile, finite
from infogan.tracking.wandb_run import add_evaluation, conclusion_tables
from infogan.tracking.wandb_session import wandb_mode
from infogan.trained.model import load
from tests.infogan.summaries import ATTRIBUTES
from tests.infogan.summaries import summary_of as a_summary
from tests.infogan.wandb_files import history, records, summary_of


def test_metrics_file_merges_an_iteration_and_fills_new_columns(tmp_path):
    file = MetricsFile(tmp_path, 0)
    file.log_metrics({"loss": 0.5}, step=10)
    file.log_metrics({"acc": 0.25}, step=10)
    file.log_metrics({"loss": 0.125}, step=20)
    file.log_metrics({"loss": 1.0, "new": 3.0}, step=30)
    file.save()
    file.log_metrics({"late": 4.0}, step=30)
    file.finalize("success")
    text = (tmp_path / "metrics.csv").read_text()
    assert text == "iteration,loss,acc,new,late\n10,0.5,0.25,,\n20,0.125,,,\n30,1.0,,3.0,4.0\n"


def test_metrics_file_drops_what_comes_after_the_checkpoint(tmp_path):
    first = MetricsFile(tmp_path, 0)
    for step in (10, 20, 30):
        first.log_metrics({"loss": 1 / step}, step=step)
    first.save()
    again = MetricsFile(tmp_path, 20)
    assert again.rows == [{"iteration": 10, "loss": 0.1}, {"iteration": 20, "loss": 0.05}]
    again.log_metrics({"loss": 0.5}, step=30)
    again.save()
    assert [row["iteration"] for row in read_metrics(tmp_path).rows] == [10, 20, 30]
    assert read_metrics(tmp_path).rows[-1]["loss"] == 0.5


@pytest.mark.parametrize("torn", ["3", "30,0.1", "30,0.125"])
def test_a_line_without_its_end_is_not_read(tmp_path, torn):
    """A kill or a full disk in the middle of a line must not make a row of iteration 3 out of one of iteration 30."""
    path = tmp_path / "metrics.csv"
    path.write_text(f"iteration,loss\n10,0.5\n20,0.25\n{torn}")
    assert [row["iteration"] for row in read_metrics(tmp_path).rows] == [10, 20]


def test_finite():
    assert [finite(x) for x in (1.5, math.nan, math.inf)] == [1.5, None, None]


def test_wandb_mode_follows_the_credentials(monkeypatch, tmp_path):
    assert wandb_mode("auto") == "offline"
    assert wandb_mode("online") == "online"
    (tmp_path / "netrc").write_text("machine api.wandb.ai\n  login user\n  password 0\n")
    assert wandb_mode("auto") == "online"
    assert wandb_mode("offline") == "offline"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_mode("auto") == "offline"
    monkeypatch.delenv("WANDB_MODE")
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", "0")
    assert wandb_mode("auto") == "online"


class Signal(L.Callback):
    """SIGTERM in the seventh iteration."""

    def on_train_batch_start(self, trainer, module, batch, index):
        if module.iteration == 6:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_closes_the_run_which_then_continues_without_a_gap(compose_values, tmp_path):
    folder = create(check(compose_values("logger=wandb", "trainer.max_iterations=10")), tmp_path, "run")
    with pytest.raises(Stopped):
        train(folder, [Signal()])
    train(reopen(folder, {}))
    found = records(folder)
    assert [row["iteration"] for row in history(found) if "loss/generator" in row] == [5, 10]
    exits = [record.exit.exit_code for record in found if record.WhichOneof("record_type") == "exit"]
    assert exits[0] != 0, "stopped, not finished"


def test_offline_run(compose_values, tmp_path):
    values = compose_values(
        "logger=wandb", "trainer.max_iterations=10", "callbacks.scores_every=10", "callbacks.traversals_every=5"
    )
    (tmp_path / "the-sweep").mkdir()
    (tmp_path / "the-sweep" / "multirun.yaml").touch()
    folder = create(check(values), tmp_path / "the-sweep", "the-run")
    train(folder)
    reopen(folder, {"trainer": {"max_iterations": 20}})
    train(folder)

    found = records(folder)
    runs = [record.run for record in found if record.WhichOneof("record_type") == "run"]
    assert {run.run_id for run in runs} == {(folder / "wandb" / "id").read_text()}
    run = runs[0]
    assert (run.run_group, run.job_type, run.display_name) == ("the-sweep", "digits", "the-run")
    assert list(run.tags) == ["digits"], "the data set's name is the model's too"
    assert run.notes.startswith(
        "digits, seed 0. Codes: c1 (10 categories), c2, c3 (uniform on [-1, 1], σ of Q 1); λ(c1)"
    )
    assert runs[1].notes == "", "somebody may have changed them since"
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["model"]["lambda_categorical"] == 1.0
    assert config["lambda"] == {"c1": 1.0, "c2": 1.0, "c3": 1.0}
    assert config["provenance"]["torch"]

    rows = history(found)
    curves = {}
    for row in rows:
        for key, value in row.items():
            curves.setdefault(key, []).append((row["iteration"], value))
    for key in ("information/c1", "loss/discriminator", "loss/generator", "D/real", "D/fake", "images_per_second"):
        assert [iteration for iteration, _ in curves[key]] == [5, 10, 15, 20], key
    assert [iteration for iteration, _ in curves["acc"]] == [10, 20]
    for name, entropy in (("c1", math.log(10)), ("c2", math.log(2)), ("c3", math.log(2))):
        assert curves[f"entropy/{name}"] == [(iteration, pytest.approx(entropy)) for iteration in (5, 10, 15, 20)]
    assert "trainer/global_step" not in curves
    csv_rows = read_metrics(folder).rows
    assert [value for _, value in curves["information/c1"]] == [row["information/c1"] for row in csv_rows]
    for name in ("c1", "c2", "c3", "samples"):
        captions = [value for _, value in curves[f"figures/{name}/caption"]]
        assert captions == ["iteration 5", "iteration 10", "iteration 15", "iteration 20"]
        assert [value for _, value in curves["figures/real/caption"]] == ["real images"] * 2
        for _, path in curves[f"figures/{name}/path"]:
            assert any((run / "files" / path).is_file() for run in (folder / "wandb").glob("offline-run-*"))
    assert len(curves["figures/curves/path"]) == 2
    sent = {path.read_bytes() for path in (folder / "wandb").glob("offline-run-*/files/media/images/figures/*.png")}
    kept = {path.name: path.read_bytes() for path in (folder / "figures" / "history").iterdir()}
    assert len(kept) == 2 * 4  # grids of three codes and samples after 5 and 15 iterations; the others are final ones
    assert {name for name, content in kept.items() if content not in sent} == set()

    defined = [record.metric for record in found if record.WhichOneof("record_type") == "metric"]
    assert any(metric.glob_name == "*" and metric.step_metric == "iteration" for metric in defined)
    assert not any(metric.summary.best for metric in defined)
    assert {metric.name for metric in defined if metric.summary.mean} == {"images_per_second"}
    summary = summary_of(found)
    assert summary["iterations"] == 20
    read_back = {name: json.loads((folder / "summary.json").read_text())[name] for name in ("matching", "factors")}
    assert {name: summary[name] for name in read_back} == read_back
    (newest,) = (folder / "wandb").glob(f"offline-run-*/files/{summary['matching/path']}")
    assert json.loads(newest.read_text()) == {
        "columns": ["category", "class"],
        "data": [[int(category), name] for category, name in read_back["matching"].items()],
    }


def test_the_final_checkpoint_is_an_artifact_that_opens(compose_values, tmp_path):
    for artifact in (True, False):
        options = ["logger=wandb", f"logger.artifact={str(artifact).lower()}", "trainer.max_iterations=5"]
        folder = create(check(compose_values(*options)), tmp_path, f"run-{artifact}")
        train(folder)
        found = [record.artifact for record in records(folder) if record.WhichOneof("record_type") == "artifact"]
        models = [artifact for artifact in found if artifact.type == "model"]
        assert len(models) == artifact
        for model in models:
            assert sorted(model.aliases) == ["iteration-5", "latest"]
            assert json.loads(model.metadata)["iterations"] == 5
            for entry in model.manifest.contents:
                (tmp_path / "downloaded" / entry.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(entry.local_path, tmp_path / "downloaded" / entry.path)
            opened = load(tmp_path / "downloaded")
            assert opened.iteration == 5
            assert opened.summary.iterations == 5
    assert not list((tmp_path / "wandb-data").rglob("*.safetensors")), "the checkpoint was copied"


def test_the_table_of_codes_by_factor():
    factors = {
        "spearman": {"c2": {"azimuth": 0.25, "width": 0.5}, "c3": {"azimuth": 0.75, "width": 0.125}},
        "nmi": {"c1": {"label": 0.5, "shape": 1.0}, "c4": {"shape": 0.0}},
    }
    tables = conclusion_tables(a_summary(factors=factors))
    assert list(tables) == ["codes_by_factor"]
    assert tables["codes_by_factor"].columns == ["code", "score", "azimuth", "width", "label", "shape"]
    assert tables["codes_by_factor"].data == [
        ["c2", "spearman", 0.25, 0.5, None, None],
        ["c3", "spearman", 0.75, 0.125, None, None],
        ["c1", "nmi", None, None, 0.5, 1.0],
        ["c4", "nmi", None, None, None, 0.0],
    ]
    assert conclusion_tables(a_summary()) == {}


def test_an_evaluation_lands_in_the_same_run(compose_values, tmp_path):
    folder = create(check(compose_values("logger=wandb", "trainer.max_iterations=5")), tmp_path, "run")
    train(folder)
    information = {"c1": {"entropy": 2.3, "eval": {"mean": 2.0, "low": 1.9, "high": 2.1}}}
    clustering = {"c1": {"nmi": 0.5, "ari": 0.5, "acc": 0.5}}
    evaluation = Evaluation(iterations=5, information=information, clustering=clustering, attributes=ATTRIBUTES)
    pictures = {"neighbours": Image.new("RGB", (8, 8))}
    add_evaluation(folder, load_config(folder), 5, evaluation, pictures, folder / "report.html")
    found = records(folder)
    runs = [record.run for record in found if record.WhichOneof("record_type") == "run"]
    assert {run.run_id for run in runs} == {(folder / "wandb" / "id").read_text()}
    summary = summary_of(found)
    assert summary["evaluation/clustering/c1/acc"] == 0.5
    assert summary["evaluation/information/c1/eval"] == 2.0
    keys = set().union(*history(found))
    assert {"evaluation/scores/path", "evaluation/neighbours/path", "report/path"} <= keys
    assert [row["iteration"] for row in history(found) if "evaluation/scores/path" in row] == [5]
    assert {"evaluation/attributes_table/path", "evaluation/categories_table/path"} <= keys
    assert summary["evaluation/attributes/tad/score"] == 0.25
    assert not [key for key in keys if "/by_" in key], "hundreds of numbers are in the tables alone"
    (path,) = (row[key] for row in history(found) if (key := "evaluation/attributes_table/path") in row)
    (table,) = (json.loads(file.read_text()) for file in (folder / "wandb").glob(f"offline-run-*/files/{path}"))
    assert table["data"] == [
        ["<i>Bald", 0.02, "not c2", 0.875, None, None, None, None, 0.9375],
        ["Smiling", 0.5, "c1=3", 0.625, "c1=3,4", 0.75, "c1", 0.125, 0.8125],
    ]


def test_an_evaluation_of_a_run_without_wandb(compose_values, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=1")), tmp_path, "run")
    add_evaluation(folder, load_config(folder), 1, Evaluation(iterations=1), {}, folder / "report.html")
    assert not (folder / "wandb").exists()


def test_logging_changes_nothing(compose_values, tmp_path):
    weights = []
    for logger in ("none", "csv", "wandb"):
        folder = create(check(compose_values(f"logger={logger}", "trainer.max_iterations=10")), tmp_path, logger)
        train(folder)
        weights.append(load_tree(newest_checkpoint(folder))["state_dict"])
    assert (tmp_path / "csv" / "csv" / "version_0" / "metrics.csv").is_file()
    for other in weights[1:]:
        assert all(weights[0][name].equal(other[name]) for name in weights[0])
