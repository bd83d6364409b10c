"""Errors that a user can mend. A command ends with them as one line and an exit code that is not 0."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InfoGANError(Exception):
    """What is wrong, where, and what to do: one line."""


class ConfigError(InfoGANError):
    """A key of the configuration is unknown, or its value is not allowed."""


class DataError(InfoGANError):
    """Images are missing, damaged, or not what their name says."""


class RunError(InfoGANError):
    """A run folder cannot be used for what was asked."""


@contextmanager
def ends_as_one_line() -> Iterator[None]:
    """Turns an `InfoGANError` into `error: …` on standard error and exit code 2; other exceptions pass."""
    try:
        yield
    except InfoGANError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
