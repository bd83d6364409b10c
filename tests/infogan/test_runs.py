"""`infogan.runs`: every run folder below outputs, the newest first, and nothing heavy loaded for it."""

import csv
import json
import os
import re
import subprocess
import sys

import pytest

from infogan import runs
from infogan.config.check import check
from infogan.run_folder.configuration import save_config
from tests.infogan.summaries import summary_of


@pytest.fixture
def outputs(compose_values, tmp_path):
    """A single run, a job of a sweep, a trial of a search, one without its configuration, and what is no run."""
    place = tmp_path / "outputs"
    names = ("a_single_run", "sweeps/lambda/job", "searches/digits/trial_000", "lost")
    for k, name in enumerate(names):
        save_config(check(compose_values("trainer.max_iterations=10", f"seed={40 + k}")), place / name)
        os.utime(place / name / "config.yaml", (1_000_000_000 + k, 1_000_000_000 + k))
    summary_of().save(place / "a_single_run")
    (place / "a_single_run" / "report.html").touch()
    (place / "lost" / "checkpoints").mkdir()
    (place / "lost" / "config.yaml").unlink()
    (place / "sweeps" / "lambda" / "best").symlink_to("job")
    (place / "sweeps" / "lambda" / "figures").mkdir()
    (place / "contact_sheets").mkdir()
    return place


@pytest.fixture
def command(call, monkeypatch, tmp_path):
    """Runs the command in this process, in tmp_path; returns its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return call(runs.main, *arguments)

    return run


def records_of(out):
    return list(csv.DictReader(out.splitlines()))


def test_all_runs_newest_first(command, outputs):
    code, out, err = command("paths.outputs=outputs", "format=csv")
    assert (code, err) == (0, "")
    lost, *others = records_of(out)
    assert (lost["run"], lost["state"]) == ("outputs/lost", "damaged"), "its folder is of now"
    assert lost["reason"] == "outputs/lost is not a run folder (it holds no config.yaml)"
    names = ("run", "data", "lambda", "seed", "iterations", "max_iterations", "state")
    assert [[run[name] for name in names] for run in others] == [
        ["outputs/searches/digits/trial_000", "digits", "1", "42", "0", "10", "stopped"],
        ["outputs/sweeps/lambda/job", "digits", "1", "41", "0", "10", "stopped"],
        ["outputs/a_single_run", "digits", "1", "40", "10", "10", "finished"],
    ]
    assert (others[2]["information"], others[2]["acc"]) == ("2.25", "0.75")
    assert others[2]["asked_at"] == "2001-09-09T01:46:40Z"
    assert [run["report"] for run in others] == ["", "", "outputs/a_single_run/report.html"]


def test_the_table(command, outputs):
    _, out, err = command("paths.outputs=outputs")
    _, title, head, rule, *rows, newest, damaged = out.splitlines()
    assert (title, err) == ("runs in outputs", "")
    assert head.split() == [
        "λ",
        "seed",
        "state",
        "ACC",
        "L_I",
        "of",
        "c1",
        "iterations",
        "data",
        "age",
        "report",
        "run",
    ]
    assert set(rule) == {"─"}
    assert [row.split()[-1] for row in rows] == [
        "lost",
        "searches/digits/trial_000",
        "sweeps/lambda/job",
        "a_single_run",
    ]
    assert rows[3].split()[:7] == ["1", "40", "finished", "0.750", "2.250", "10", "digits"]
    assert newest.startswith("run=latest takes ") and newest.endswith("trial_000")
    assert damaged == "damaged: outputs/lost is not a run folder (it holds no config.yaml)"


def test_json_is_the_same_with_types(command, outputs):
    _, table, _ = command("paths.outputs=outputs", "format=csv")
    _, out, err = command("paths.outputs=outputs", "format=json")
    runs = json.loads(out)
    assert err == ""
    written = [{key: "" if value is None else str(value) for key, value in run.items()} for run in runs]
    assert written == records_of(table)
    assert (runs[3]["seed"], runs[3]["acc"], runs[2]["acc"]) == (40, 0.75, None)


@pytest.fixture
def swept(compose_values, tmp_path):
    """Six runs of a sweep over λ, in names of 77 letters whose order is another, and three over the size of batches."""
    place = tmp_path / "outputs"
    for k, value in enumerate((10, 2, 0.5)):
        for seed in (1, 0):
            own = [f"model.lambda_categorical={value}", f"model.lambda_continuous={value}", f"seed={seed}"]
            name = "_".join(word.replace("=", "_") for word in own)
            save_config(check(compose_values(*own)), place / "sweeps" / "lambda" / name)
            os.utime(place / "sweeps" / "lambda" / name / "config.yaml", (1_000_000 + k, 1_000_000 - seed))
    for size in (100, 64, 32):
        save_config(check(compose_values(f"data.batch_size={size}")), place / "sweeps" / "sizes" / f"size_{size}")
    return place


def test_a_sweep_stands_in_the_order_of_what_was_swept(command, swept):
    _, out, _ = command("paths.outputs=outputs", "format=csv")
    runs = records_of(out)
    assert [run["swept"] for run in runs[:3]] == ["batch_size=32", "batch_size=64", "batch_size=100"]
    order = [(run["lambda"], run["seed"]) for run in runs[3:]]
    assert order == [("0.5", "0"), ("0.5", "1"), ("2", "0"), ("2", "1"), ("10", "0"), ("10", "1")]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_what_was_swept_and_names_are_whole_at_any_width(command, swept, screen, width, encoding):
    with screen(width, encoding) as shown:
        command("paths.outputs=outputs")
    lines = shown()
    assert lines[2].split()[0] == {"utf-8": "λ", "ascii": "lambda"}[encoding]
    rows = [line for line in lines if "sweeps/" in line and "latest" not in line]
    swept_values = [re.search(r"(?:^|\| | )(0\.5|2|10|1) ", row)[1] for row in rows]
    assert swept_values == ["1", "1", "1", "0.5", "0.5", "2", "2", "10", "10"]
    assert all(f"batch_size={size}" in row for size, row in zip((32, 64, 100), rows, strict=False))
    assert {row.split()[-1] for row in rows} == {str(p.parent.relative_to(swept)) for p in swept.rglob("config.yaml")}
    assert any(line.startswith("no room for: ") for line in lines), "and what is not shown is named"
    assert all(len(line) <= width for line in lines if set(line) <= set("─-+"))


def test_names_are_no_markup(command, outputs):
    (outputs / "a_single_run").rename(outputs / "[red]x[blue]")
    code, out, _ = command("paths.outputs=outputs")
    assert code == 0
    assert "[red]x[blue]" in out.split()


def test_no_runs(command, tmp_path):
    code, out, _ = command("paths.outputs=nowhere")
    assert (code, out) == (0, "there is no run in nowhere; paths.outputs names another folder\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mistake", ["paths.outputs=null", "seed=1", "+paths.data=x", "format=xml"])
def test_mistakes(command, mistake):
    code, out, err = command(mistake)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1


def test_neither_torch_nor_lightning_is_loaded(outputs):
    script = (
        f"import sys\nsys.argv = ['infogan.runs', 'paths.outputs={outputs}']\n"
        "from infogan.runs import main\nmain()\n"
        "print([m for m in ('torch', 'lightning', 'numpy', 'wandb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "a_single_run" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
