"""What W&B shows of a run that was trained, resumed and evaluated without a server, once `wandb sync` has sent it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infogan import evaluate
from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder.metrics import read_metrics
from infogan.run_folder.summary import read_summary
from tests.infogan.wandb_server import KEY, serving


@pytest.fixture
def page(compose_values, call, tmp_path):
    """The page, and the run's folder: trained to 12 iterations, to 20, and evaluated, three parts in W&B's words."""
    often = ["callbacks.log_every=4", "callbacks.traversals_every=5", "callbacks.scores_every=100"]
    values = compose_values("data=digits", "logger=wandb", "logger.tags=[mine]", "trainer.max_iterations=12", *often)
    folder = create(check(values), tmp_path, "run")
    train(folder)
    train(reopen(folder, {"trainer": {"max_iterations": 20}}))
    small = [
        "metrics.latents=1000",
        "metrics.images=1000",
        "metrics.draws=1",
        f"metrics.inception_weights={tmp_path}/no",
    ]
    code, _, err = call(evaluate.main, f"run={folder}", "threads=1", *small)
    assert (code, err) == (0, "")
    parts = sorted((folder / "wandb").glob("offline-run-*"))
    assert len(parts) == 3
    with serving() as server:
        environment = {**os.environ, "WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY}
        for part in parts:
            command = [Path(sys.executable).with_name("wandb"), "sync", part]
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    (found,) = server.pages.values()
    return found, folder


def test_the_page_is_that_of_the_run(page):
    page, folder = page
    history = [json.loads(line) for line in page["wandb-history.jsonl"]]
    summary = json.loads(page["wandb-summary.json"][-1])

    assert page["tags"] == ["digits", "mine"], "each once, though data set and model have the same name"
    assert page["notes"].startswith(
        "digits, seed 0. Codes: c1 (10 categories), c2, c3 (uniform on [-1, 1], σ of Q 1); λ"
    )
    assert summary["iteration"] == 20
    assert all(row["iteration"] for row in history)
    steps = [row["_step"] for row in history]
    assert steps == sorted(set(steps)), "parts count on, where each would begin at 0"
    losses = [row["iteration"] for row in history if "loss/generator" in row]
    assert losses == [4, 8, 12, 16, 20] == [row["iteration"] for row in read_metrics(folder).rows]

    trained = read_summary(folder)
    for key in ("acc", "iterations", "information"):
        assert summary[key] == pytest.approx(getattr(trained, key)), "the evaluation's part has not replaced it"
    for code, bound in trained.information_at_mse.items():
        assert summary[f"information_at_mse/{code}"] == pytest.approx(bound)
    assert {"D/real", "D/fake", "information/c1", "figures/c1", "matching", "codes_by_factor"} <= summary.keys()
    assert all(isinstance(summary[key], float) for key in ("D/real", "D/fake", "loss/generator", "information/c1"))

    evaluated = json.loads((folder / "evaluation.json").read_text())
    (row,) = [row for row in history if "evaluation/scores" in row]
    assert row["iteration"] == 20
    assert row["evaluation/clustering/c1/acc"] == evaluated["clustering"]["c1"]["acc"]
    assert summary["evaluation/clustering/c1/acc"] == evaluated["clustering"]["c1"]["acc"]

    assert summary["figures/real"]["caption"] == "real images"
    assert summary["figures/samples"]["caption"] == "iteration 20"
    reports = [row["iteration"] for row in history if "report" in row]
    assert reports == [12, 20, 20], "the last has the evaluation in it"
    assert summary["film"]["path"].endswith((".mp4", ".gif"))
    for key in ("film", "report", "evaluation/confusion_c1"):
        assert summary[key]["path"] in page["files"]
