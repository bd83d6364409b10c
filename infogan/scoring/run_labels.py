"""Several runs in a few characters each: what tells them apart."""

from collections.abc import Mapping, Sequence

from infogan.config.differences import as_text
from infogan.scoring.many_runs import Run


def is_numeric(runs: Sequence[Run], key: str) -> bool:
    """Whether a setting is a number in all runs."""
    return all(isinstance(run.settings[key], int | float) and not isinstance(run.settings[key], bool) for run in runs)


def label_of(run: Run, names: Mapping[str, str], with_seed: bool = True) -> str:
    """A run in a few characters: what tells it apart, and the seed. Its name where that would be long."""
    if with_seed and len(names) > 2:
        return run.name
    values = {short: run.settings[key] for key, short in names.items()}
    words = [f"{short}={as_text(value)}" for short, value in values.items()]
    return " ".join([*words, f"seed={run.seed}"] if with_seed else words) or "all runs"
