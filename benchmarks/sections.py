"""What is measured, a function a section: loops that are compared take turns block by block."""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import start
from benchmarks.worker import Task, Worker
from infogan.terminal import Column, show_table

ITERATIONS = 30
"""Of a round of `ensemble`."""


EAGER, GRAPH = "trainer.cuda_graph=false", "trainer.cuda_graph=true"


@dataclass
class Settings:
    """What is measured. A block of one loop takes about `block_seconds`; each loop has `rounds` of them."""

    sections: list[str] = field(default_factory=lambda: list(SECTIONS))
    presets: list[str] = field(
        default_factory=lambda: [
            "digits",
            "mnist",
            "faces",
            "svhn",
            "celeba",
            "celeba64",
            "dsprites",
            "chairs_narrow",
            "chairs",
        ]
    )
    batch_sizes: list[int] = field(default_factory=lambda: [64, 128, 256])
    precisions: list[str] = field(default_factory=lambda: ["float32", "bf16"])
    device: str = "cpu"
    rounds: int = 7
    block_seconds: float = 0.5

    def overrides(self, preset: str, batch_size: int, precision: str) -> list[str]:
        """Of a training's configuration, for a preset on this device."""
        data = {"chairs_narrow": "chairs"}.get(preset, preset)
        accelerator = {"cpu": "cpu", "cuda": "gpu"}[self.device]
        return [
            f"data={data}",
            f"model={preset}",
            f"data.batch_size={batch_size}",
            f"trainer.precision={precision}",
            f"trainer.accelerator={accelerator}",
        ]


def alternate(workers: list[Worker], settings: Settings) -> None:
    """Runs `rounds` blocks of each worker in turn, after two short ones that are not counted."""
    lengths = []
    for worker in workers:
        worker.run(2)
        lengths.append(max(1, round(2 * settings.block_seconds / worker.run(2))))
    for _ in range(settings.rounds):
        for worker, length in zip(workers, lengths, strict=True):
            worker.block(length)


def ratio(worker: Worker, other: Worker) -> float:
    """How many times as long an iteration of one loop takes as that of another: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(worker.seconds, other.seconds, strict=True))


def milliseconds(worker: Worker) -> float:
    return 1000 * statistics.median(worker.seconds)


def iterations(settings: Settings) -> dict[str, Any]:
    """Each preset at each batch size and precision: time, throughput, share of the matmul peak, memory."""
    from benchmarks.loops import MATRIX, configuration, flop

    rows = []
    for preset in settings.presets:
        for batch_size in settings.batch_sizes:
            by_precision = {
                precision: settings.overrides(preset, batch_size, precision) for precision in settings.precisions
            }
            peaks = [Worker(Task("matmul", overrides)) for overrides in by_precision.values()]
            loops = [Worker(Task("bare", overrides)) for overrides in by_precision.values()]
            alternate([*peaks, *loops], settings)
            for (precision, overrides), peak, loop in zip(by_precision.items(), peaks, loops, strict=True):
                peak.end()
                work = flop(configuration(overrides))
                limit = 2 * MATRIX[settings.device] ** 3 / min(peak.seconds)
                median = statistics.median(loop.seconds)
                rows.append(
                    {
                        "preset": preset,
                        "batch": batch_size,
                        "precision": precision,
                        "ms": 1000 * median,
                        "ms_p10": 1000 * quantile(loop.seconds, 0.1),
                        "images_per_second": batch_size / median,
                        "GFLOP": work / 1e9,
                        "peak_GFLOP_per_s": limit / 1e9,
                        "share_of_peak": work / median / limit,
                        "peak_MB": loop.end()["peak_MB"],
                    }
                )
                show("Iterations", rows[-1:])
    return {"rows": rows}


def framework(settings: Settings) -> dict[str, Any]:
    """What Lightning, logging and callbacks add to the bare loop of MNIST's preset, and how a public port compares."""
    precision = settings.precisions[-1]
    overrides = settings.overrides("mnist", 128, precision)
    bare, lightning = Worker(Task("bare", overrides)), Worker(Task("lightning", overrides))
    again = Worker(Task("bare", overrides, keep_memory=False))
    port = Worker(Task("port", settings.overrides("mnist", 128, "float32"), keep_memory=False))
    alternate([bare, lightning, again, port], settings)
    of_bare, of_lightning, of_again, of_port = (worker.end() for worker in (bare, lightning, again, port))
    iteration = statistics.median(lightning.seconds)
    events = {name: event["seconds"] / event["every"] / iteration for name, event in of_lightning["events"].items()}
    blocks = sum(lightning.seconds) / len(lightning.seconds)
    return {
        "precision": precision,
        "threads": of_bare["threads"],
        "ms": {
            "bare loop": milliseconds(bare),
            "Lightning with its log": milliseconds(lightning),
            "bare loop, freed memory given back": milliseconds(again),
            "public port": milliseconds(port),
        },
        "loop_and_logging": ratio(lightning, bare) - 1,
        "events_ms": {name: 1000 * event["seconds"] for name, event in of_lightning["events"].items()},
        "events": events,
        "overhead": ratio(lightning, bare) - 1 + sum(events.values()),
        "times_as_fast_as_the_port": ratio(port, lightning) / (1 + sum(events.values())),
        "waiting_for_batches": of_lightning["waited_s"] / of_lightning["iterations"] / blocks,
        "peak_MB": {"bare loop": of_bare["peak_MB"], "Lightning": of_lightning["peak_MB"]},
        "memory_over_bare": of_lightning["peak_MB"] / of_bare["peak_MB"] - 1,
        "port_MB": of_port["peak_MB"],
        "given_back_MB": of_again["peak_MB"],
    }


def modes(settings: Settings) -> dict[str, Any]:
    """Each preset at the first batch size and the last precision in each way of running an iteration, in Lightning;
    the first row is the bare loop, a kernel at a time."""
    graphs = (EAGER, GRAPH) if settings.device == "cuda" else (EAGER,)
    ways = [[graph, *compiled] for graph in graphs for compiled in ([], ["trainer.compile=default"])]
    batch_size, precision = settings.batch_sizes[0], settings.precisions[-1]
    rows = []
    for preset in settings.presets:
        overrides = settings.overrides(preset, batch_size, precision)
        workers = {"bare loop": Worker(Task("bare", [*overrides, EAGER]))}
        workers |= {" ".join(way): Worker(Task("lightning", [*overrides, *way])) for way in ways}
        alternate([*workers.values()], settings)
        for name, worker in workers.items():
            rows.append(
                {
                    "preset": preset,
                    "batch": batch_size,
                    "precision": precision,
                    "way": name,
                    "ms": milliseconds(worker),
                    "images_per_second": 1000 * batch_size / milliseconds(worker),
                    "times_as_fast_as_eager": 1 / ratio(worker, workers[EAGER]),
                    "peak_GPU_MB": worker.end().get("peak_GPU_MB", 0.0),
                }
            )
        show("Ways to run an iteration", rows[-len(workers) :])
    return {"rows": rows}


def ensemble(settings: Settings) -> dict[str, Any]:
    """Models of the digits' preset trained at once against as many apart, float32: one after the other, and on a CPU
    as a sweep is best run there too, one process a core with one thread each."""
    from benchmarks.loops import ENSEMBLE

    rows = []
    for way in (EAGER, GRAPH) if settings.device == "cuda" else (EAGER,):
        overrides = [*settings.overrides("digits", 64, "float32"), way]
        together, alone = Worker(Task("ensemble", overrides)), Worker(Task("bare", overrides))
        cores = (os.cpu_count() or 1) if settings.device == "cpu" else 0
        one_a_core = [Worker(Task("bare", [*overrides, "trainer.threads=1"])) for _ in range(cores)]
        ratios: dict[str, list[float]] = {"one after the other": [], "one a core": []}
        for worker in (together, alone, *one_a_core):
            worker.run(3)
        for _ in range(settings.rounds):
            a_model = together.run(ITERATIONS) / ENSEMBLE
            ratios["one after the other"].append(a_model / alone.run(ITERATIONS))
            for worker in one_a_core:
                worker.ask(ITERATIONS)
            if one_a_core:
                ratios["one a core"].append(a_model / (max(worker.answer() for worker in one_a_core) / cores))
        for worker in (together, alone, *one_a_core):
            worker.end()
        rows += [
            {"way": way, "models": ENSEMBLE, "against": reference, "part_of_their_time": statistics.median(values)}
            for reference, values in ratios.items()
            if values
        ]
    show("Several models at once", rows)
    return {"rows": rows}


def growth(settings: Settings) -> dict[str, Any]:
    """MNIST's preset on 1,000 to 1,000,000 images: what an image costs."""
    overrides = settings.overrides("mnist", 128, settings.precisions[-1])
    counts = [1_000, 10_000, 100_000, 1_000_000]
    workers = [Worker(Task("bare", overrides, images=count)) for count in counts]
    alternate(workers, settings)
    for worker in workers:
        worker.end()
    ratios = [ratio(worker, workers[0]) for worker in workers]
    rows = [
        {"images": count, "us_an_image": 1000 * milliseconds(worker) / 128, "to_the_first": to_first}
        for count, worker, to_first in zip(counts, workers, ratios, strict=True)
    ]
    show("Growth", rows)
    return {"rows": rows}


def sizes(settings: Settings) -> dict[str, Any]:
    """The presets of `data=folder`, one an image size."""
    rows, batch_size = [], 64
    for size in (28, 32, 64, 128):
        precision = settings.precisions[-1]
        overrides = [*settings.overrides("folder", batch_size, precision), f"data.size={size}", "data.path=."]
        worker = Worker(Task("bare", overrides))
        alternate([worker], settings)
        worker.end()
        rows.append({"size": size, "batch": batch_size, "precision": precision, "ms": milliseconds(worker)})
    show("Image sizes", rows)
    return {"rows": rows}


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    import numpy as np

    return float(np.quantile(values, share))


def startup(settings: Settings) -> dict[str, Any]:
    return start.measure(settings.rounds)


def jobs(settings: Settings) -> dict[str, Any]:
    return start.jobs()


SECTIONS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "iterations": iterations,
    "framework": framework,
    "modes": modes,
    "ensemble": ensemble,
    "growth": growth,
    "sizes": sizes,
    "start": startup,
    "jobs": jobs,
}


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """A table on the terminal, a line a row."""
    cells = [[f"{v:,.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    show_table(title, [Column(name, rank) for rank, name in enumerate(rows[0])], cells)
