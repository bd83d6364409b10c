"""The search for λ and learning rates: it continues, it records what collapsed or failed, it refuses mistakes."""

import contextlib
import csv
import json
import math
import os
import sqlite3
import sys
from socket import gethostname

import pytest

from infogan import search
from infogan.config.opening import OpenedPathsConfig
from infogan.config.versions import VERSION
from infogan.errors import Collapsed
from infogan.experiments import search as experiments_search
from infogan.experiments.build import data_of
from infogan.run_folder.configuration import load_config
from infogan.run_folder.locks import held
from infogan.scoring.label_free import real_information
from infogan.trained.model import load_run
from tests.infogan.summaries import summary_of

optuna = pytest.importorskip("optuna")

RUN = ["model=paper_digits", "logger=none", "trainer=cpu", "trainer.threads=1", "callbacks.log_every=2",
       "callbacks.traversal_rows=2", "trainer.max_iterations=4"]  # fmt: skip

INFORMATION = "search.objective=information"


@pytest.fixture
def command(call, monkeypatch, tmp_path):
    """Runs the command in this process; returns its exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        return call(search.main, *RUN, *arguments, f"paths.outputs={tmp_path}/outputs")

    return run


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "outputs" / "searches" / "digits"


@pytest.fixture
def outcomes(monkeypatch):
    """Replaces training: each trial ends with the next of these, a sum of L_I or an error. For INFORMATION."""
    ends = []

    def train(folder):
        end = ends.pop(0)
        if isinstance(end, BaseException):
            raise end
        summary = summary_of(iterations=4, information={"c1": end - 1, "c2": 7.0}, information_at_mse={"c2": 1.0})
        summary.save(folder)
        return summary

    monkeypatch.setattr(experiments_search, "train", train)
    return ends


def rows(folder):
    with (folder / "search.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def of_information(command):
    """The command with L_I, of which `outcomes` knows, as its objective."""
    return lambda *arguments: command(INFORMATION, *arguments)


def test_the_default_is_what_categories_tell_of_real_images(command, folder):
    """Really trained; as `evaluate` measures it, at its seed 0, and L_I where no code has categories."""
    code, out, err = command("search.trials=1")
    assert (code, err) == (0, "")
    (row,) = rows(folder)
    trial = folder / "trial_000"
    trained = load_run(trial)
    found = real_information(trained, data_of(trained.config, OpenedPathsConfig(outputs="", data=None, stores=None)), 0)
    assert list(found) == ["c1"]
    assert float(row["real_information"]) == pytest.approx(found["c1"])
    assert -1e-6 < found["c1"] < math.log(10), "next to nothing after four iterations"
    assert f"trial 0: real_information {found['c1']:.3f}" in out

    code, _, err = command("search.trials=1", INFORMATION)
    assert code == 2
    assert "holds a search with another search.objective;" in err
    code, _, err = command("search.trials=1", "~model.codes.c1", f"search.folder={folder}_continuous")
    assert (code, err) == (0, "")
    assert "information" in rows(folder.with_name("digits_continuous"))[0]


def test_a_search(of_information, folder):
    """Two trials that are really trained, and a third after a new start."""
    command = of_information
    code, out, err = command("search.trials=1")
    assert (code, err) == (0, "")
    code, out, err = command("search.trials=2")
    assert (code, err) == (0, "")
    assert "trial_000" not in out, "it is not trained again"
    assert [row["state"] for row in rows(folder)] == ["complete"] * 2
    for row in rows(folder):
        config = load_config(folder / row["trial"])
        for name in ("lambda_categorical", "lambda_continuous", "learning_rate_generator"):
            assert getattr(config.model, name) == float(row[name])
        summary = json.loads((folder / row["trial"] / "summary.json").read_text())
        expected = summary["information"]["c1"] + sum(summary["information_at_mse"].values())
        assert float(row["information"]) == pytest.approx(expected)
    assert 0.1 <= float(rows(folder)[0]["lambda_categorical"]) <= 10
    best = max(rows(folder), key=lambda row: float(row["information"]))["trial"]
    assert (folder / "best").readlink().name == str((folder / "best").readlink()) == best
    (start,) = json.loads((folder / "best" / "provenance.json").read_text())
    assert "search.trials=" in start["command"]
    lines = [line for line in out.splitlines() if line.endswith("complete")]
    assert [line.split()[0] for line in lines] == [best[-3:], "000" if best[-3:] == "001" else "001"]


def test_a_trial_that_collapses_is_pruned(of_information, folder):
    """Really trained; nothing is left to be the best, and the exit code says so."""
    command = of_information
    collapse = ["callbacks.collapse.window=2", "callbacks.collapse.least_spread=0.9", "callbacks.collapse.least_gap=-1"]
    code, out, err = command("search.trials=1", *collapse)
    assert code == 2
    assert "trial 0 pruned: collapsed at iteration 2: images alike: " in out
    assert err.splitlines()[-1].startswith("error: search.folder=")
    assert "no trial came to its end" in err
    assert [(row["state"], row["information"]) for row in rows(folder)] == [("pruned", "")]
    assert not (folder / "best").exists()
    assert "Collapsed: collapsed at iteration 2" in (folder / "trial_000" / "log.txt").read_text()


def test_what_becomes_of_trials(of_information, folder, outcomes):
    """A collapse, an error and a stop in the middle; the search that continues ends where an undisturbed one does."""
    command = of_information
    outcomes += [0.5, Collapsed("collapsed at iteration 2"), ValueError("a broken disk"), KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        command("search.trials=5")
    assert [row["state"] for row in rows(folder)] == ["complete", "pruned", "fail"]
    stopped = load_config(folder / "trial_003")
    outcomes += [2.0, 0.1]
    code, out, err = command("search.trials=5")
    assert (code, err, outcomes) == (0, "", [])
    assert "information 2.000" in out
    found = rows(folder)
    assert [row["state"] for row in found] == ["complete", "pruned", "fail"] + ["complete"] * 2
    assert float(found[3]["lambda_categorical"]) == stopped.model.lambda_categorical
    assert str((folder / "best").readlink()) == "trial_003"
    assert len({row["lambda_categorical"] for row in found}) == 5

    outcomes += [0.5, Collapsed("again"), ValueError("again"), 2.0, 0.1]
    undisturbed = folder.with_name("undisturbed")
    assert command("search.trials=5", f"search.folder={undisturbed}")[0] == 0
    assert rows(undisturbed) == found


def test_the_sampler_is_a_function_of_the_seed_and_the_trials_before():
    distributions = {"x": optuna.distributions.FloatDistribution(0.1, 10, log=True)}

    def drawn(seed, stops):
        study, values = optuna.create_study(), []
        for number in range(14):  # from the eleventh on it looks at those before
            if number in stops:
                study, before = optuna.create_study(), study.trials
                study.add_trials(before)
            study.sampler = experiments_search.sampler(seed, number)
            trial = study.ask(distributions)
            study.tell(trial, (trial.params["x"] - 3) ** 2)
            values.append(trial.params["x"])
        return values

    assert drawn(0, stops=()) == drawn(0, stops=(1, 5, 12))
    assert len(set(drawn(0, ()) + drawn(1, ()))) == 28


def test_another_search_in_the_same_folder_is_refused(of_information, outcomes):
    command = of_information
    outcomes += [1.0]
    assert command("search.trials=1")[0] == 0
    others = {
        "trainer.max_iterations=5": "trainer.max_iterations",
        "seed=1": "seed",
        "data.batch_size=32": "data",
        "model.noise=10": "model",
        "search.objective=acc": "search.objective",
    }
    for other, named in others.items():
        code, _, err = command("search.trials=2", other)
        assert code == 2
        assert f"holds a search with another {named};" in err
    outcomes += [1.0]
    assert command("search.trials=2", "search.ranges.lambda_categorical=[1,1]")[0] == 0


def test_two_processes_do_not_search_in_one_folder(command, folder):
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as other, held(other, folder):
        code, _, err = command("search.trials=1")
    assert (code, err) == (
        2,
        f"error: {folder}: another process is at work there (pid {os.getpid()} on {gethostname()})\n",
    )


MISTAKES = {
    "search.trials=0": "search.trials=0",
    "search.trial=3": "search.trial",
    "+search.trial=3": "search.trial",
    "search.objective=fid": "search.objective=fid",
    "search.ranges.lambda_categorical=[2,1]": "search.ranges.lambda_categorical",
    "search.ranges.lambda_categorical=[0,1]": "search.ranges.lambda_categorical.0=0",
    "search.ranges.lambda_continuous=[1,2,3]": "search.ranges.lambda_continuous",
    "search.ranges.learning_rate_generator=[0.1,2]": "search.ranges.learning_rate_generator.1=2",
    "callbacks.collapse.window=0": "callbacks.collapse.window=0",
    "callbacks.collapse.largest_gap=1": "callbacks.collapse.largest_gap=1",
    "trainer.devices=2": "trainer.devices=2",
    "run=latest": "run=latest",
    "seed=-1": "seed=-1",
}


@pytest.mark.parametrize(("mistake", "named"), MISTAKES.items())
def test_mistakes_are_refused_before_anything_is_made(command, tmp_path, mistake, named):
    code, out, err = command(mistake)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err
    assert not (tmp_path / "outputs").exists()


def test_without_categories_there_is_nothing_to_tell_of_real_images(command, tmp_path):
    code, _, err = command("search.objective=real_information", "~model.codes.c1")
    assert code == 2
    assert err == (
        "error: search.objective=real_information: needs a categorical code; search.objective=information needs none\n"
    )
    assert not (tmp_path / "outputs").exists()


def test_scores_need_labels_and_a_code_for_them(command, tmp_path):
    code, _, err = command("search.objective=acc", "~model.codes.c1")
    assert code == 2
    assert err.startswith("error: search.objective=acc: needs labels")
    assert not (tmp_path / "outputs").exists()


def test_without_optuna(command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, err = command()
    assert (code, err) == (2, "error: a search needs an extra of this package: pip install 'infogan-lab[sweeps]'\n")
    assert not (tmp_path / "outputs").exists()


def test_a_search_of_an_older_version_continues(of_information, folder, outcomes):
    """Its study says what it searched as version 1 wrote it, which is brought up to date before it is compared."""
    command = of_information
    outcomes += [2.0]
    assert command("search.trials=1")[0] == 0
    with contextlib.closing(sqlite3.connect(folder / "study.db")) as file:
        (text,) = file.execute("SELECT value_json FROM study_user_attributes WHERE key = 'model'").fetchone()
        model = json.loads(text)
        for part in (model, model["generator"], model["discriminator"]):
            for key in ("kind", "adversarial", "regularisers", "augment", "ema_half_life", "balance"):
                part.pop(key, None)
        file.execute("UPDATE study_user_attributes SET value_json = ? WHERE key = 'model'", [json.dumps(model)])
        assert file.execute("DELETE FROM study_user_attributes WHERE key = 'version'").rowcount == 1
        file.commit()
    outcomes += [3.0]
    code, _, err = command("search.trials=2")
    assert (code, err) == (0, "")
    assert [row["state"] for row in rows(folder)] == ["complete"] * 2
    assert command("search.trials=2", "model.noise=3")[0] == 2, "another model is another search"

    with contextlib.closing(sqlite3.connect(folder / "study.db")) as file:
        file.execute(f"UPDATE study_user_attributes SET value_json = '{VERSION + 1}' WHERE key = 'version'")
        file.commit()
    code, _, err = command("search.trials=3")
    assert (code, err) == (
        2,
        f"error: {folder}/study.db is of version {VERSION + 1}, this one reads {VERSION}: update infogan-lab\n",
    )


def test_very_many_trials_are_asked_about(command, folder):
    code, _, err = command("search.trials=1000")
    assert code == 2 and err.startswith("error: search.trials=1000 takes ") and "(100 runs); yes=true does it" in err
    assert not folder.exists()
