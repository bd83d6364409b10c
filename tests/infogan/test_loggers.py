"""metrics.csv survives a restart; what lands in W&B's offline files is what a reviewer needs."""

import json
import math
import os
import signal
import time

import lightning as L
import pytest
from PIL import Image
from wandb.proto import wandb_internal_pb2

from infogan.config import check
from infogan.errors import Stopped
from infogan.experiment import create, load_config, reopen, train
from infogan.loggers import MetricsFile, add_evaluation, finite, read_metrics, wandb_mode
from infogan.storage import load_tree, newest_checkpoint


def test_metrics_file_merges_an_iteration_and_fills_new_columns(tmp_path):
    file = MetricsFile(tmp_path / "metrics.csv", 0)
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
    first = MetricsFile(tmp_path / "metrics.csv", 0)
    for step in (10, 20, 30):
        first.log_metrics({"loss": 1 / step}, step=step)
    first.save()
    again = MetricsFile(tmp_path / "metrics.csv", 20)
    assert again.rows == [{"iteration": 10, "loss": 0.1}, {"iteration": 20, "loss": 0.05}]
    again.log_metrics({"loss": 0.5}, step=30)
    again.save()
    assert [row["iteration"] for row in read_metrics(tmp_path / "metrics.csv")] == [10, 20, 30]
    assert read_metrics(tmp_path / "metrics.csv")[-1]["loss"] == 0.5


@pytest.mark.parametrize("torn", ["3", "30,0.1", "30,0.125"])
def test_a_line_without_its_end_is_not_read(tmp_path, torn):
    """A kill or a full disk in the middle of a line must not make a row of iteration 3 out of one of iteration 30."""
    path = tmp_path / "metrics.csv"
    path.write_text(f"iteration,loss\n10,0.5\n20,0.25\n{torn}")
    assert [row["iteration"] for row in read_metrics(path)] == [10, 20]


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


BLOCK, FILE_HEADER, RECORD_HEADER = 32768, 7, 7
FULL, FIRST, LAST_PART = 1, 2, 4


def records(folder):
    """Every record of the run's offline files, oldest first.

    W&B's own process may still be writing when `finish` has returned: each file is read until it holds its last record.
    """
    found = []
    for path in sorted((folder / "wandb").glob("offline-run-*/*.wandb")):
        deadline = time.monotonic() + 60
        while not (of_file := records_of(path)) or of_file[-1].WhichOneof("record_type") != "exit":
            assert time.monotonic() < deadline, f"{path} has no end"
            time.sleep(0.05)
        found += of_file
    return found


def records_of(path):
    """The records that a file holds by now. It is a LevelDB log: records cut at 32 KiB blocks."""
    found = []
    if path.stat().st_size > FILE_HEADER:
        data, position, parts = path.read_bytes(), FILE_HEADER, b""
        assert data.startswith(b":W&B")
        while position + RECORD_HEADER <= len(data):
            left = BLOCK - position % BLOCK
            if left < RECORD_HEADER:
                position += left
                continue
            length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
            position += RECORD_HEADER
            part = data[position : position + length]
            parts = part if kind in (FULL, FIRST) else parts + part
            position += length
            if kind in (FULL, LAST_PART):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(parts)
                found.append(record)
    return found


def history(found):
    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]


class Signal(L.Callback):
    """SIGTERM in the seventh iteration."""

    def on_train_batch_start(self, trainer, module, batch, index):
        if module.iteration == 6:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_closes_the_run_which_then_goes_on_without_a_gap(compose_values, tmp_path):
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
    assert "digits" in run.tags
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["model"]["lambda_categorical"] == 1.0
    assert config["provenance"]["torch"]

    rows = history(found)
    curves = {}
    for row in rows:
        for key, value in row.items():
            curves.setdefault(key, []).append((row["iteration"], value))
    for key in ("information/c1", "loss/discriminator", "loss/generator", "D/real", "D/fake", "images_per_second"):
        assert [iteration for iteration, _ in curves[key]] == [5, 10, 15, 20], key
    assert [iteration for iteration, _ in curves["acc"]] == [10, 20]
    assert "trainer/global_step" not in curves
    csv_rows = read_metrics(folder / "metrics.csv")
    assert [value for _, value in curves["information/c1"]] == [row["information/c1"] for row in csv_rows]
    for name in ("c1", "c2", "c3", "samples"):
        captions = [value for _, value in curves[f"figures/{name}/caption"]]
        assert captions == ["iteration 5", "iteration 10", "iteration 15", "iteration 20"]
        for _, path in curves[f"figures/{name}/path"]:
            assert any((run / "files" / path).is_file() for run in (folder / "wandb").glob("offline-run-*"))
    assert len(curves["figures/curves/path"]) == 2

    defined = [record.metric for record in found if record.WhichOneof("record_type") == "metric"]
    assert any(metric.glob_name == "*" and metric.step_metric == "iteration" for metric in defined)
    last = {metric.name or metric.glob_name for metric in defined if metric.summary.last}
    assert {"acc", "nmi", "ari", "information/*"} <= last
    assert {metric.name for metric in defined if metric.summary.mean} == {"images_per_second"}
    summary = {}
    for record in found:
        if record.WhichOneof("record_type") == "summary":
            summary |= {item.key: item.value_json for item in record.summary.update}
    assert json.loads(summary["iterations"]) == 20


def test_an_evaluation_lands_in_the_same_run(compose_values, tmp_path):
    folder = create(check(compose_values("logger=wandb", "trainer.max_iterations=5")), tmp_path, "run")
    train(folder)
    rows = {"clustering/c1/acc": (0.5, None, None), "information/c1/eval": (2.0, 1.9, 2.1)}
    add_evaluation(folder, load_config(folder), rows, {"neighbours": Image.new("RGB", (8, 8))})
    found = records(folder)
    runs = [record.run for record in found if record.WhichOneof("record_type") == "run"]
    assert {run.run_id for run in runs} == {(folder / "wandb" / "id").read_text()}
    summary = {}
    for record in found:
        if record.WhichOneof("record_type") == "summary":
            summary |= {"/".join(item.nested_key) or item.key: item.value_json for item in record.summary.update}
    assert json.loads(summary["evaluation/clustering/c1/acc"]) == 0.5
    assert json.loads(summary["evaluation/information/c1/eval"]) == 2.0
    keys = set().union(*history(found))
    assert {"evaluation/scores/path", "evaluation/neighbours/path"} <= keys


def test_an_evaluation_of_a_run_without_wandb(compose_values, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=1")), tmp_path, "run")
    add_evaluation(folder, load_config(folder), {}, {})
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
