"""What tells configurations apart, as of the runs of a sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from infogan.config.training import Config


def differing_settings(configs: Sequence[Config]) -> list[dict[str, Any]]:
    """For each configuration what is not the same in all of them, the seed aside: key → value."""
    values = [_flat_settings(config.model_dump(include={"model", "data", "trainer"})) for config in configs]
    keys = sorted({key for each in values for key in each})
    differ = [key for key in keys if len({repr(each.get(key)) for each in values}) > 1]
    return [{key: each.get(key) for key in differ} for each in values]


def short_names(settings: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What tells these apart, λ before all else: key → how it is written. Of what varies together, the first; `λ`
    where it is several λ of one value."""
    together: dict[tuple[int, ...], list[str]] = {}
    for key in sorted(settings[0], key=lambda key: ("lambda" not in key, key)):
        values = [repr(own[key]) for own in settings]
        together.setdefault(tuple(values.index(value) for value in values), []).append(key)
    names = {}
    for first, *others in together.values():
        same = [key for key in others if all(own[key] == own[first] for own in settings)]
        several = "lambda" in first and any("lambda" in key for key in same)
        names[first] = "λ" if several else first.rpartition(".")[2].replace("lambda", "λ")
    return names


def in_order(settings: Mapping[str, Any]) -> list[tuple[bool, float, str]]:
    """What settings are sorted by: numbers by size, then all else by name."""
    return [_ordered(value) for value in settings.values()]


def as_text(value: Any) -> str:
    """A value as it is shown: a number without what does not matter of it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ordered(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, int | float)
    return not number, float(value) if number else 0.0, repr(value)


def _flat_settings(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat_settings(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
