"""From the command to the first iteration, and several jobs on one machine: whole processes, as a user starts them."""

import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TRAIN = [sys.executable, "-m", "infogan.train"]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import torch

    cpu = Path("/proc/cpuinfo")
    models = (
        [line.split(":")[1].strip() for line in cpu.read_text(encoding="utf-8").splitlines() if "model name" in line]
        if (cpu.is_file())
        else [platform.processor()]
    )
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, encoding="utf-8", cwd=Path(__file__).parent
    )
    return {
        "cpu": f"{len(models)} × {models[0]}",
        "features": [name for name, there in torch.cpu.get_capabilities().items() if there is True],
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "torch": torch.__version__,
        "revision": revision.stdout.strip(),
    }


def measure(rounds: int) -> dict[str, Any]:
    """CPU seconds of `--help`, and wall seconds from launch until the first iteration of digits is in a checkpoint."""
    helps, firsts = [], []
    with tempfile.TemporaryDirectory() as temporary:
        outputs = [f"paths.outputs={temporary}/outputs", f"paths.stores={temporary}/stores", "logger=none"]
        first_ones = ["data=digits", "trainer.max_iterations=1", *outputs]
        for round_ in range(rounds + 1):
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([*TRAIN, "--help"], check=True, capture_output=True)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            launched = time.time()
            subprocess.run([*TRAIN, *first_ones], check=True, capture_output=True)
            newest = max(Path(temporary).glob("outputs/*/checkpoints/*"), key=lambda path: path.stat().st_mtime)
            if round_ > 0:  # the first one reads everything from the disk and makes the store
                helps.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
                firsts.append(newest.stat().st_mtime - launched)
    return {
        "help_cpu_s": {"median": statistics.median(helps), "all": helps},
        "first_iteration_s": {"median": statistics.median(firsts), "all": firsts},
    }


def jobs(rounds: int = 3, iterations: int = 600) -> dict[str, Any]:
    """Wall seconds of four runs of digits: one after the other with two threads, and two at a time with one each."""
    ways = {
        "one job of 2 threads": ["trainer.threads=2"],
        "2 jobs of 1 thread": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.threads=1"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as temporary:
        for round_ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                subprocess.run(
                    [
                        *TRAIN,
                        "-m",
                        "data=digits",
                        "seed=0,1,2,3",
                        "logger=none",
                        f"trainer.max_iterations={iterations}",
                        f"paths.outputs={temporary}",
                        f"paths.stores={temporary}/stores",
                        f"hydra.sweep.dir={temporary}/{name.replace(' ', '_')}_{round_}",
                        *way,
                    ],
                    check=True,
                    capture_output=True,
                )
                seconds[name].append(time.perf_counter() - start)
    return {"iterations": iterations, "runs": 4, "seconds": seconds}
