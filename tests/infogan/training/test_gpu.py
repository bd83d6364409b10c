"""On a GPU: the training of a CPU, exact resumption, whole iterations as one graph, and nothing that waits."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from infogan.config.check import check
from infogan.datamodules import base
from infogan.experiments.fit import train
from infogan.experiments.prepare import create, reopen
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from infogan.trained.model import load_run
from infogan.training.cuda_graph import WARM_UP
from infogan.training.module import InfoGAN
from tests.infogan.processes import largest_difference, rows, tensors
from tests.infogan.training.options import HINGE, RELATIVISTIC

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU here")

LAST = 30
EAGER, GRAPH = "trainer.cuda_graph=false", "trainer.cuda_graph=true"
GAMES = {"the paper's": [], "relativistic": RELATIVISTIC, "hinge": HINGE, "balanced": ["model.balance=0.5"]}
"""Relativistic and hinge with every other option of the objective on."""


@pytest.fixture
def make_run(compose_values, tmp_path):
    def run(name, *overrides, iterations=LAST):
        every = ["callbacks.log_every=5", "callbacks.checkpoint_every=10", "callbacks.scores_every=10"]
        options = ["trainer=gpu", f"trainer.max_iterations={iterations}", *every, "callbacks.traversals_every=15"]
        return create(check(compose_values(*options, *overrides)), tmp_path, name)

    return run


def numbers(folder):
    """Each row of metrics.csv: its losses and bounds."""
    return [{k: float(v) for k, v in row.items() if k.startswith(("loss/", "information/"))} for row in rows(folder)]


def digest(folder):
    weights = tensors(load_tree(newest_checkpoint(folder))["state_dict"])
    return hashlib.sha256(b"".join(weight.cpu().contiguous().numpy().tobytes() for weight in weights)).hexdigest()


@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float32", 2e-4), ("tf32", 0.02), ("bf16", 0.05), ("fp16", 0.02)]
)
def test_a_gpu_trains_what_a_cpu_does(make_run, precision, tolerance):
    """Until rounding has grown: the first row of the log, the mean of 5 iterations."""
    runs = [
        make_run("gpu", f"trainer.precision={precision}", iterations=5),
        make_run("cpu", "trainer=cpu", "trainer.precision=float32", iterations=5),
    ]
    for folder in runs:
        train(folder)
    ((on_gpu,), (on_cpu,)) = (numbers(folder) for folder in runs)
    assert on_gpu == pytest.approx(on_cpu, rel=tolerance, abs=tolerance)
    assert on_gpu != on_cpu


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
@pytest.mark.parametrize("graph", [EAGER, GRAPH])
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_resume_and_seed_are_exact(make_run, precision, graph, game):
    options = [f"trainer.precision={precision}", graph, *game]
    whole, again, stopped = (
        make_run("whole", *options),
        make_run("again", *options),
        make_run("stopped", *options, iterations=13),
    )
    for folder in (whole, again, stopped):
        train(folder)
    assert digest(whole) == digest(again)
    reopen(stopped, {"trainer": {"max_iterations": LAST}})
    train(stopped)
    assert largest_difference(whole, stopped) == 0.0
    assert rows(whole) == rows(stopped)
    other = make_run("other", *options, "seed=1")
    train(other)
    assert digest(whole) != digest(other)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16", "fp16"])
@pytest.mark.parametrize("norm", ["false", "true"])
@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_a_graph_is_the_same_training(make_run, precision, norm, game):
    """Also of the average of G, whose weight changes each iteration, and of R1 and R2, which make graphs of their
    own."""
    options = [f"trainer.precision={precision}", f"model.discriminator.spectral_norm={norm}", *game]
    runs = [make_run("eager", *options, EAGER), make_run("graph", *options, GRAPH)]
    for folder in runs:
        train(folder)
    assert rows(runs[0]) == rows(runs[1])
    assert digest(runs[0]) == digest(runs[1])
    trees = [load_tree(newest_checkpoint(folder)) for folder in runs]
    assert trees[0]["global_step"] == trees[1]["global_step"] == 2 * LAST
    assert not any(
        group["capturable"] for tree in trees for o in tree["optimizer_states"] for group in o["param_groups"]
    )
    assert largest_difference(*runs) == 0.0


EVERY = 4
REGULARISERS = [
    f"+model.regularisers.smooth={{kind: r1, weight: [[0, 0], [10, 2.0]], every: {EVERY}}}",
    "+model.regularisers.same={kind: consistency, weight: 1, every: 1, codes: [c1], images: 96, marginals: 1.5, "
    "apart: 0, transforms: {rotation: 15, scale: 0.15, shear: 0.2, shift: 0.075}}",
]
"""R1, which derives D twice and whose weight changes, and consistency, which takes further images and draws."""


@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16", "fp16"])
def test_graphs_with_regularisers_are_the_same_training(make_run, monkeypatch, precision):
    """Two graphs take turns, one for each set of terms that is due; both are captured and replayed in so many
    iterations."""
    sets_due = []
    iterate, replayed = InfoGAN._iterate, InfoGAN._replayed

    def as_it_is(self, inputs, due):
        sets_due.append(set(due))
        return iterate(self, inputs, due)

    def watched(self, inputs, due):
        measured = replayed(self, inputs, due)
        if self.iteration == LAST - 1:
            assert [graph.replays for graph in self._graphs.values()] == [True, True]
        return measured

    monkeypatch.setattr(InfoGAN, "_iterate", as_it_is)
    monkeypatch.setattr(InfoGAN, "_replayed", watched)
    options = [f"trainer.precision={precision}", *REGULARISERS, "callbacks.log_every=1"]
    runs, counts = [make_run("eager", *options, EAGER), make_run("graph", *options, GRAPH)], []
    for folder in runs:
        train(folder)
        counts.append([sets_due.count(due) for due in ({"same"}, {"smooth", "same"})])
        sets_due.clear()
    due = range(EVERY, LAST, EVERY)  # in iteration 0 its weight is 0
    assert counts[0] == [LAST - len(due), len(due)]
    assert counts[1] == [WARM_UP + 1, WARM_UP + 1], "three as they are, and one that is captured"
    written = [rows(folder) for folder in runs]
    assert written[0] == written[1]
    penalties = [row["regulariser/smooth"] for row in written[0]]
    assert [k for k, value in enumerate(penalties) if value] == list(due)
    assert all(-1e-3 < float(row["regulariser/same/c1"]) < 2.303 for row in written[0])
    assert digest(runs[0]) == digest(runs[1])
    assert largest_difference(*runs) == 0.0
    plain = make_run("plain", f"trainer.precision={precision}", GRAPH)
    train(plain)
    assert digest(plain) != digest(runs[1])


@pytest.mark.parametrize("graph", [EAGER, GRAPH])
def test_compiled_networks_train_alike(make_run, graph):
    ways = {"plain": [EAGER], "compiled": [graph, "trainer.compile=default"]}
    runs = [make_run(name, "trainer.precision=float32", *way, iterations=5) for name, way in ways.items()]
    for folder in runs:
        train(folder)
    ((exact,), (row,)) = (numbers(folder) for folder in runs)
    assert row == pytest.approx(exact, rel=1e-3, abs=1e-3)


def test_images_on_the_host_are_the_same_images(make_run, monkeypatch):
    here = make_run("device")
    train(here)
    monkeypatch.setattr(base, "SHARE_OF_DEVICE", 0.0)
    there = make_run("host")
    train(there)
    assert largest_difference(here, there) == 0.0


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_an_iteration_never_waits_for_the_device(make_run, monkeypatch, precision, game):
    step = InfoGAN.training_step

    def watched(self, real, batch_idx):
        torch.cuda.set_sync_debug_mode("error")
        try:
            return step(self, real, batch_idx)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(InfoGAN, "training_step", watched)
    folder = make_run("run", f"trainer.precision={precision}", EAGER, *game)  # the capture waits, once
    train(folder)
    assert load_tree(newest_checkpoint(folder))["iteration"] == LAST


def test_a_run_continues_from_one_kind_of_machine_to_the_other(make_run):
    folder = make_run("run", GRAPH, "trainer.precision=bf16", iterations=10)
    train(folder)
    reopen(
        folder, {"trainer": {"max_iterations": 20, "accelerator": "cpu", "cuda_graph": "auto", "precision": "float32"}}
    )
    train(folder)
    reopen(folder, {"trainer": {"max_iterations": 30, "accelerator": "gpu", "cuda_graph": True}})
    train(folder)
    assert [row["iteration"] for row in rows(folder)] == [str(k) for k in range(5, 31, 5)]


def test_commands_give_what_they_give_on_a_cpu(make_run):
    folder = make_run("run", "trainer.precision=float32", iterations=10)
    train(folder)
    model, on_gpu = load_run(folder), load_run(folder, device="cuda")
    images = model.generate(20, seed=0).astype(int)
    assert np.abs(images - on_gpu.generate(20, seed=0).astype(int)).max() <= 1
    found = []
    for accelerator in ("cpu", "gpu"):
        command = [sys.executable, "-m", "infogan.evaluate", f"run={folder}", f"accelerator={accelerator}"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        lines = [line.split(",") for line in (folder / "evaluation.csv").read_text().splitlines()[1:]]
        found.append({name: float(value) for name, value, *_ in lines if not name.startswith("image_quality")})
    assert found[1] == pytest.approx(found[0], rel=0.02, abs=0.02)
