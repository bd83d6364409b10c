"""A process that runs one loop, in blocks, whenever it is asked to: `python -m benchmarks.worker <what as JSON>`.

Reads numbers of iterations from its input, a line each, and answers each with the seconds that they took; at the end of
its input with what it has found beside, and its peak memory.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("matmul", "port", "bare", "ensemble", "lightning")


@dataclass(frozen=True)
class Task:
    """`kind`: one of KINDS. `overrides`: of the training's configuration. `images`: how many to train on.
    `keep_memory`: as training does, see `infogan.allocator`."""

    kind: str
    overrides: list[str] = field(default_factory=list)
    images: int = 10_000
    keep_memory: bool = True


class Worker:
    """The process, seen from the one that asks."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.seconds: list[float] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(asdict(task))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, iterations: int) -> None:
        """Starts so many iterations."""
        assert self._process.stdin is not None
        print(iterations, file=self._process.stdin, flush=True)

    def answer(self) -> float:
        """The seconds that they took, once they have ended. Raises RuntimeError where the process has."""
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.task} has ended; its error stands above")
        return float(answer)

    def run(self, iterations: int) -> float:
        """The seconds that so many iterations took."""
        self.ask(iterations)
        return self.answer()

    def block(self, iterations: int) -> None:
        """Runs a block, and keeps its seconds for one iteration."""
        self.seconds.append(self.run(iterations) / iterations)

    def end(self) -> dict[str, Any]:
        """What it has found beside, and `peak_MB`."""
        answer, _ = self._process.communicate()
        return json.loads(answer)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes where it does not disturb
    task = Task(**json.loads(sys.argv[1]))

    import torch

    from benchmarks import loops
    from benchmarks.port import port
    from infogan.experiments.machine import arithmetic
    from infogan.training.memory import keep_freed_memory

    if task.keep_memory:
        keep_freed_memory()

    def synchronise() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def orders() -> Iterator[int]:
        for line in sys.stdin:
            synchronise()
            start = time.perf_counter()
            yield int(line)
            synchronise()
            print(time.perf_counter() - start, file=answers, flush=True)

    found: dict[str, Any] = {}
    config = loops.configuration(task.overrides)
    with arithmetic(config.trainer):
        if task.kind == "lightning":
            found = loops.lightning(config, task.images, orders())
        else:
            run = {
                "matmul": lambda: loops.matmul(config),
                "port": lambda: port(config.data.batch_size, task.images, loops.device_of(config)),
                "bare": lambda: loops.bare(config, task.images),
                "ensemble": lambda: loops.ensemble(config, task.images),
            }[task.kind]()
            for iterations in orders():
                run(iterations)
        found["threads"] = torch.get_num_threads()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if torch.cuda.is_available():
        found["peak_GPU_MB"] = torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps({**found, "peak_MB": peak}), file=answers, flush=True)


if __name__ == "__main__":
    main()
