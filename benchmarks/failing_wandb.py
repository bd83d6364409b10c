"""`python -m benchmarks.failing_wandb [iterations=1200 rounds=3]`: what W&B, and a server that fails, cost the loop.

Trains the digits with one thread, a process a run: without W&B, and online at a server of this machine, which is a
process too (tests/infogan/wandb_server.py). It works for a third of the iterations; then it works on, or refuses
connections, answers 429 or 500, never answers, or cuts connections. In each round every way has its turn.

What is compared is the wall time of an iteration from the third's end to the last one, with the pictures, scores and
checkpoints that fall between, as a ratio to the run without W&B of the same round: the median over rounds. Processes
that do the same differ by some percent, so beside it stands what W&B takes of a run's own time: `share`, the seconds
that the loop spends in calls of W&B and the CPU seconds of all threads but the loop's, which at most hold it up for as
long, as a part of the wall time. The CPU time of W&B's own process is not in it.

The end is apart: after the last iteration the run is asked to stop, and the seconds until its process ends are printed,
of which W&B may wait FINISH_TIMEOUT for the server. No round is begun that would not end within MINUTES. The exit code
is 1 where the share with a server that fails is above LIMIT.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

import lightning as L

ROOT = Path(__file__).parents[1]
WITHOUT, WELL = "without W&B", "well"
FAILURES = ("refused", "429", "500", "hang", "drop")
WAYS = (WITHOUT, WELL, *FAILURES)
FINISH_TIMEOUT = 2
MINUTES = 7.5
LIMIT = 0.05


class Look(NamedTuple):
    """Seconds: of the wall clock, in W&B's calls, and of the CPU in all threads but the loop's."""

    wall: float
    in_calls: float
    others: float


class Clock(L.Callback):
    """After iteration `first` it sets what becomes of the server, and looks at the clocks; after `last` it
    looks again, and asks the run to stop. `in_calls`: seconds that W&B's calls have taken."""

    def __init__(self, first: int, last: int, server: Any, way: str) -> None:
        self.first, self.last, self.server, self.way = first, last, server, way
        self.in_calls = 0.0
        self.looks: list[Look] = []
        self.ended = 0.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if pl_module.iteration == self.first:
            if self.way != WITHOUT:
                import wandb

                if wandb.run is None or wandb.run.offline:
                    raise RuntimeError("the run is not online")
                print(self.way, file=self.server, flush=True)
            self.look()
        if pl_module.iteration == self.last:
            self.look()
            self.ended = time.time()
            os.kill(os.getpid(), signal.SIGTERM)

    def look(self) -> None:
        others = time.process_time() - time.thread_time()
        self.looks.append(Look(time.perf_counter(), self.in_calls, others))

    def timed(self, call: Callable[..., None]) -> Callable[..., None]:
        """The call, whose seconds are added up."""

        def timed_call(*arguments: Any) -> None:
            start = time.perf_counter()
            call(*arguments)
            self.in_calls += time.perf_counter() - start

        return timed_call


def timed_training(way: str, iterations: int, folder: Path) -> None:
    """Trains, with the server's input at standard output, and writes into `folder`/found.json the wall seconds of an
    iteration, W&B's share of them, and when the last one ended."""
    server = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the training prints goes where it does not disturb
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    from infogan.config.check import check
    from infogan.errors import Stopped
    from infogan.experiments.fit import train
    from infogan.experiments.prepare import create
    from infogan.tracking.wandb_run import WandbRun

    overrides = ["data=digits", "trainer=cpu", "trainer.threads=1", f"trainer.max_iterations={iterations + 1}"]
    overrides += [f"paths.stores={folder.parent}/stores"]
    online = ["logger=wandb", "logger.mode=online", "logger.init_timeout=20", f"logger.finish_timeout={FINISH_TIMEOUT}"]
    with initialize_config_module("infogan.conf", version_base="1.3"):
        values = compose("train", [*overrides, *(["logger=none"] if way == WITHOUT else online)])
    run = create(check(cast(dict[str, Any], OmegaConf.to_container(values, resolve=True))), folder, "run")
    clock = Clock(iterations // 3, iterations, server, way)
    WandbRun._send = clock.timed(WandbRun._send)  # type: ignore[method-assign]
    with suppress(Stopped):
        train(run, [clock])
    first, last = clock.looks
    wall, in_calls, others = (b - a for a, b in zip(first, last, strict=True))
    found = {
        "wall": wall / (clock.last - clock.first),
        "share": (in_calls + others) / wall,
        "ended": clock.ended,
    }
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


@contextmanager
def server(seconds: float) -> Iterator[tuple[str, int]]:
    """The address of a server that has so long to start, and its input, which takes what is to become of it."""
    command = [sys.executable, "-m", "tests.infogan.wandb_server"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdin is not None and process.stdout is not None
    try:
        if not select.select([process.stdout], [], [], seconds)[0]:
            raise SystemExit("error: the server did not start")
        yield process.stdout.readline().strip(), process.stdin.fileno()
    finally:
        process.kill()
        process.communicate(timeout=10)


def trained(way: str, iterations: int, folder: Path, end: float) -> dict[str, float]:
    """Milliseconds of an iteration, W&B's share, and the seconds of the run's end. All must be over at `end`."""
    folder.mkdir()
    call = f"timed_training({way!r}, {iterations}, Path({str(folder)!r}))"
    command = [sys.executable, "-c", f"from benchmarks.failing_wandb import *; {call}"]
    with (
        server(end - time.monotonic()) as (address, orders),
        (folder / "output.txt").open("w", encoding="utf-8") as output,
    ):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "WANDB_BASE_URL": address, "WANDB_API_KEY": "0" * 40}
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=orders, stderr=output, env=environment, start_new_session=True
        )
        try:
            code = process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise SystemExit(f"error: {way}: not over after {MINUTES} minutes in all") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        gone = time.time()
    if code != 0:
        raise SystemExit(
            f"error: {way}: exit code {code}\n{(folder / 'output.txt').read_text(encoding='utf-8')[-2000:]}"
        )
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return {"wall_ms": 1000 * found["wall"], "share": found["share"], "end_s": gone - found["ended"]}


def summary(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """By way: medians over the rounds, and by how much more an iteration takes than without W&B in the same round."""
    found = {}
    for way in WAYS:
        medians = {name: median(times[way][name] for times in rounds) for name in ("wall_ms", "share", "end_s")}
        found[way] = medians | {
            "more": median(times[way]["wall_ms"] / times[WITHOUT]["wall_ms"] for times in rounds) - 1
        }
    return found


def main() -> None:
    settings = {"iterations": 1200, "rounds": 3}
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name not in settings or not value.isdecimal() or int(value) < 1:
            raise SystemExit(f"error: {argument}: iterations=… and rounds=… are whole numbers from 1")
        settings[name] = int(value)
    start = time.monotonic()
    rounds: list[dict[str, dict[str, float]]] = []
    longest = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        while len(rounds) < settings["rounds"] and time.monotonic() - start + longest < 60 * MINUTES:
            begun, of_round = time.monotonic(), {}
            turn = len(rounds) % len(WAYS)
            for way in (*WAYS[turn:], *WAYS[:turn]):
                folder = Path(temporary) / f"{len(rounds)}_{WAYS.index(way)}"
                of_round[way] = trained(way, settings["iterations"], folder, start + 60 * MINUTES)
                numbers = ", ".join(f"{name} {value:.3g}" for name, value in of_round[way].items())
                print(f"round {len(rounds) + 1}, {way}: {numbers}", flush=True)
            rounds.append(of_round)
            longest = max(longest, time.monotonic() - begun)
    found = summary(rounds)
    print(json.dumps({**settings, "rounds": len(rounds), "found": found, "all": rounds}, indent=2))
    raise SystemExit(int(max(found[way]["share"] for way in FAILURES) > LIMIT))


if __name__ == "__main__":
    main()
