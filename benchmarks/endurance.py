"""`python -m benchmarks.endurance [minutes]`: whether memory and open files of a training stay where they are.

Trains the digits as users do, in a process of its own, for 30 minutes or as many as are given; its pictures, scores and
checkpoints come as often as the preset has them. A fifth of the time is left for warming up. The exit code is 1 where
private memory or the number of open files grew by more than LIMIT between the fifth after that and the last.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FIFTHS = 5
EVERY = 2.0
"""Seconds between two looks."""

LIMIT = 0.03


def look(pid: int) -> tuple[float, int]:
    """MB of private memory of a process, and how many files it has open."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    private = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:"))
    return private, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def watched(outputs: str, seconds: float) -> list[tuple[float, int]]:
    """A look every EVERY seconds at a training that lasts so long; it is then asked to stop."""
    arguments = ["data=digits", "logger=none", "trainer=cpu", "trainer.threads=1", "trainer.max_iterations=100000000",
                 f"paths.outputs={outputs}", f"paths.stores={outputs}/stores"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "infogan.train", *arguments], stdout=subprocess.DEVNULL)
    looks, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(EVERY)
        looks.append(look(process.pid))
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    if code != 128 + signal.SIGTERM:
        raise SystemExit(f"error: the training ended with exit code {code}")
    return looks


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as outputs:
        looks = watched(outputs, 60 * minutes)
        (newest,) = Path(outputs).glob("*/checkpoints/")
        iterations = max(int(path.stem.rpartition("_")[2]) for path in newest.iterdir())
    fifth = len(looks) // FIFTHS
    memory, files = ([float(median(values[k : k + fifth])) for k in range(0, fifth * FIFTHS, fifth)]
                     for values in zip(*looks, strict=True))  # fmt: skip
    growth = {"private_memory": memory[-1] / memory[1] - 1, "open_files": files[-1] / files[1] - 1}
    print(json.dumps({"minutes": minutes, "iterations": iterations, "looks": len(looks), "private_mb": memory,
                      "open_files": files, "growth": growth}, indent=2))  # fmt: skip
    raise SystemExit(int(max(growth.values()) > LIMIT))


if __name__ == "__main__":
    main()
