"""`python -m benchmarks.store`: how soon a store gives its first batch, and how much memory training from it holds.

Synthetic images: 20,000 gray ones of 64² as a data set of faces has, and 200,000 in colour as CelebA at 64² has. Each
is measured in a process of its own, which opens a finished store as a second start does.
"""

import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.synthetic import Synthetic
from infogan.datamodules.base import DataContext, TrainingBatches

BATCHES = 400
SIZES = {"20,000 × 1 × 64²": (20_000, 1), "200,000 × 3 × 64²": (200_000, 3)}


def synthetic(folder: str, count: int, channels: int) -> Synthetic:
    return Synthetic(DataContext(Path(folder), Path(folder), 128, (0.0, 1.0), 0), count, (channels, 64, 64))


def memory(kind: str) -> float:
    """MB of this process as the kernel counts them: RssAnon is private memory, RssFile mapped pages."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{kind}:"))


def measure(folder: str, count: int, channels: int) -> dict[str, float]:
    """Seconds from opening (its checksums included) to the first batch, and MB after BATCHES batches of 128."""
    empty = memory("RssAnon")
    start = time.perf_counter()
    data = synthetic(folder, count, channels)
    data.prepare_data()
    stream = iter(TrainingBatches(data.split("train").images, 128, 0, start=0, further=lambda iteration: {}))
    data.on_after_batch_transfer(next(stream), 0)
    first = time.perf_counter() - start
    start = time.perf_counter()
    for batch in islice(stream, BATCHES):
        data.on_after_batch_transfer(batch, 0)
    return {
        "first_batch_s": first,
        "batch_ms": 1000 * (time.perf_counter() - start) / BATCHES,
        "private_MB": memory("RssAnon") - empty,
        "private_MB_of_the_process": memory("RssAnon"),
        "mapped_MB": memory("RssFile"),
    }


def main() -> None:
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, (count, channels) in SIZES.items():
            synthetic(folder, count, channels).prepare_data()
            command = [sys.executable, "-m", "benchmarks.store", folder, str(count), str(channels)]
            done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
            found = {key: round(value, 3) for key, value in json.loads(done.stdout).items()}
            print(f"{name}: {found}")


if __name__ == "__main__":
    main()
