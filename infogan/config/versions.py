"""Files of older versions of the schema, brought up to date: a function a version.

A run's config.yaml and an exported model's config.json say of which version they are. Who changes what they hold
counts VERSION up and adds the function that makes the new version of the one before it, with a file of that day in
tests/. Such a function also says what a key was before it existed: the schema has no defaults for that.
"""

import copy
from collections.abc import Callable
from typing import Any

VERSION = 4
"""Of what is written."""


class Unreadable(ValueError):
    """A file says that it is of a version that this one does not read."""


def up_to_date(values: Any) -> Any:
    """What a file of any version holds, as this version writes it, without the version; `values` stay as they are. What
    does not fit is left to the check of the schema. Raises Unreadable where the file is newer, or of no version."""
    if not isinstance(values, dict):
        return values
    values = copy.deepcopy(values)
    version = values.pop("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise Unreadable(f"is of version {str(version)[:20]!r}, which is none: this one reads 1 to {VERSION}")
    if version > VERSION:
        raise Unreadable(f"is of version {version}, this one reads {VERSION}: update infogan-lab")
    for step in STEPS[version - 1 :]:
        step(values)
    return values


def _to_2(values: dict[str, Any]) -> None:
    """Networks, the game and regularisers are named, and callbacks may be added. Version 1 lasted for long: its first
    files lack what came while it did."""
    if values.get("format") == 1:  # what exported models had in the place of a version
        del values["format"]
    _missing(values, "model", adversarial="non_saturating", regularisers={})
    _missing(values, "model.generator", kind="dcgan")
    _missing(values, "model.discriminator", kind="dcgan")
    _missing(values, "trainer", compile=None, cuda_graph="auto")
    _missing(values, "callbacks", health="off", collapse=None, further={})
    _missing(values, "callbacks.collapse", least_gap=-1.0)
    if isinstance(logger := values.get("logger"), dict) and logger.get("name") == "wandb":
        _missing(values, "logger", artifact=False, init_timeout=90, finish_timeout=60)


def _to_3(values: dict[str, Any]) -> None:
    """Consistency is of several codes, and its transforms are a section of their own."""
    regularisers = values.get("model", {}).get("regularisers") if isinstance(values.get("model"), dict) else None
    for section in regularisers.values() if isinstance(regularisers, dict) else ():
        if isinstance(section, dict) and section.get("kind") == "consistency" and "code" in section:
            section["codes"] = [section.pop("code")]
            moved = {key: section.pop(key) for key in ("rotation", "scale", "shear", "shift") if key in section}
            for key, value in {"marginals": 1.0, "apart": 0.0, "transforms": moved}.items():
                section.setdefault(key, value)


def _to_4(values: dict[str, Any]) -> None:
    """D may be shown changed images, an average of G be kept, the information be balanced with the game, codes may hide
    in the image, categories be without real ones, and house numbers be rendered."""
    _missing(values, "model", augment=None, ema_half_life=None, balance=None)
    _missing(values, "callbacks.collapse", hidden_information=1.0, recovery=1.0, least_rarest=0.0)
    if isinstance(data := values.get("data"), dict) and data.get("name") == "svhn":
        _missing(values, "data", source="official", images=60_000)


STEPS: list[Callable[[dict[str, Any]], None]] = [_to_2, _to_3, _to_4]
"""The first makes version 2 of version 1."""


def _missing(values: dict[str, Any], section: str, **keys: Any) -> None:
    """Adds those keys that the section lacks, if it is there at all."""
    place: Any = values
    for part in section.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    if isinstance(place, dict):
        for key, value in keys.items():
            place.setdefault(key, value)
