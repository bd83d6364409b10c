"""Training commands as processes of their own: started, watched until something has happened, and stopped."""

import csv
import os
import subprocess
import sys
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
