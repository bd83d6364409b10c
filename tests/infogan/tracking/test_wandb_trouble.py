"""W&B that refuses, stalls, breaks off or has no room: training ends as without it, what was left can be sent."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import lightning as L
import pytest
import wandb
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from infogan.config.check import check
from infogan.errors import RunError
from infogan.experiments.fit import train
from infogan.experiments.prepare import create
from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree
from tests.infogan.processes import tensors
from tests.infogan.wandb_files import history, records
from tests.infogan.wandb_server import KEY, serving

ITERATIONS = 12
LOGGED = [4, 8, 12]
BREAKS_AT = 6


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The images, decoded once for all tests here."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="module")
def new_run(stores):
    """Makes the folder of a short run with more overrides."""

    def make(outputs, *overrides):
        limits = ["trainer=cpu", "trainer.threads=1", f"trainer.max_iterations={ITERATIONS}", f"paths.stores={stores}"]
        often = ["callbacks.log_every=4", "callbacks.traversals_every=5", "callbacks.traversal_rows=2"]
        waiting = ["logger.init_timeout=2", "logger.finish_timeout=2"] if "logger=none" not in overrides else []
        with initialize_config_module("infogan.conf", version_base="1.3"):
            values = compose("train", ["data=digits", *limits, *often, *waiting, *overrides])
        return create(check(OmegaConf.to_container(values, resolve=True)), outputs, "run")

    return make


@pytest.fixture
def connected(monkeypatch):
    """W&B of this process looks for its server at a given address, with a key."""

    def to(url):
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)

    monkeypatch.setattr(wandb.Api, "_HTTP_TIMEOUT", 1)  # WANDB_HTTP_TIMEOUT, which is read when it is imported
    wandb.teardown()  # it reads its environment once
    yield to
    wandb.teardown()


@pytest.fixture(scope="module")
def unlogged(new_run, tmp_path_factory):
    """The hash of the weights that the run has without W&B."""
    folder = new_run(tmp_path_factory.mktemp("unlogged"), "logger=none")
    train(folder)
    return digest(folder)


def digest(folder):
    """SHA-256 of all tensors of the final checkpoint: weights, optimizers, callbacks."""
    tree = load_tree(newest_checkpoint(folder))
    assert tree["iteration"] == ITERATIONS
    return hashlib.sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors(tree))).hexdigest()


def synced(*arguments):
    """The server, well this time, after `wandb sync` with these arguments."""
    command = [Path(sys.executable).with_name("wandb"), "sync", *arguments]
    with serving() as server:
        environment = {**os.environ, "WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY}
        subprocess.run(command, cwd=arguments[-1], env=environment, check=True, capture_output=True, timeout=60)
    return server


def received(server):
    """The iterations of which a server got a row."""
    lines = [json.loads(line) for line in server.lines]
    return sorted({line["iteration"] for line in lines if "loss/generator" in line})


def line_of(out, start):
    """The one line of the output that starts so."""
    (line,) = [line for line in out.splitlines() if line.startswith(start)]
    return line


def refused():
    """The address of a port where nobody listens."""
    with serving() as gone:
        return gone.url


@pytest.mark.parametrize(
    "mode", ["refused", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("429", "500", "hang", "drop"))]
)
def test_auto_continues_offline_where_the_server_fails_at_the_start(
    mode, new_run, connected, unlogged, tmp_path, capsys
):
    folder = new_run(tmp_path)
    if mode == "refused":
        connected(refused())
        train(folder)
    else:
        with serving(mode) as server:
            connected(server.url)
            train(folder)
    line = line_of(capsys.readouterr().out, "W&B:")
    assert line.startswith("W&B: offline, for the server could not be used (")
    assert line.endswith(f"; to send the run later: wandb login; wandb sync {folder}/wandb/offline-run-*")
    assert digest(folder) == unlogged
    assert [row["iteration"] for row in history(records(folder)) if "loss/generator" in row] == LOGGED
    (left,) = (folder / "wandb").glob("offline-run-*")
    server = synced(left)
    assert received(server) == LOGGED
    assert sorted(server.artifacts) == ["model", "run_table", "run_table"]


class At(L.Callback):
    """Does something after an iteration."""

    def __init__(self, iteration, what):
        self.iteration, self.what = iteration, what

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        if module.iteration == self.iteration:
            self.what()


@pytest.mark.parametrize(
    "mode", ["500", *(pytest.param(m, marks=pytest.mark.long) for m in ("429", "hang", "drop", "until artifacts"))]
)
def test_a_server_that_fails_midway(mode, new_run, connected, unlogged, tmp_path, capsys):
    folder = new_run(tmp_path)
    with serving() as server:
        connected(server.url)
        train(folder, [At(BREAKS_AT, lambda: setattr(server, "mode", mode))])
    out = capsys.readouterr().out
    (left,) = (folder / "wandb").glob("run-*")
    assert (
        line_of(out, "W&B: http") == f"W&B: {server.url}/somebody/infogan/runs/{(folder / 'wandb' / 'id').read_text()}"
    )
    assert line_of(out, "W&B: not").endswith(f"; to send it later: wandb sync --no-skip-online {left}")
    assert digest(folder) == unlogged
    assert received(synced("--no-skip-online", left)) == LOGGED


def test_a_server_that_is_well(new_run, connected, unlogged, tmp_path, capsys):
    folder = new_run(tmp_path, "logger.finish_timeout=60")
    with serving() as server:
        connected(server.url)
        train(folder)
    assert received(server) == LOGGED
    assert sorted(server.artifacts) == ["model", "run_table", "run_table"]
    assert [line for line in capsys.readouterr().out.splitlines() if "W&B" in line] == [
        f"W&B: {server.url}/somebody/infogan/runs/{(folder / 'wandb' / 'id').read_text()}"
    ]
    assert digest(folder) == unlogged


def test_online_ends_early_in_one_line(new_run, connected, tmp_path):
    folder = new_run(tmp_path, "logger.mode=online")
    connected(refused())
    with pytest.raises(RunError) as error:
        train(folder)
    assert str(error.value).startswith("W&B: ")
    assert str(error.value).endswith("; logger.mode=offline needs no server")
    assert "\n" not in str(error.value)
    assert newest_checkpoint(folder) is None


def kill_wandb():
    """kill -9 of W&B's own process, the child of this one."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    for pid in {int(pid) for path in children for pid in path.read_text().split()}:
        if "wandb-core" in Path(f"/proc/{pid}/cmdline").read_text():
            os.kill(pid, 9)
            while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
                time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds W&B's process in /proc")
def test_its_process_is_killed(new_run, connected, unlogged, tmp_path, capsys):
    folder = new_run(tmp_path)
    train(folder, [At(BREAKS_AT, kill_wandb)])
    out = capsys.readouterr().out
    assert line_of(out, "W&B gets no more of this run: ")
    assert line_of(out, "W&B: not all of the run was sent (")
    assert digest(folder) == unlogged


def test_no_room_for_what_waits_to_be_sent(new_run, connected, unlogged, tmp_path, capsys):
    folder = new_run(tmp_path)
    disk = folder / "wandb"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")

    def fill():
        with pytest.raises(OSError, match="No space left"):
            (disk / "filler").write_bytes(bytes(4 << 20))

    try:
        train(folder, [At(BREAKS_AT, fill)])
        assert "No space left on device" in line_of(capsys.readouterr().out, "W&B gets no more of this run: ")
        assert digest(folder) == unlogged
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
