"""Kinds of codes in everything that is done with a run: those of another package, which no part of the project knows,
and the circular one."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

import infogan
from infogan import edit, evaluate, export, film, generate, train
from infogan.config.opening import InversionConfig
from infogan.explorer.answers import Explorer
from infogan.explorer.page import build
from infogan.run_folder.metrics import read_metrics

KINDS = {
    "binary": "{kind: 'tests.infogan.codes.kinds:Binary', share: 0.3}",
    "angle": "{kind: 'tests.infogan.codes.kinds:Angle'}",
    "pair": "{kind: 'tests.infogan.codes.kinds:Pair'}",
    "circular": "{kind: circular, largest_kappa: 10.0}",
}
ASKED = {"binary": "1", "angle": "-30:30", "pair": "[0.5,2]", "circular": "170:190"}
COLUMNS = {"binary": ["c4"], "angle": ["c4"], "pair": ["c4_1", "c4_2"], "circular": ["c4"]}
LABELS = {
    "binary": ["0", "1"],
    "angle": ["+180°", "-60°", "+60°"],
    "pair": ["1: -1", "1: +1", "1: +3", "2: 0", "2: 1", "2: 2"],
    "circular": ["+180°", "-60°", "+60°"],
}
CONTROLS = {"binary": ["Radio"], "angle": ["Slider"], "pair": ["Slider", "Radio"], "circular": ["Slider"]}


@pytest.fixture(params=KINDS, scope="module")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def run(kind, tmp_path_factory, stores):
    """A run of 20 iterations on digits with such a code beside the preset's."""
    outputs = tmp_path_factory.mktemp(kind)
    patch = pytest.MonkeyPatch()
    patch.setattr("sys.argv", ["infogan.train", "data=digits", "logger=none", "trainer=cpu", "trainer.threads=1",
                               "trainer.max_iterations=20", "callbacks.traversal_rows=3",
                               "callbacks.traversal_points=3", "callbacks.log_every=5", "callbacks.traversals_every=10",
                               "callbacks.scores_every=10", "callbacks.score_images=100", f"paths.outputs={outputs}",
                               f"paths.stores={stores}", f"+model.codes.c4={KINDS[kind]}"])  # fmt: skip
    train.main()
    patch.undo()
    (folder,) = outputs.glob("*_digits")
    return folder


def test_training_leaves_grids_curves_and_the_report(run, kind):
    summary = json.loads((run / "summary.json").read_text())
    assert set(summary["information"]) == {"c1", "c2", "c3", "c4"}
    entropy = {"binary": -0.3 * np.log(0.3) - 0.7 * np.log(0.7), "pair": np.log(6)}.get(kind, np.log(2 * np.pi))
    assert summary["entropy"]["c4"] == pytest.approx(entropy, rel=1e-5)
    rows = read_metrics(run).rows
    assert all("information/c4" in row for row in rows if "loss/discriminator" in row)
    assert any("health/categories/c4" in row for row in rows) is (kind == "binary")
    with Image.open(run / "figures" / "c4.png") as grid:
        assert grid.height > 3 * 56
    said = {"binary": "two categories, 30% of the second", "circular": "an angle, κ of Q below 10"}
    assert said.get(kind, "tests.infogan.codes.kinds:") in (run / "report.html").read_text()


def test_traversals_have_the_values_of_the_domain(run, kind):
    latents = infogan.load(run).latents
    rows, labels = latents.traversal("c4", 3)
    assert labels == LABELS[kind]
    assert rows.shape == (len(labels), latents.code("c4").width)
    walk = latents.walk("c4", 12)
    assert walk.shape == (12, latents.code("c4").width) and (walk.std(dim=0) > 0.1).all()


def test_generate_draws_what_is_asked(run, kind, call, tmp_path):
    to = tmp_path / "images"
    code, _, err = call(generate.main, f"run={run}", "count=30", f"codes.c4={ASKED[kind]}", f"to={to}")
    assert (code, err) == (0, "")
    with (to / "codes.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [name for name in lines[0] if name.startswith("c4")] == COLUMNS[kind]
    values = np.array([[float(line[name]) for name in COLUMNS[kind]] for line in lines])
    if kind == "angle":
        assert -30 <= values.min() < -10 and 10 < values.max() <= 30
    elif kind == "circular":
        assert (np.abs(values) > 170 - 1e-3).all() and values.min() < 0 < values.max()
    else:
        assert (values == {"binary": [1], "pair": [0.5, 2]}[kind]).all()


def test_what_the_code_does_not_have_is_refused(run, kind, call, tmp_path):
    wrong = {"binary": "2", "angle": "north", "pair": "0.5", "circular": "north"}[kind]
    code, _, err = call(generate.main, f"run={run}", "count=3", f"codes.c4={wrong}", f"to={tmp_path}/none")
    assert code == 2 and err.startswith(f"error: codes.c4={wrong}: must be a ") and err.count("\n") == 1


def test_edit_and_film(run, kind, call, tmp_path):
    picture = tmp_path / "seven.png"
    Image.fromarray(np.full((8, 8), 100, np.uint8)).save(picture)
    code, out, err = call(edit.main, f"run={run}", f"image={picture}", f"codes.c4={ASKED[kind]}", "steps=3",
                          "inversion.restarts=2", "inversion.iterations=3", f"to={tmp_path}/strip.png")  # fmt: skip
    assert (code, err) == (0, "") and "c4 = " in out
    code, _, err = call(film.main, f"run={run}", "code=c4", "format=gif", "seconds=0.4", "fps=10",
                        f"to={tmp_path}/walk.gif")  # fmt: skip
    assert (code, err) == (0, "")
    with Image.open(tmp_path / "walk.gif") as moving:
        assert moving.n_frames > 1


def test_the_explorer_has_its_controls(run, kind):
    trained = infogan.load(run)
    real = np.full((3, 8, 8, 1), 90, np.uint8)
    explorer = Explorer(trained, real, "", InversionConfig(restarts=2, iterations=3, learning_rate=0.1), 0)
    page = build(explorer, 0)
    controls = [block for block in page.blocks.values() if str(getattr(block, "elem_id", "")).startswith("code-c4")]
    assert [type(control).__name__ for control in controls] == CONTROLS[kind]
    values = [value for code in trained.latents.codes for value in code.domain.start]
    for answer in (explorer.many(0, values), explorer.grid(0, "c4", "c2", values)):
        assert "c4" in answer and "<img" in answer
    encoded = explorer.encode(real[0], lambda done: None)
    assert len(encoded.codes) == len(values)
    assert "c4 = " in explorer.edit(encoded, encoded.codes)


def test_evaluate_scores_it(run, kind, call):
    short = ["metrics.latents=1000", "metrics.images=1000", "metrics.draws=1", "metrics.samples=1000"]
    code, _, err = call(evaluate.main, f"run={run}", *short)
    assert (code, err) == (0, "")
    found = json.loads((run / "evaluation.json").read_text())
    assert found["information"]["c4"]["eval"]["mean"] <= found["information"]["c4"]["entropy"]
    assert 0 <= found["label_free"]["consistency"]["c4"] <= 1
    assert ("c4" in found["clustering"]) is (kind == "binary")


def test_an_export_opens_and_computes_the_same(run, kind, call, tmp_path):
    code, out, err = call(export.main, f"run={run}", f"to={tmp_path}/model")
    assert (code, err) == (0, ""), out
    original, opened = infogan.load(run), infogan.load(tmp_path / "model")
    assert torch.equal(original.sample(5, 0), opened.sample(5, 0))
    assert "c4" in (tmp_path / "model" / "README.md").read_text()


def test_the_panels_of_wandb(run):
    workspace = pytest.importorskip("infogan.tracking.workspace")
    from infogan.run_folder.configuration import read_config

    keys = workspace.logged_keys(run, read_config(run))
    assert {"information/c4", "entropy/c4", "figures/c4"} <= keys
