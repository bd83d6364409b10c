"""Training commands as processes of their own: started, watched until something has happened, and stopped."""

import csv
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch

from infogan.run_folder.paths import newest_checkpoint
from infogan.run_folder.trees import load_tree

TINY = ["data=digits", "logger=none", "trainer=cpu", "trainer.threads=1", "callbacks.traversal_rows=2",
        "callbacks.score_images=100"]  # fmt: skip
DEADLINE = 120


def start(*arguments, program=("-m", "infogan.train"), **options):
    """The process, its output piped. `program` may be `-c` and a script that ends in `main()`."""
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["infogan.training.module", "infogan.callbacks.conclusion", "infogan.datamodules.digits", "infogan.experiments.fit"]
)
"""Forks processes that have imported what takes seconds: PyTorch and Lightning. It has done nothing else."""


def _become(program, arguments, environment, folder, out, err):
    """In a forked process: what `python <program> <arguments>` does there, with its output into two pipes."""
    for number, pipe in ((1, out), (2, err)):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    # new ones, since those of the server may be files, in which one can seek
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(1)
    tempfile.tempdir = None
    os.chdir(folder)
    sys.argv[:] = [program[0], *arguments]
    if program[0] == "-c":
        exec(compile(program[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)


class Forked:
    """A process as `start` gives, with what the tests ask of one, but forked from SERVER: at once where a new one would
    import for seconds. Not for what depends on how Python starts, nor on whose child it is."""

    def __init__(self, *arguments, program=("-m", "infogan.train"), cwd=None, env=None):
        (out, out_of_child), (err, err_of_child) = SERVER.Pipe(duplex=False), SERVER.Pipe(duplex=False)
        environment = {**(os.environ if env is None else env), "OMP_NUM_THREADS": "1"}
        words, folder = [str(word) for word in arguments], str(cwd or Path.cwd())
        self._process = SERVER.Process(
            target=_become, args=(program, words, environment, folder, out_of_child, err_of_child)
        )
        self._process.start()
        for pipe in (out_of_child, err_of_child):
            pipe.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(pipe.fileno()), encoding="utf-8") for pipe in (out, err))
        self.pid = self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("the forked process", timeout)
        return self.returncode

    def communicate(self, timeout=None):
        found = {}
        readers = [
            threading.Thread(target=lambda stream=stream: found.update({stream: stream.read()}), daemon=True)
            for stream in (self.stdout, self.stderr)
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return found[self.stdout], found[self.stderr]

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self._process.kill()


def wait_for(process, event):
    """Polls until `event()` is true, and returns what it was; fails where the process ends first, or never."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := event():
            return found
        assert process.poll() is None, "".join(process.communicate())
        time.sleep(0.005)
    process.kill()
    raise AssertionError(f"nothing happened in {DEADLINE} s:\n" + "".join(process.communicate()))


def ended(process):
    """Its exit code, standard output and standard error, once it has ended by itself."""
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


def rows(folder):
    """metrics.csv without the clock column."""
    path = Path(folder) / "metrics.csv"
    if not path.is_file():
        return []
    with path.open() as file:
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(file)]


def tensors(node):
    """All tensors of a tree, in its order."""
    if isinstance(node, torch.Tensor):
        return [node]
    if isinstance(node, dict):
        node = list(node.values())
    return [t for child in node for t in tensors(child)] if isinstance(node, list | tuple) else []


def largest_difference(one, other):
    """Between all numbers of the newest checkpoints of two runs, which are of the same iteration."""
    a, b = (load_tree(newest_checkpoint(folder)) for folder in (one, other))
    assert a["iteration"] == b["iteration"]
    pairs = list(zip(tensors(a), tensors(b), strict=True))
    assert len(pairs) > 60
    return max(float((x.double() - y.double()).abs().max()) for x, y in pairs)
