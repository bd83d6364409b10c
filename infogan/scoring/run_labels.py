"""Several runs in a few characters each: what tells them apart."""

from collections.abc import Mapping, Sequence

from infogan.scoring.many_runs import Run


def short_names(runs: Sequence[Run]) -> dict[str, str]:
    """What tells the runs apart, λ before all else: key → how it is written. Of what varies together, the first; `λ`
    where it is several λ of one value."""
    together: dict[tuple[int, ...], list[str]] = {}
    for key in sorted(runs[0].settings, key=lambda key: ("lambda" not in key, key)):
        values = [repr(run.settings[key]) for run in runs]
        together.setdefault(tuple(values.index(value) for value in values), []).append(key)
    names = {}
    for first, *others in together.values():
        same = [key for key in others if all(run.settings[key] == run.settings[first] for run in runs)]
        several = "lambda" in first and any("lambda" in key for key in same)
        names[first] = "λ" if several else first.rpartition(".")[2].replace("lambda", "λ")
    return names


def is_numeric(runs: Sequence[Run], key: str) -> bool:
    """Whether a setting is a number in all runs."""
    return all(isinstance(run.settings[key], int | float) and not isinstance(run.settings[key], bool) for run in runs)


def label_of(run: Run, names: Mapping[str, str], with_seed: bool = True) -> str:
    """A run in a few characters: what tells it apart, and the seed. Its name where that would be long."""
    if with_seed and len(names) > 2:
        return run.name
    values = {short: run.settings[key] for key, short in names.items()}
    words = [f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()]
    return " ".join([*words, f"seed={run.seed}"] if with_seed else words) or "all runs"
