"""`infogan.runs`: every run folder below outputs, the newest first, and nothing heavy loaded for it."""

import os
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


def rows_of(out):
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]


def test_all_runs_newest_first(command, outputs):
    code, out, err = command("paths.outputs=outputs")
    assert (code, err) == (0, "")
    lost, *others = rows_of(out)
    assert (lost[0], lost[5]) == ("lost", "damaged"), "its folder is of now"
    assert [row[:6] for row in others] == [
        ["searches/digits/trial_000", "digits", "1", "42", "0 of 10", "stopped"],
        ["sweeps/lambda/job", "digits", "1", "41", "0 of 10", "stopped"],
        ["a_single_run", "digits", "1", "40", "10", "finished"],
    ]
    assert others[2][6:8] == ["2.250", "0.750"]
    assert others[2][8].endswith(" d")
    assert [row[9] for row in others] == ["", "", "outputs/a_single_run/report.html"]
    damaged = [line for line in out.splitlines() if line.startswith("damaged: ")]
    assert damaged == ["damaged: outputs/lost is not a run folder (it holds no config.yaml)"]


def test_names_are_no_markup(command, outputs):
    (outputs / "a_single_run").rename(outputs / "[red]x[blue]")
    code, out, _ = command("paths.outputs=outputs")
    assert code == 0
    assert "[red]x[blue]" in [row[0] for row in rows_of(out)]


def test_no_runs(command, tmp_path):
    code, out, _ = command("paths.outputs=nowhere")
    assert (code, out) == (0, "there is no run in nowhere; paths.outputs names another folder\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mistake", ["paths.outputs=null", "seed=1", "+paths.data=x"])
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
