"""A key of W&B that this process has in its environment is in none of the files that a run leaves."""

import os

from tests.infogan.processes import TINY, ended, start
from tests.infogan.wandb_files import records
from tests.infogan.wandb_server import KEY

SHORT = [*(option for option in TINY if option != "logger=none"), "logger=wandb", "trainer.max_iterations=5"]


def files_with(folder, text):
    """The files below a folder, links followed, that hold the text; W&B's own as it is unpacked, too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert {"config.yaml", "provenance.json", "log.txt", "report.html", "debug.log"} <= {path.name for path in paths}
    found = [path for path in paths if text.encode() in path.read_bytes()]
    return found + [record for record in records(folder) if text in str(record)]


def test_a_key_in_the_environment_is_in_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    code, out, err = ended(start(*SHORT, f"paths.outputs={tmp_path}/outputs"))
    assert code == 0, err
    (folder,) = (tmp_path / "outputs").iterdir()
    assert files_with(folder, KEY) == []
    assert files_with(folder, "digits"), "the search finds what is there"
    assert KEY not in out + err
    assert os.environ["WANDB_API_KEY"] == KEY


def test_a_key_on_the_command_line_is_refused_and_not_repeated(tmp_path):
    for argument in (f"logger.api_key={KEY}", f"+logger.api_key={KEY}", f"WANDB_API_KEY={KEY}", f"+api_key={KEY}"):
        code, out, err = ended(start(*SHORT, argument, f"paths.outputs={tmp_path}/outputs"))
        assert code == 2, argument
        assert "there is no such key" in err
        assert KEY not in out + err
    assert not (tmp_path / "outputs").exists()
