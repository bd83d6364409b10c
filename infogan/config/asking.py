"""The schema of what a command asks about before it writes very much."""

from typing import Annotated

from pydantic import Field

from infogan.config.fields import Positive, Section


class AskAboveConfig(Section):
    """More than so many `gigabytes` or `files` of one command, or `runs` of a sweep or search, are written only with
    `yes`."""

    gigabytes: Annotated[float, Field(gt=0)]
    files: Positive
    runs: Positive


class AskingConfig(Section):
    """Of every command that writes as much as somebody typed. `yes`: however much it is, if the disk has room."""

    yes: bool
    ask_above: AskAboveConfig
