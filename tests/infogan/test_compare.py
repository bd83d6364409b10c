"""`infogan.compare` on a small sweep, with a run that is damaged and one that has not finished."""

import csv
import json
import shutil

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from PIL import Image

from infogan import compare
from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two seeds each of λ = 0 and 1, 12 iterations."""
    outputs = tmp_path_factory.mktemp("outputs")
    limits = ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=12", "callbacks.log_every=4"]
    for lambda_ in (0, 1):
        for seed in (0, 1):
            with initialize_config_module("infogan.conf", version_base="1.3"):
                own = [f"model.lambda_categorical={lambda_}", f"seed={seed}", f"paths.stores={outputs}/stores"]
                values = compose("train", [*limits, *own])
            folder = create(
                check(OmegaConf.to_container(values, resolve=True)), outputs / "sweep", f"l{lambda_}_s{seed}"
            )
            train(folder)
    return outputs / "sweep"


@pytest.fixture
def sweep(made, tmp_path):
    return shutil.copytree(made, tmp_path / "sweep")


@pytest.fixture
def command(call, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(compare.main, f"paths.outputs={tmp_path}/outputs", *arguments)

    return run


def test_a_sweep(command, sweep):
    (sweep / "l1_s1" / "config.yaml").write_text("a: [")
    (sweep / "l1_s0" / "evaluation.json").write_text(json.dumps({"iterations": 12, "image_quality": {"recall": 0.25}}))
    code, out, _ = command(f"sweep={sweep}")
    assert code == 0
    assert f"left out: {sweep}/l1_s1/config.yaml could not be read" in out
    record = json.loads((sweep / "comparison.json").read_text())
    assert record["ranked_by"] == "consensus"
    assert set(record["choices"]) == {"consensus", "centrality", "real_information", "label_free/score"}
    assert record["protocol"]["centrality"] == {"groups": 500, "images_a_group": 100, "other_runs": 2}
    assert "ModelCentrality: all 3 runs with each other" in out
    order = [entry["run"] for entry in record["ranking"]]
    assert sorted(order) == ["l0_s0", "l0_s1", "l1_s0"]
    values = [entry["scores"]["consensus"] for entry in record["ranking"]]
    assert values == sorted(values, reverse=True)
    scores = {"acc", "nmi", "information/c1", "real_information", "label_free/score"}
    assert all(scores <= set(entry["scores"]) for entry in record["ranking"])
    assert record["ranking"][order.index("l1_s0")]["scores"]["image_quality/recall"] == 0.25
    assert record["ranking"][order.index("l1_s0")]["settings"] == {"model.lambda_categorical": 1.0}
    assert {tuple(entry["seeds"]) for entry in record["spread"]} == {(0, 1), (0,)}
    assert len(record["agreement"]) == 3
    for entry in record["spread"]:
        assert entry["scores"]["acc"]["count"] == len(entry["seeds"])
    assert (sweep / "best").resolve() == (sweep / order[0]).resolve()
    rows = list(csv.DictReader((sweep / "comparison.csv").open()))
    assert [row["run"] for row in rows] == order
    assert float(rows[0]["acc"]) == record["ranking"][0]["scores"]["acc"]
    sizes = {path.stem: Image.open(path).size for path in (sweep / "figures").iterdir()}
    assert set(sizes) == {"scores", "figure1", "agreement"}
    assert min(min(size) for size in sizes.values()) > 250
    assert record["choices"]["consensus"] == order[0]
    assert "what the choice is worth with labels" in out
    assert "median of the seeds (lowest … highest)" in out
    assert "by consensus" in (sweep / "report.html").read_text()

    assert command(f"sweep={sweep}")[0] == 0, "`best` is a link, not one more run"
    assert len(json.loads((sweep / "comparison.json").read_text())["ranking"]) == 3


@pytest.mark.parametrize("form", ["csv", "json"])
def test_output_for_another_program(command, sweep, form):
    """The numbers that are written to the disk, and nothing else; what is done meanwhile goes to standard error."""
    code, out, err = command(f"sweep={sweep}", f"format={form}")
    assert code == 0
    assert out == (sweep / f"comparison.{form}").read_text(encoding="utf-8")
    assert "comparing 4 runs" in err and "report: " in err


def test_two_runs(command, sweep, tmp_path):
    """Figure 1: no ranking of two by agreement, and no link."""
    code, out, _ = command(f"runs=[{sweep}/l0_s0,{sweep}/l1_s0]")
    assert code == 0
    assert "ranked by label_free/score" in out
    (place,) = (tmp_path / "outputs" / "comparisons").iterdir()
    assert {path.stem for path in (place / "figures").iterdir()} == {"scores", "figure1", "agreement"}
    assert not (place / "best").exists()


def test_a_run_that_has_not_finished(command, sweep):
    for name in ("l0_s1", "l1_s0", "l1_s1"):
        (sweep / name / "summary.json").unlink()
    code, out, _ = command(f"sweep={sweep}")
    assert code == 0
    assert out.count("has not finished: python -m infogan.train run=") == 3
    assert json.loads((sweep / "comparison.json").read_text())["agreement"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the two"),
        (["sweep={sweep}", "runs=[a]"], "one of the two"),
        (["sweep={sweep}/l0_s0"], "holds no run: it must be the folder that a sweep's runs lie in"),
        (["runs=[nowhere]"], "run=nowhere is not a run folder"),
        (["runs=[]"], "runs"),
        (["sweep={sweep}", "groups=3"], "groups"),
        (["sweep={sweep}", "format=yaml"], "format"),
    ],
)
def test_mistakes(command, sweep, arguments, message):
    code, _, err = command(*(argument.format(sweep=sweep) for argument in arguments))
    assert code != 0
    assert message in err
    assert not (sweep / "comparison.json").exists()
