"""How a command ends: one line, an exit code, and text that a shell and Hydra read back."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser

from infogan.config.check import check
from infogan.errors import (
    Collapsed,
    ConfigError,
    DataError,
    InfoGANError,
    NotFinite,
    RunError,
    Stopped,
    as_text,
    ends_as_one_line,
    in_quotes,
)
from infogan.experiments.fit import train
from infogan.experiments.prepare import create


@pytest.mark.parametrize("kind", [InfoGANError, ConfigError, DataError, RunError, Collapsed, NotFinite])
def test_an_error_that_a_user_can_mend(kind, capsys):
    with pytest.raises(SystemExit) as stop, ends_as_one_line():
        raise kind("data.path=x: there is no such folder")
    assert stop.value.code == 2
    assert capsys.readouterr() == ("", "error: data.path=x: there is no such folder\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)])
def test_a_signal(number, code, capsys):
    with pytest.raises(SystemExit) as stop, ends_as_one_line():
        raise Stopped(number)
    assert stop.value.code == code == Stopped(number).exit_code
    assert capsys.readouterr() == ("", f"stopped by {number.name}\n")


def test_a_signal_ends_a_sweep_which_takes_exceptions_for_its_jobs_own():
    assert not issubclass(Stopped, Exception)
    assert issubclass(NotFinite, Collapsed)


@pytest.mark.parametrize("error", [ValueError("a fault of this project"), KeyboardInterrupt()])
def test_others_pass(error, capsys):
    with pytest.raises(type(error)), ends_as_one_line():
        raise error
    assert capsys.readouterr().err == ""


def test_nothing_is_said_where_nothing_is_wrong(capsys):
    with ends_as_one_line():
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("trainer=tpu", "trainer=tpu: there is no such choice; allowed: cpu, ddp, default, gpu"),
        ("model=tiny", "unless it is given, it is that of data="),
        ("hydra/launcher=slurm", "hydra/launcher=slurm: there is no such choice; allowed: basic"),
        ("trainer.speed=3", "trainer.speed: there is no such key; --cfg job shows all of them"),
        ("++model.generator.layers.9.features=3", "model.generator.layers.9.features=3: there are not so many"),
        (
            "data.path=a,b",
            "data.path=a,b: several values are a sweep, which -m starts; one text is 'data.path=\"a,b\"'",
        ),
    ],
)
def test_hydras_many_lines_become_one(override, line, capsys):
    with pytest.raises(SystemExit), ends_as_one_line(), initialize_config_module("infogan.conf", version_base="1.3"):
        compose("train", [override])
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err


@pytest.mark.parametrize(
    "value",
    ["plain", "", " a b ", "2024=a", "3", "null", "true", "[a,b]", "{a: 1}", "~/фото", "it's", 'say "so"', "a\\b",
     "ends with \\", '\\"', "${oc.env:HOME}", "a,b", "#1", "$(rm)", "`x`", "%", "!"],
)  # fmt: skip
def test_a_text_in_quotes_is_that_text(value):
    """What a shell makes of it, Hydra reads as the same text, whatever it looks like."""
    (word,) = shlex.split(as_text("data.path", value))
    assert word == f"data.path={in_quotes(value)}"
    override = OverridesParser.create().parse_override(word)
    assert override.key_or_group == "data.path"
    assert override.value() == value and isinstance(override.value(), str)


@pytest.fixture
def unread(monkeypatch):
    """While a `with` lasts, standard output is a pipe that nobody reads any more, as after `| head -1`."""

    @contextmanager
    def pipe():
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            yield
            stream.flush()  # as Python does when it ends: what was left has gone

    return pipe


@pytest.mark.parametrize("lines", [1, 10_000], ids=["at its end", "midway"])
def test_where_nobody_reads_a_command_ends_without_a_word(unread, capfd, lines):
    with unread(), pytest.raises(SystemExit) as stop, ends_as_one_line():
        print("\n".join(["a line"] * lines))
    assert stop.value.code == 128 + signal.SIGPIPE
    assert capfd.readouterr().err == ""


def test_a_broken_pipe_to_another_program_passes(capsys):
    with pytest.raises(BrokenPipeError, match="of ffmpeg"), ends_as_one_line():
        raise BrokenPipeError("of ffmpeg")
    assert capsys.readouterr().err == ""


def test_a_training_that_nobody_hears_stops_as_by_a_signal(unread, compose_values, capfd, tmp_path):
    folder = create(check(compose_values("trainer.max_iterations=4", f"paths.stores={tmp_path}/stores")), tmp_path, "r")
    with unread(), pytest.raises(SystemExit) as stop, ends_as_one_line():
        train(folder)
    assert stop.value.code == 128 + signal.SIGPIPE
    assert capfd.readouterr().err == ""
    assert f"run={folder} starts it again; there is no checkpoint yet" in (folder / "log.txt").read_text("utf-8")


def test_processes_that_nobody_reads(tmp_path):
    """All the way through Hydra, Rich and Python's own end."""
    (tmp_path / "a_folder").mkdir()
    for words in (["infogan.runs", f"paths.outputs={tmp_path}"], ["infogan.runs", "--help"], ["infogan"]):
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 128 + signal.SIGPIPE), words
