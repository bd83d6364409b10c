"""Mistakes of the command line that every command shares, and of every field of every command's schema."""

import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import pytest
from hydra import compose, initialize_config_module
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from pydantic import BaseModel

from infogan import compare, data, edit, evaluate, generate, report, runs, search, train
from infogan.config import opening, training
from infogan.config.asking import AskingConfig
from infogan.config.check import check, check_section
from infogan.datamodules import DATA_MODULES
from infogan.errors import ConfigError
from infogan.run_folder.configuration import load_config, save_config

COMMANDS = [compare, data, edit, evaluate, generate, report, runs, search, train]
NONSENSE = {
    "nonsense": "nonsense",
    "paths.outputs=[1": "[1",
    "paths.outputs=${nowhere}": "nowhere",
    "paths.outputs=${oc.env:NOWHERE}": "NOWHERE",
    "paths.outputs={a:1}": "paths.outputs",
    "paths.outputs=a,b": "paths.outputs",
    "~paths.outputs": "paths.outputs",
    "paths=3": "paths=3: a group takes the name of a choice",
    "hydra/launcher=nowhere": "hydra/launcher=nowhere",
    "nothing.at.all=1": "nothing.at.all",
}


@pytest.mark.parametrize("mistake", NONSENSE)
def test_what_no_command_takes(call, monkeypatch, tmp_path, mistake):
    """Two of them of every command, the others of those with the smallest configurations."""
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS if mistake in ("nonsense", "paths=3") else [runs, report]:
        code, out, err = call(command.main, mistake)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("error: ")
        assert NONSENSE[mistake] in err
    assert list(tmp_path.iterdir()) == []


@cache
def composed(name, *overrides):
    with initialize_config_module("infogan.conf", version_base="1.3"):
        return OmegaConf.to_container(compose(name, list(overrides)), resolve=True)


class Train(training.Config, AskingConfig):
    """All that the command takes."""


DATA = ["digits", "svhn", "celeba", "faces", "chairs", "dsprites"]
SCHEMAS = {
    **{f"train {name}": (Train, "train", (f"data={name}",)) for name in DATA},
    "train folder": (Train, "train", ("data=folder", "data.path=here", "logger=csv")),
    "search": (training.SearchedConfig, "search", ("logger=none",)),
    "data": (training.DataSheetConfig, "data_sheet", ("logger=none",)),
    "evaluate": (opening.EvaluateConfig, "evaluate", ()),
    "compare": (opening.CompareConfig, "compare", ("sweep=here",)),
    "generate": (opening.GenerateConfig, "generate", ()),
    "edit": (opening.EditConfig, "edit", ("image=here.png",)),
    "report": (opening.ReportConfig, "report", ("run=latest",)),
    "runs": (opening.RunsConfig, "runs", ()),
}  # fmt: skip


def fields(section, path=()):
    """Every field that has no fields of its own: its place, its annotation and its constraints."""
    if isinstance(section, BaseModel):
        for name, info in type(section).model_fields.items():
            value = getattr(section, name)
            if isinstance(value, BaseModel | dict | list) and any(True for _ in fields(value)):
                yield from fields(value, (*path, name))
            else:
                yield (*path, name), info.annotation, info.metadata
    elif isinstance(section, dict | list):
        for key, value in section.items() if isinstance(section, dict) else enumerate(section):
            if isinstance(value, BaseModel):
                yield from fields(value, (*path, key))


def unwrapped(annotation, metadata):
    """The alternatives of an annotation, each with its constraints."""
    if get_origin(annotation) is Annotated:
        inner, *further = get_args(annotation)
        return unwrapped(inner, [*metadata, *further])
    if get_origin(annotation) in (Union, types.UnionType):
        return [part for each in get_args(annotation) for part in unwrapped(each, metadata)]
    flat = []
    for part in metadata:
        flat += list(getattr(part, "metadata", ())) if not isinstance(part, annotated_types.BaseMetadata) else [part]
    return [(annotation, flat)]


def bounds(constraints):
    low = next(((c.ge, False) for c in constraints if isinstance(c, annotated_types.Ge)), None)
    low = low or next(((c.gt, True) for c in constraints if isinstance(c, annotated_types.Gt)), None)
    high = next(((c.le, False) for c in constraints if isinstance(c, annotated_types.Le)), None)
    return low, high or next(((c.lt, True) for c in constraints if isinstance(c, annotated_types.Lt)), None)


TEXT = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=8).filter(lambda text: "${" not in text)
"""Without interpolations, which are resolved before a configuration is checked."""
OTHERS = {
    int: st.one_of(TEXT, st.floats(), st.booleans(), st.lists(st.integers(), max_size=2), st.just({"a": 1})),
    float: st.one_of(TEXT, st.booleans(), st.just(float("nan")), st.lists(st.floats(), max_size=2), st.just({})),
    bool: st.one_of(TEXT, st.integers(), st.none(), st.floats(), st.just([True])),
    # no integers: a class may be named by a number
    str: st.one_of(st.floats(), st.booleans(), st.lists(TEXT, max_size=2), st.just({})),
}


def beyond(annotation, end, ends_outside, below):
    """Numbers below or above the end of a range; the end itself too where it is outside."""
    if annotation is int:
        nearest = end - (not ends_outside) if below else end + (not ends_outside)
        return st.integers(nearest - 10**6, nearest) if below else st.integers(nearest, nearest + 10**10)
    side = "max" if below else "min"
    return st.floats(allow_nan=False, **{f"{side}_value": float(end), f"exclude_{side}": not ends_outside})


def wrong(alternatives, own_rule):
    """Values of another type than any of the alternatives, or outside of the range; None where all would be right."""
    kinds = {annotation for annotation, _ in alternatives}
    if Any in kinds or own_rule:
        return st.sampled_from([[], {}, "", -1, True, [1, 2], "fixed"]) if own_rule else None
    (annotation, constraints) = next(each for each in alternatives if each[0] is not type(None))
    optional = type(None) in kinds
    if get_origin(annotation) is Literal:
        allowed = get_args(annotation)
        flags = [flag for flag in (True, False) if not any(flag is one for one in allowed)]
        return st.one_of(TEXT, st.integers(), st.just([]), *map(st.just, flags)).filter(
            lambda value: not any(type(value) is type(one) and value == one for one in allowed)
        )
    if get_origin(annotation) in (list, dict):
        return st.one_of(st.text(min_size=1, max_size=4), st.integers(), st.booleans())
    if annotation not in OTHERS:
        return None
    others = OTHERS[annotation]
    low, high = bounds(constraints)
    outside = []
    if low is not None:
        outside.append(beyond(annotation, *low, below=True))
    if high is not None:
        outside.append(beyond(annotation, *high, below=False))
    if not optional:
        outside.append(st.none())
    return st.one_of(others, *outside)


def right(alternatives):
    """Values that the annotation allows; None where it does not tell."""
    strategies = []
    for annotation, constraints in alternatives:
        low, high = bounds(constraints)
        if annotation is type(None):
            strategies.append(st.none())
        elif get_origin(annotation) is Literal:
            strategies.append(st.sampled_from(get_args(annotation)))
        elif annotation is int:
            first = None if low is None else low[0] + low[1]
            strategies.append(st.integers(first, None if high is None else high[0] - high[1]))
        elif annotation is float:
            ends = {"min_value": low and low[0], "exclude_min": bool(low and low[1]),
                    "max_value": high and high[0], "exclude_max": bool(high and high[1])}  # fmt: skip
            strategies.append(st.floats(allow_nan=False, allow_infinity=False, **ends))
        elif annotation in (bool, str):
            strategies.append(st.booleans() if annotation is bool else TEXT)
        else:
            return None
    return st.one_of(strategies)


def replaced(values, path, value):
    """A copy of nested values with one of them changed."""
    if not path:
        return value
    copy = dict(values) if isinstance(values, dict) else list(values)
    copy[path[0]] = replaced(values[path[0]], path[1:], value)
    return copy


OWN_RULE = {"sigma", "fc"}
"""Fields that a function of the schema checks, not their annotation."""

SPANNING = {"low", "high", "name", "kind", "source", "path", "lambda_posterior", "posterior_optimizer", "lambda_code",
            "lambda_categorical", "lambda_continuous", "health", "batch_norm", "run", "runs", "sweep", "image", "to",
            "label", "size"}  # fmt: skip
"""Fields whose right values depend on other fields."""


TAGS = (*DATA_MODULES, "wandb", "csv", "none", "categorical", "uniform")
"""Each is right where another section is meant, whose keys are then missing."""


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(chance=st.data())
def test_a_wrong_value_of_any_field_is_refused_by_its_name(name, chance):
    schema, file, overrides = SCHEMAS[name]
    values = composed(file, *overrides)
    whole, seen = check_section(values, schema), 0
    for path, annotation, metadata in fields(whole):
        strategy = wrong(unwrapped(annotation, metadata), path[-1] in OWN_RULE)
        if strategy is None:
            continue
        strategy = strategy.filter(lambda value: value not in TAGS)
        value = chance.draw(strategy, label=".".join(map(str, path)))
        try:
            check_section(replaced(whole.model_dump(), path, value), schema)
        except ConfigError as error:
            assert "\n" not in str(error)
            named = ".".join(map(str, path))
            section = named.rpartition(".")[0]
            assert named in str(error) or (f"{section}: " in str(error) and path[-1] in str(error)), (named, str(error))
            seen += 1
        else:
            pytest.fail(f"{'.'.join(map(str, path))}={value!r} was accepted")
    assert seen >= len(values.keys() - {"imports"})


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(chance=st.data())
def test_a_right_value_of_any_field_is_kept(tmp_path_factory, name, chance):
    """Those of a training run also when they are written and read."""
    schema, file, overrides = SCHEMAS[name]
    whole = check_section(composed(file, *overrides), schema)
    changed = whole.model_dump()
    for path, annotation, metadata in fields(whole):
        strategy = None if path[-1] in SPANNING | OWN_RULE else right(unwrapped(annotation, metadata))
        if strategy is not None:
            changed = replaced(changed, path, chance.draw(strategy, label=".".join(map(str, path))))
    checked = check_section(changed, schema)
    assert checked.model_dump() == changed
    if schema is Train:
        folder, config = tmp_path_factory.mktemp("run"), check(changed)
        save_config(config, folder)
        assert load_config(folder) == config
