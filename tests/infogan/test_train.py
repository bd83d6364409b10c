"""The command line: what it makes, what it refuses, and how it says so."""

import json
import math
import subprocess
import sys

import pytest
import torch
import yaml

from infogan.run_folder.status import read_status
from infogan.train import main, show
from tests.infogan.processes import Forked, ended
from tests.infogan.summaries import summary_of

RUN = ["logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=10", "callbacks.log_every=5"]


@pytest.fixture
def command(call, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(main, *arguments, f"paths.outputs={tmp_path}/outputs")

    return run


MISTAKES = {
    "data=imagenet": "data=imagenet",
    "model=resnet": "model=resnet",
    "logger=tensorboard": "logger=tensorboard",
    "experiment=figure_9": "experiment=figure_9",
    "trainer.devces=1": "trainer.devces",
    "+typo=1": "typo",
    "+model.typo=1": "model.typo",
    "seed=abc": "seed",
    "seed=-1": "seed",
    "model.lambda_categorical=-1": "model.lambda_categorical",
    "model.lambda_continuous=inf": "model.lambda_continuous",
    "model.codes.c1.classes=1": "model.codes.c1.classes",
    "model.codes.c1.kind=gaussian": "model.codes.c1",
    "model.codes.c2.sigma=0": "model.codes.c2.sigma",
    "model.codes.c2.low=1": "model.codes.c2",
    "model.noise=-1": "model.noise",
    "model.learning_rate_generator=0": "model.learning_rate_generator",
    "model.betas=[0.5]": "model.betas",
    "model.discriminator.slope=1.5": "model.discriminator.slope",
    "model.generator.output=relu": "model.generator.output",
    "data.batch_size=2000": "data.batch_size",
    "data.batch_size=1": "data.batch_size",
    "trainer.max_iterations=0": "trainer.max_iterations",
    "trainer.max_iterations=1.5": "trainer.max_iterations",
    "trainer.devices=3": "trainer.devices",
    "trainer.precision=fp4": "trainer.precision",
    "callbacks.log_every=0": "callbacks.log_every",
    "callbacks.health=stop": "callbacks.health=stop",
    "callbacks.collapse.window=0": "callbacks.collapse.window=0",
    "callbacks.collapse=null": "callbacks: health=warn: collapse is missing",
    "model=mnist": "model=mnist",
    "run=nowhere": "run=nowhere",
    "run=latest": "run=latest",
    "run=3": "run=3",
    "paths.data=null": "paths.data",
    "trainer.accelerator=gpu": "trainer.accelerator=gpu",
    "trainer.precision=tf32": "trainer.precision=tf32",
    "trainer.precision=fp16": "trainer.precision=fp16",
    "trainer.compile=reduce-overhead": "trainer.compile",
    "trainer.cuda_graph=true": "trainer.cuda_graph=true",
    "+model.codes.samples={kind:categorical,classes:3,lambda_code:null}": "model.codes.samples",
    "model.generator.layers.2.batch_norm=true": "model.generator",
    "model.generator.layers.1.fc=[32,4,5]": "model=digits",
    "model.generator.layers.0={conv:8,stride:2}": "model.generator.layers.0",
}


@pytest.mark.parametrize(("mistake", "named"), MISTAKES.items())
def test_mistakes_are_refused_before_anything_is_made(command, tmp_path, mistake, named):
    code, out, err = command(*RUN, mistake)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err
    assert not (tmp_path / "outputs").exists()


def test_a_run(command, tmp_path):
    code, out, err = command(*RUN)
    assert (code, err) == (0, "")
    (folder,) = (tmp_path / "outputs").iterdir()
    assert str(folder) in out
    assert f"report:  {folder}/report.html\n" in out
    assert "\x1b" not in out, "no progress bar and no colours where the output is no terminal"
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    figures = {f"figures/{name}.png" for name in ("c1", "c2", "c3", "samples", "real", "curves")}
    files = {"config.yaml", "provenance.json", "metrics.csv", "summary.json", "log.txt", "report.html"}
    assert made == files | figures | {"checkpoints/iteration_00000010.safetensors"}
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["iterations"] == 10
    assert summary["images_per_second"] > 0
    assert list(summary["information"]) == list(summary["entropy"]) == ["c1", "c2", "c3"]
    for score in ("acc", "nmi", "ari"):
        assert -0.5 <= summary[score] <= 1
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["trainer"]["precision"] in ("float32", "bf16")
    (start,) = json.loads((folder / "provenance.json").read_text())
    assert "trainer.max_iterations=10" in start["command"]
    assert start["torch"] == torch.__version__


def test_wandb_is_not_loaded_without_a_use(tmp_path):
    script = "import sys\nfrom infogan.train import main\nmain()\nprint('loaded:', 'wandb' in sys.modules)"
    code, out, _ = ended(Forked(*RUN, f"paths.outputs={tmp_path}/outputs", program=("-c", script)))
    assert (code, out.splitlines()[-1]) == (0, "loaded: False")


def test_epochs_become_iterations(command, tmp_path):
    code, _, _ = command(*RUN, "trainer.max_epochs=2", "data.batch_size=500")
    assert code == 0
    (folder,) = (tmp_path / "outputs").iterdir()
    assert json.loads((folder / "summary.json").read_text())["iterations"] == 2 * (1437 // 500)


def test_going_on_with_the_latest(command, tmp_path):
    command(*RUN)
    code, out, _ = command("run=latest", "trainer.max_iterations=15")
    assert code == 0
    assert "continuing after iteration 10" in out
    (folder,) = (tmp_path / "outputs").iterdir()
    assert json.loads((folder / "summary.json").read_text())["iterations"] == 15
    commands = [start["command"] for start in json.loads((folder / "provenance.json").read_text())]
    assert [("run=latest" in command) for command in commands] == [False, True]
    code, _, err = command("run=latest")
    assert code == 2
    assert "has finished 15 iterations" in err


def test_sweep_survives_a_failed_job(command, tmp_path):
    code, out, err = command("-m", *RUN[:4], "model.lambda_categorical=0,-1,2", "seed=1")
    assert code == 2, err
    assert out.count("failed: model.lambda_categorical=-1") == 1
    assert err.splitlines()[-1].startswith("error: model.lambda_categorical=-1")
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    jobs = sorted(path.name for path in sweep.iterdir() if path.is_dir())
    assert jobs == ["model.lambda_categorical_0_seed_1", "model.lambda_categorical_2_seed_1"]
    for job in jobs:
        summary = json.loads((sweep / job / "summary.json").read_text())
        assert summary["lambda"]["c1"] == float(job.split("_")[2])
        assert summary["seed"] == int(job[-1])


def test_a_sweep_marks_what_collapsed_and_continues(command, tmp_path):
    health = ["callbacks.health=abort", "callbacks.collapse.window=5", "callbacks.collapse.least_information=0"]
    health += ["callbacks.collapse.least_gap=-1"]  # a D of five iterations knows as little as its Q
    code, out, err = command("-m", *RUN, *health, "callbacks.collapse.least_spread=0.9,0.0")
    assert code == 2
    assert out.count("collapsed: collapsed at iteration ") == 1
    assert err.splitlines()[-1].startswith("error: collapsed at iteration ")
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    records = [read_status(path.parent) for path in sorted(sweep.glob("*/config.yaml"))]
    assert [record.state for record in records] == ["finished", "collapsed"]
    assert records[1].reason in err


def test_sweep_over_several_devices_is_refused(command):
    code, out, _ = command("-m", *RUN, "seed=0,1", "trainer.devices=2")
    assert code == 2
    assert out.count("trainer.devices: each job of a sweep runs on one device") == 2


def test_batch_norm_over_several_cpu_processes_is_refused(command):
    code, _, err = command(*RUN, "trainer.devices=2")
    assert code == 2
    assert err.startswith("error: trainer.devices=2: on the CPU there is no batch norm that is synchronised")


def test_routing_that_would_not_train_the_posterior_is_refused(command):
    code, _, err = command(*RUN, "model.posterior_optimizer=generator", "model.lambda_continuous=0")
    assert code == 2
    assert "λ of c2 is 0" in err


def test_table_shows_the_summary(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    summary = summary_of(
        iterations=1234,
        entropy={"c1": 2.3026, "c2": 0.6931},
        information={"c1": 2.2512, "c2": None},
        information_at_mse={"c2": 1.125},
        acc=0.876, nmi=0.765, ari=0.654,
        factors={
            "spearman": {"c2": {"width": 0.21, "azimuth": 0.52}},
            "rotation": {"c2": {"azimuth": 0.93}},
            "nmi": {"c1": {"label": 0.44}},
        },
    )  # fmt: skip
    show(summary, tmp_path)
    lines = capsys.readouterr().out
    first, second = (next(line for line in lines.splitlines() if line.split()[:1] == [name]) for name in ("c1", "c2"))
    assert "2.251" in first
    assert "2.303" in first
    assert "not finite" in second
    assert "1.125" in second
    assert "label (nmi 0.44)" in first
    assert "azimuth (rotation 0.93)" in second
    assert "ACC 0.876, NMI 0.765, ARI 0.654" in lines
    assert "1,234 iterations" in lines
    assert f"run={tmp_path} trainer.max_iterations=2468" in lines


@pytest.mark.parametrize(("arguments", "shown"), [(["--help"], "lambda_categorical"), (["--cfg", "job"], "data:")])
def test_from_any_folder(tmp_path, arguments, shown):
    command = [sys.executable, "-m", "infogan.train", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_in_a_folder_with_packages_of_the_same_names(tmp_path):
    """As every project made from the Lightning-Hydra template has them: `python -m` looks there first."""
    for name in ("datamodules", "callbacks", "conf", "data", "models", "metrics", "utils"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a package of somebody else')")
    tiny = ["data=digits", "logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=2"]
    command = [sys.executable, "-m", "infogan.train", *tiny, "callbacks.traversal_rows=1", "callbacks.score_images=100"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = (tmp_path / "outputs").iterdir()
    assert (folder / "report.html").is_file()


def test_any_mix_of_codes(command, tmp_path):
    codes = [
        "~model.codes.c1",
        "~model.codes.c2",
        "+model.codes.pose={kind:uniform,low:0,high:3,sigma:learned,lambda_code:0.1}",
    ]
    more = [
        "+model.codes.a={kind:categorical,classes:3,lambda_code:null}",
        "+model.codes.b={kind:categorical,classes:2,lambda_code:2}",
    ]
    code, out, err = command(*RUN, "model=paper_digits", *codes, *more, "model.noise=0")
    assert (code, err) == (0, "")
    (folder,) = (tmp_path / "outputs").iterdir()
    summary = json.loads((folder / "summary.json").read_text())
    assert list(summary["information"]) == ["c3", "pose", "a", "b"]
    assert summary["lambda"] == {"c3": 1.0, "pose": 0.1, "a": 1.0, "b": 2.0}
    assert summary["entropy"]["pose"] == pytest.approx(math.log(3))
    assert summary["acc"] is None, "no code has as many categories as there are digits"
    assert "ACC" not in out
    assert {path.stem for path in (folder / "figures").glob("*.png")} == {
        "c3", "pose", "a", "b", "samples", "real", "curves"
    }  # fmt: skip
