"""`python -m benchmarks`: what an iteration costs, of the machine's limit and beside other loops, in one run.

Every loop is a process of its own, and all that are compared take turns block by block, so that a noisy machine slows
them alike. Results go to `outputs/benchmarks/<time>/`: results.json and cost.png. Settings, as key=value:

  sections=[iterations,framework,modes,ensemble,growth,sizes,start,jobs]  what to measure, the whole takes about an hour
  presets=[mnist,chairs] batch_sizes=[64,128,256] precisions=[float32,bf16]
  device=cpu|cuda    rounds=7    block_seconds=0.5
"""

import json
import sys
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from benchmarks import start
from benchmarks.sections import SECTIONS, Settings
from infogan.errors import ConfigError, ends_as_one_line
from infogan.run_folder.files import save_picture, write_json
from infogan.run_folder.paths import timestamp
from infogan.terminal import take_any_text

PRECISIONS = ("float32", "tf32", "bf16")
"""The loops without Lightning know these."""


def settings_of(arguments: list[str]) -> Settings:
    """Raises ConfigError where a key or value is not one."""
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Settings), OmegaConf.from_dotlist(arguments))
        settings = cast(Settings, OmegaConf.to_object(merged))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from None
    for key, given, known in (
        ("sections", settings.sections, tuple(SECTIONS)),
        ("precisions", settings.precisions, PRECISIONS),
        ("device", [settings.device], ("cpu", "cuda")),
    ):
        if unknown := [value for value in given if value not in known]:
            raise ConfigError(f"{key}: {unknown[0]} is not one of {', '.join(known)}")
    return settings


def main() -> None:
    take_any_text()
    with ends_as_one_line():
        settings = settings_of(sys.argv[1:])
        folder = Path("outputs/benchmarks") / timestamp()
        folder.mkdir(parents=True)
        found: dict[str, Any] = {
            "command": f"python -m benchmarks {' '.join(sys.argv[1:])}",
            "machine": start.machine(),
        }
        for section in settings.sections:
            found[section] = SECTIONS[section](settings)
            print(json.dumps(found[section], indent=2))
            write_json(folder / "results.json", found)
        from benchmarks.plot import cost

        if picture := cost(found):
            save_picture(folder / "cost.png", picture)
        print(f"results: {folder}")


if __name__ == "__main__":
    main()
