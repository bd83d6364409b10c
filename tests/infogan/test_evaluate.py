"""`infogan.evaluate` on runs that are whole, damaged, without labels, without their data."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from PIL import Image

import infogan
from infogan import evaluate
from infogan.config.check import check
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.evaluation import flat

SMALL = ["metrics.latents=1000", "metrics.images=1000", "metrics.draws=1", "metrics.samples=1000"]
ITERATIONS = 20


def trained(outputs, stores, *overrides):
    """A run folder of a short training with the real configuration."""
    limits = ["trainer=cpu", "trainer.threads=1", f"trainer.max_iterations={ITERATIONS}"]
    paths = [f"paths.stores={stores}", "callbacks.checkpoint_every=10", "callbacks.traversal_rows=2"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", ["logger=none", *limits, *paths, *overrides])
    folder = create(check(OmegaConf.to_container(values, resolve=True)), outputs, "run")
    train(folder)
    return folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory, stores):
    return trained(tmp_path_factory.mktemp("digits"), stores, "data=digits")


@pytest.fixture
def copy(digits, tmp_path):
    """A copy of the run to evaluate or to damage; the image stores and the extractor are shared."""
    return shutil.copytree(digits, tmp_path / "copy")


@pytest.fixture
def command(call):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(evaluate.main, *SMALL, *arguments)

    return run


def test_all_scores_of_a_run(command, copy):
    code, out, _ = command(f"run={copy}")
    assert code == 0
    found = json.loads((copy / "evaluation.json").read_text())
    summary = infogan.load(copy).summary

    c1 = found["information"]["c1"]
    assert c1["entropy"] == pytest.approx(math.log(10))
    for mode, before in (("eval", summary.information), ("train", summary.information_train_mode)):
        assert c1[mode]["low"] < c1[mode]["mean"] < c1[mode]["high"] <= c1["entropy"]
        assert c1[mode]["mean"] == pytest.approx(before["c1"], abs=0.1), "other latents, the same quantity"
    assert c1["visible"] == pytest.approx(c1["eval"]["mean"], abs=0.05), "images of 8×8 are next to not blurred"
    assert (c1["visible_share"] is None) == (c1["eval"]["mean"] < 0.05 * c1["entropy"])
    assert found["information"]["c2"]["at_mse"] == pytest.approx(summary.information_at_mse["c2"], abs=0.05)

    clusters = found["clustering"]["c1"]
    assert clusters["nmi"] == pytest.approx(summary.nmi)
    # so early in training one image on the border of two categories can turn a tie between two matchings
    assert clusters["acc"] == pytest.approx(summary.acc, abs=0.02)
    confusion = np.array(clusters["confusion"])
    assert confusion.sum() == 360, "the test split"
    assert confusion.diagonal().sum() / 360 == pytest.approx(clusters["acc"])
    errors = list(clusters["error_by_class"].values())
    assert errors == pytest.approx(1 - confusion.diagonal() / confusion.sum(axis=0))

    label_free = found["label_free"]
    evenness = label_free["usage"]["c1"] / math.log(10)
    assert label_free["score"] == pytest.approx(np.mean(list(label_free["consistency"].values())) * evenness)
    assert 0 <= evenness <= 1
    assert list(label_free["real_information"]) == ["c1"]
    assert -1e-6 < label_free["real_information"]["c1"] < math.log(10)

    quality = found["image_quality"]
    assert quality["extractor"].startswith("digits classifier (labels, 9")
    assert quality["reference"] == {"split": "train", "images": 1437}
    assert set(quality["path_length"]) == {"all", "c1", "c2", "c3"}
    assert set(found["diversity"]) == {"pixels", "features"}
    for kind in found["diversity"].values():
        assert list(kind) == ["c1"] and 0 < kind["c1"]["share"] < 3
    assert found["disentanglement"] == found["factors"] == found["attributes"] == "data=digits has no known factors"
    assert "no disentanglement: data=digits has no known factors" in out

    assert found["iterations"] == ITERATIONS
    assert found["protocol"]["metrics"]["latents"] == 1000
    assert "revision" in found["provenance"]
    rows = list(csv.DictReader((copy / "evaluation.csv").open()))
    assert {row["score"]: float(row["value"]) for row in rows} == pytest.approx(
        {name: value for name, (value, _, _) in flat({k: found[k] for k in found if k in PARTS}).items()}, rel=1e-4
    )
    pictures = {path.stem: Image.open(path).size for path in (copy / "figures" / "evaluation").iterdir()}
    assert set(pictures) == {"confusion_c1", "neighbours"}
    assert min(min(size) for size in pictures.values()) > 300
    assert "clustering/c1/acc" in out
    assert f"report: {copy}/report.html" in out
    report = (copy / "report.html").read_text()
    assert "c1/nmi" in report and "Images with the same codes and other noise differ by this much" in report

    assert command(f"run={copy}")[0] == 0
    again = json.loads((copy / "evaluation.json").read_text())
    assert {name: again[name] for name in PARTS} == {name: found[name] for name in PARTS}


PARTS = (
    "information",
    "label_free",
    "clustering",
    "factors",
    "attributes",
    "disentanglement",
    "image_quality",
    "diversity",
)


def test_a_run_without_labels_and_later_without_its_data(command, tmp_path):
    """What needs neither is still computed, and everything that is missing has its reason."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    random = np.random.default_rng(0)
    for k in range(64):
        Image.fromarray(random.integers(256, size=(28, 28), dtype=np.uint8)).save(pictures / f"{k}.png")
    small = ["data.size=28", "data.channels=1", "data.batch_size=8", "trainer.max_iterations=2"]
    layers = [
        "model=paper_digits",
        "model.generator.layers=[{fc:[8,7,7]},{up:8,stride:2},{up:1,stride:2}]",
        "model.discriminator.posterior=[]",
    ]
    trunk = "model.discriminator.trunk=[{conv:8,stride:2},{fc:32}]"
    run = trained(tmp_path, tmp_path / "stores", "data=folder", f"data.path={pictures}", *small, *layers, trunk)
    code, out, _ = command(f"run={run}")
    assert code == 0
    found = json.loads((run / "evaluation.json").read_text())
    assert found["clustering"] == "data=folder has no labels"
    assert found["disentanglement"] == "data=folder has no known factors"
    assert "neither labels nor factors" in found["image_quality"]["no_extractor"]
    assert "no image quality by features: data=folder has neither labels nor factors" in out
    assert found["image_quality"]["nearest_distance"]["generated"] > 0
    assert found["label_free"]["usage"]
    assert "features" not in found["diversity"]

    shutil.rmtree(pictures)
    shutil.rmtree(tmp_path / "stores")
    code, out, _ = command(f"run={run}")
    assert code == 0
    assert out.count("without the data set: ") == 1
    later = json.loads((run / "evaluation.json").read_text())
    assert later["information"] == found["information"]
    assert later["label_free"]["consistency"] == found["label_free"]["consistency"]
    for name in ("clustering", "factors", "attributes", "disentanglement", "image_quality", "diversity"):
        assert str(pictures) in later[name]


def test_a_damaged_checkpoint(command, copy):
    """The one before it is scored, and said to be; where none is whole nothing is written."""
    newest = copy / "checkpoints" / "iteration_00000020.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    (copy / "summary.json").write_text("{")
    code, out, _ = command(f"run={copy}")
    assert code == 0
    assert out.count("; the one before it is taken instead") == 1
    assert str(newest) in out
    assert json.loads((copy / "evaluation.json").read_text())["iterations"] == 10

    (copy / "evaluation.json").unlink()
    before = copy / "checkpoints" / "iteration_00000010.safetensors"
    before.write_bytes(b"")
    code, _, err = command(f"run={copy}")
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and str(before) in err
    assert not (copy / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["metrics.draws=0"], "metrics.draws"),
        (["metrics.latents=999"], "metrics.latents"),
        (["metrics.speed=1"], "metrics.speed"),
        (["seed=-1"], "seed"),
        (["accelerator=tpu"], "accelerator"),
    ],
)
def test_mistakes(command, copy, arguments, message):
    code, _, err = command(f"run={copy}", *arguments)
    assert code != 0
    assert message in err
    assert not (copy / "evaluation.json").exists()


def test_a_run_of_another_version(command, copy):
    config = copy / "config.yaml"
    config.write_text(config.read_text().replace("lambda_continuous", "lambda_of_old"))
    code, _, err = command(f"run={copy}")
    assert code == 2
    assert "does not fit this version (provenance.json says which made it)" in err
    assert err.count("\n") == 1


def test_inception_without_weights(command, copy, tmp_path):
    """A file that is missing costs image quality, and nothing else."""
    assert command(f"run={copy}", f"metrics.inception_weights={tmp_path}/none.pth")[0] == 0
    found = json.loads((copy / "evaluation.json").read_text())
    assert "there is no such file" in found["image_quality"]
    assert found["clustering"]["c1"]["acc"] > 0
