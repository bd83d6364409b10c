"""A ledger of runs: what a document cites of each, on one line of a file that outlives the run folders."""

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path

from infogan.errors import RunError
from infogan.run_folder.configuration import read_config
from infogan.run_folder.contents import read_provenance
from infogan.run_folder.evaluation import LabelFree, read_evaluation
from infogan.run_folder.files import write_atomically
from infogan.run_folder.metrics import CLUSTERING, IMAGES_PER_SECOND, read_metrics
from infogan.run_folder.paths import sweep_of
from infogan.run_folder.summary import SUMMARY, read_summary

COLUMNS = (
    "run", "command", "commit", "machine", "seconds", "iterations", "seed", *CLUSTERING, "information", "label_free",
    "date",
)  # fmt: skip

Line = dict[str, str]


def line_of(folder: Path) -> Line:
    """What there is to note of a run, text by column, empty where it is not known.

    command: of its first start. commit: of the code, with + where there were changes; several where it continued
    with another. seconds: of the training loop, as metrics.csv counts them. information: Σ L_I over the codes, with
    σ² = MSE for a fixed σ, in nats. label_free: where the same model was evaluated. date: of its end.

    Raises RunError where it has not finished, or is damaged.
    """
    config, summary, starts = read_config(folder), read_summary(folder), read_provenance(folder)
    if summary is None or summary.iterations != config.trainer.max_iterations:
        raise RunError(f"{folder} has not finished: python -m infogan.train run={folder} continues it")
    commits = [
        f"{start.get('revision') or 'unknown'}{'+' * bool(start.get('uncommitted_changes'))}" for start in starts
    ]
    last = starts[-1] if starts else {}
    machine = ", ".join([str(last.get("machine") or ""), *map(str, last.get("gpus") or [])])
    bounds = summary.refitted_information.values()
    evaluation = read_evaluation(folder)
    same = evaluation is not None and evaluation.iterations == summary.iterations
    label_free = evaluation.label_free if evaluation is not None and same else None
    sweep = sweep_of(folder)
    return {
        "run": folder.name if sweep is None else f"{sweep}/{folder.name}",
        "command": str(starts[0].get("command") or "") if starts else "",
        "commit": " ".join(dict.fromkeys(commits)),
        "machine": machine,
        "seconds": _seconds(folder, config.data.batch_size),
        "iterations": str(summary.iterations),
        "seed": str(summary.seed),
        **{name: _number(summary.clustering.get(name)) for name in CLUSTERING},
        "information": _number(None if None in bounds else sum(value for value in bounds if value is not None)),
        "label_free": _number(label_free.score if isinstance(label_free, LabelFree) else None),
        "date": time.strftime("%Y-%m-%d", time.localtime((folder / SUMMARY).stat().st_mtime)),
    }


def add_lines(path: Path, lines: Sequence[Line]) -> int:
    """Adds to a ledger, made where there is none, the lines that it does not have, and returns how many these were. Two
    lines are the same where all but the seconds and the date is, which a copy of the folder may change.

    Raises RunError where the file is no ledger, or cannot be written.
    """
    kept = _read(path)
    known = {_identity(line) for line in kept}
    new: list[Line] = []
    for line in lines:
        if _identity(line) not in known:
            known.add(_identity(line))
            new.append(line)
    if new:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *new])
        write_atomically(path, lambda staged: staged.write_text(text.getvalue(), encoding="utf-8"))
    return len(new)


def _read(path: Path) -> list[Line]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
        lines = list(reader)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path} could not be read: {error}") from None
    if tuple(reader.fieldnames or ()) != COLUMNS or any(None in line or None in line.values() for line in lines):
        raise RunError(f"{path} is no ledger: its columns must be {','.join(COLUMNS)}")
    return lines


def _identity(line: Line) -> tuple[str, ...]:
    return tuple(line[name] for name in COLUMNS if name not in ("seconds", "date"))


def _seconds(folder: Path, batch_size: int) -> str:
    """Each row's speed is that of the iterations since the row before."""
    points = read_metrics(folder).points(IMAGES_PER_SECOND)
    starts = [0.0, *(iteration for iteration, _ in points)]
    spans = zip(points, starts, strict=False)
    seconds = sum((iteration - start) * batch_size / speed for (iteration, speed), start in spans if speed > 0)
    return f"{seconds:.1f}" if points else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
