"""What is typed after a command, in the grammar of Hydra; and where that cannot be, how it is written."""

import re
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, NoReturn

from infogan.errors import ConfigError, as_text, in_quotes

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

NAMED = r"(?:model\.)?codes|model\.regularisers|callbacks\.further"
"""Sections whose keys are names that somebody chose."""


def in_hydras_grammar(words: Sequence[str]) -> list[str]:
    """The same arguments, as Hydra takes them.

    What can only be text is quoted: `data.path=~/фото`. Keys that no file of conf/ has need no `+` where names are
    free, nor in the entries of a list: `model.codes.c4.kind=…`, `model.generator.layers.2.batch_norm=true`. A whole
    section of names, or what one of them names, replaces what was there, where Hydra would merge the two.

    Raises ConfigError, which says how it is written, for options that there are not and for a value that could be
    several things.
    """
    overrides, several = _overrides(words)
    found = []
    for word in words:
        found += _opened(_quoted(word, several)) if word in overrides else [word]
    return found


def _overrides(words: Sequence[str]) -> tuple[set[str], bool]:
    """Those of the words that are no options, and whether these ask for a sweep."""
    from hydra._internal.utils import get_args_parser

    parser: ArgumentParser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise ConfigError(_about_options(words, message))

    parser.error = refuse  # type: ignore[method-assign]
    options, unknown = parser.parse_known_args(list(words))
    if unknown:
        refuse(f"{unknown[0]}: there is no such option")
    ways = {"--run": options.run, "-m": options.multirun, "--cfg": options.cfg, "--info": options.info}
    if len(chosen := [name for name, given in ways.items() if given]) > 1:
        raise ConfigError(f"{' and '.join(chosen)} cannot be given together")
    if options.resolve and options.cfg is None:
        raise ConfigError("--resolve belongs to --cfg job")
    return set(options.overrides), options.multirun


def _about_options(words: Sequence[str], message: str) -> str:
    with_value = next((word for word in words if re.match(r"--[\w.]+=", word)), None)
    if with_value is None:
        return f"{message}; --help lists the keys, which are set without hyphens: seed=3"
    return (
        f"{with_value}: values are set without hyphens, {with_value[2:]}; "
        "the command of a W&B sweep takes ${args_no_hyphens}, as in examples/wandb_sweep.yaml"
    )


def _quoted(word: str, several: bool) -> str:
    """The word in Hydra's grammar, its value quoted where it can only be text. `several`: commas part values."""
    key, equals, value = word.partition("=")
    if word.startswith("~"):
        return word
    if key and (override := _parsed(word)):
        if _is_group(key) and not _is_choice(override):
            raise ConfigError(f"{word}: a group takes the name of a choice, such as trainer=cpu")
        return word
    if not key or not equals or not _parsed(f"{key}="):
        raise ConfigError(f"{word}: a value is set by <key>=<value>")
    parts = value.split(",") if several else [value]
    if re.search(r"""[=\[\]{}()'"]""", value) or (not several and "," in value):
        raise ConfigError(f"{word}: cannot be read as it stands; as text it is {as_text(key, value)}")
    return f"{key}={','.join(part if _parsed(f'{key}={part}') else in_quotes(part) for part in parts)}"


def _parsed(word: str) -> "Override | None":
    """What Hydra makes of the word, None where it is not in its grammar."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _is_group(key: str) -> bool:
    return re.fullmatch(r"[\w/]{1,60}", key) is not None and files("infogan.conf").joinpath(key).is_dir()


def _is_choice(override: "Override") -> bool:
    return override.is_sweep_override() or isinstance(override.value(), str)


def _opened(word: str) -> list[str]:
    key, _, value = word.partition("=")
    is_section, bare = value.lstrip().startswith("{"), key.removeprefix("+")
    if is_section and (re.fullmatch(NAMED, key) or re.fullmatch(rf"({NAMED})\.\w+", bare)):
        return [f"++{bare}=null", f"++{bare}={value}"]
    if is_section and re.fullmatch(r"[\w.]+\.\d+", key):
        entries = key.rpartition(".")[0]
        raise ConfigError(
            f"{word}: this would be merged with what is there; {key}.<key>=… changes a part of it, "
            f"{entries}=[…] gives all of them"
        )
    return [f"++{word}"] if re.match(rf"({NAMED})\.|[\w.]+\.\d+\.", key) else [word]
