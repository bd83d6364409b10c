"""Sweeps that are started again, and the launchers that run their jobs elsewhere."""

import json
import signal

import pytest
from hydra.errors import HydraException

from infogan import train
from infogan.config.check import check
from infogan.errors import ends_as_one_line
from infogan.experiments.prepare import expected, find_or_create
from infogan.run_folder.amounts import on_disk
from tests.infogan.processes import Forked, ended

RUN = ["logger=none", "trainer=cpu", "trainer.threads=1", "callbacks.log_every=2", "callbacks.traversal_rows=2"]


@pytest.fixture
def command(call, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""

    def run(*arguments):
        return call(train.main, *arguments, f"paths.outputs={tmp_path}/outputs")

    return run


def jobs(sweep):
    """The run folders of a sweep: name → how often it was started, and after how many iterations it was finished."""
    found = {}
    for path in sweep.glob("*/config.yaml"):
        starts = json.loads((path.parent / "provenance.json").read_text())
        found[path.parent.name] = len(starts), json.loads((path.parent / "summary.json").read_text())["iterations"]
    return found


def test_a_sweep_started_again(command, tmp_path):
    sweep = tmp_path / "sweep"
    start = ["-m", *RUN, f"hydra.sweep.dir={sweep}"]
    assert command(*start, "trainer.max_iterations=4", "seed=0")[0] == 0
    assert jobs(sweep) == {"seed_0": (1, 4)}

    code, out, _ = command(*start, "trainer.max_iterations=4", "seed=0,1")
    assert code == 0
    assert [f"{sweep}/seed_{k}: finished before, nothing to do" in out for k in (0, 1)] == [True, False]
    assert jobs(sweep) == {"seed_0": (1, 4), "seed_1": (1, 4)}

    assert command(*start, "trainer.max_iterations=6", "seed=0")[0] == 0
    assert jobs(sweep) == {"seed_0": (1, 4), "seed_0-2": (1, 6), "seed_1": (1, 4)}


DIES_BY_KILL = """
import os, signal, sys
from infogan.callbacks.checkpoints import Checkpoints
from infogan.train import main

save = Checkpoints.on_train_batch_end

def die(self, trainer, module, *rest):
    save(self, trainer, module, *rest)
    if (module.seed, module.iteration) == (1, 3):
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoints.on_train_batch_end = die
main()
"""


def test_a_killed_sweep_continues(command, tmp_path):
    outputs = f"paths.outputs={tmp_path}/outputs"
    start = [
        "-m",
        *RUN,
        "trainer.max_iterations=4",
        "callbacks.checkpoint_every=2",
        f"hydra.sweep.dir={tmp_path}/sweep",
    ]
    killed = Forked(*start, "seed=0,1", outputs, program=("-c", DIES_BY_KILL))
    assert ended(killed)[0] == -signal.SIGKILL
    code, out, err = command(*start, "seed=0,1")
    assert (code, err) == (0, "")
    assert "seed_0: finished before" in out
    assert out.count("continuing after iteration") == out.count("continuing after iteration 2") == 1
    assert jobs(tmp_path / "sweep") == {"seed_0": (1, 4), "seed_1": (2, 4)}


def test_which_experiments_are_the_same(compose_values, tmp_path):
    def named(*overrides):
        config = check(compose_values("trainer.max_iterations=4", *overrides))
        return find_or_create(config, tmp_path / "sweep", "job").name

    assert named() == "job"
    assert named("callbacks.log_every=3", "trainer.threads=2") == "job", "how it is run is no other experiment"
    others = ["seed=1", "model.lambda_categorical=2", "data.batch_size=32", "trainer.max_iterations=6"]
    assert [named(other) for other in others] == ["job-2", "job-3", "job-4", "job-5"]
    assert [named(other) for other in others] == ["job-2", "job-3", "job-4", "job-5"]
    (tmp_path / "sweep" / "job" / "config.yaml").write_text("seed: [")
    assert named() == "job-6"


def test_five_seeds_of_the_preset(command, monkeypatch):
    started = []

    def run(values, of_sweep):
        from hydra.core.hydra_config import HydraConfig

        assert HydraConfig.get().sweep.dir.endswith("/outputs/sweeps/five_seeds_mnist")
        started.append((HydraConfig.get().job.name, check(train.training(values))))

    monkeypatch.setattr(train, "run", run)
    assert command("data=mnist", "experiment=five_seeds")[0] == 0
    assert [(name, config.seed) for name, config in started] == [(f"seed_{seed}", seed) for seed in range(5)]
    assert {config.model.lambda_categorical for _, config in started} == {1.0}


def test_lambda_sweep_is_of_twenty_runs(command, monkeypatch):
    started = []

    def run(values, of_sweep):
        from hydra.core.hydra_config import HydraConfig

        assert of_sweep
        hydra_config = HydraConfig.get()
        assert hydra_config.sweep.dir.endswith("/outputs/sweeps/lambda_chairs")
        started.append((hydra_config.job.name, check(train.training(values))))

    monkeypatch.setattr(train, "run", run)
    assert command("data=chairs", "experiment=lambda_sweep")[0] == 0
    assert len(started) == 20
    expected = {
        (f"lambda_{text}_seed_{seed}", float(text), seed) for text in ("0", "0.1", "1", "2") for seed in range(5)
    }
    assert {(name, c.model.lambda_categorical, c.seed) for name, c in started} == expected
    for _, config in started:
        wanted = {code.kind: config.model.lambdas[name] for name, code in config.model.codes.items()}
        assert wanted == dict.fromkeys(("categorical", "uniform"), config.model.lambda_categorical)


def test_lambda_sweep_with_other_values(command, tmp_path):
    code, _, err = command(*RUN, "experiment=lambda_sweep", "trainer.max_iterations=4", "seed=3",
                             "model.lambda_categorical=0,0.5")  # fmt: skip
    assert (code, err) == (0, "")
    sweep = tmp_path / "outputs" / "sweeps" / "lambda_digits"
    assert jobs(sweep) == {"lambda_0_seed_3": (1, 4), "lambda_0.5_seed_3": (1, 4)}
    summary = json.loads((sweep / "lambda_0_seed_3" / "summary.json").read_text())
    assert summary["lambda"] == {"c1": 0, "c2": 0, "c3": 0}


@pytest.mark.parametrize(("name", "options"), [("joblib", ["hydra.launcher.n_jobs=2"]), ("submitit_local", [])])
def test_launchers(command, tmp_path, name, options):
    """One job fails, the other is trained, and records the command that repeats it."""
    pytest.importorskip(f"hydra_plugins.hydra_{name.removesuffix('_local')}_launcher")
    sweep = tmp_path / "sweep"
    code, _, err = command("-m", *RUN, "trainer.max_iterations=4", "model.lambda_categorical=-1,2", "seed=3",
                           f"hydra/launcher={name}", *options, f"hydra.sweep.dir={sweep}")  # fmt: skip
    assert code == 2
    assert err.splitlines()[-1].startswith("error: model.lambda_categorical=-1")
    assert jobs(sweep) == {"model.lambda_categorical_2_seed_3": (1, 4)}
    (start,) = json.loads((sweep / "model.lambda_categorical_2_seed_3" / "provenance.json").read_text())
    assert start["command"].startswith("python -m infogan.train ")
    for word in ("seed=3", "model.lambda_categorical=2", "trainer.max_iterations=4"):
        assert f" {word}" in start["command"]


def test_launcher_that_is_not_installed(capsys):
    message = "In 'config': Could not find 'hydra/launcher/joblib'\n\nAvailable options in 'hydra/launcher':\n\tbasic\n"
    with pytest.raises(SystemExit), ends_as_one_line():
        raise HydraException(message + "Config search path:\n\tprovider=hydra, path=pkg://hydra.conf")
    assert capsys.readouterr().err == (
        "error: hydra/launcher=joblib: there is no such choice; allowed: basic; "
        "pip install 'infogan-lab[sweeps]' brings joblib and submitit\n"
    )


@pytest.mark.parametrize(
    ("swept", "runs"),
    [
        (["seed=range(0,1000000000000)"], "1,000,000,000,000"),
        (["seed=range(0,51)", "model.lambda_categorical=0.5,1"], "102"),
        (["experiment=lambda_sweep", "seed=range(0,60,2)"], "120"),
        (["experiment=five_seeds", "seed=3", "data=digits,mnist", "model.lambda_categorical=range(1,52)"], "102"),
    ],
)
def test_very_many_runs_are_asked_about(command, tmp_path, swept, runs):
    code, out, err = command("-m", *RUN, *swept)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: a sweep of {runs} runs takes ") and "yes=true" in err
    assert not (tmp_path / "outputs").exists()


def test_how_many_runs_a_sweep_is(command, monkeypatch, tmp_path):
    monkeypatch.setattr(train, "run", lambda values, of_sweep: None)
    done = tmp_path / "sweep" / "seed_0"
    done.mkdir(parents=True)
    (done / "config.yaml").write_text("")
    asked = ["ask_above.runs=2", f"hydra.sweep.dir={tmp_path}/sweep", "seed=0,1,2,3"]
    code, out, err = command("-m", *RUN, *asked)
    assert (code, out) == (2, "") and err.startswith("error: a sweep of 3 runs takes ")
    code, out, _ = command("-m", *RUN, *asked, "yes=true")
    assert code == 0 and out.startswith("a sweep of 4 runs, 3 to begin: at most ")


def test_yes_is_no_part_of_a_runs_name(command, tmp_path):
    start = ["-m", *RUN, f"hydra.sweep.dir={tmp_path}/sweep", "trainer.max_iterations=4", "seed=0"]
    assert command(*start, "yes=true", "ask_above.files=7")[0] == 0
    assert jobs(tmp_path / "sweep") == {"seed_0": (1, 4)}


def test_a_run_that_fills_the_disk_is_not_begun(command, tmp_path):
    code, _, err = command(*RUN, "trainer.max_iterations=1000000000000", "callbacks.traversals_every=1", "yes=true")
    assert code == 2 and err.startswith("error: trainer.max_iterations=1000000000000 takes 4,000,000,000,024 files, ")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("preset", ["digits", "mnist", "svhn", "celeba", "celeba64", "faces", "chairs", "dsprites"])
def test_no_preset_is_asked_about(compose_values, preset):
    values = compose_values(f"data={preset}", "callbacks.log_every=20", "callbacks.traversal_rows=10")
    assert expected(check(values)).bytes < 1e9 * values["ask_above"]["gigabytes"]


def test_what_is_said_is_more_than_a_run_takes(command, compose_values, tmp_path):
    given = ["trainer.max_iterations=40", "callbacks.traversals_every=10"]
    assert command(*RUN, *given)[0] == 0
    (run,) = (tmp_path / "outputs").glob("*_digits")
    files = [path for path in run.rglob("*") if path.is_file() and path.name != "report.html"]
    said, taken = expected(check(compose_values(*given))), sum(on_disk(path.stat().st_size) for path in files)
    assert taken / 2 < said.bytes and len(files) <= said.files
    assert said.bytes < 3 * taken
