"""Errors that a user can mend. A command ends with them as one line and an exit code that is not 0."""

import os
import re
import shlex
import signal
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


class Collapsed(RunError):
    """Training has come to where neither player learns any more."""


class NotFinite(Collapsed):
    """A loss or a gradient is no number any more."""


class Stopped(BaseException):
    """A signal has asked the process to end. No Exception, so that a sweep ends instead of starting its next job."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"

    @property
    def exit_code(self) -> int:
        """As shells count: 130 for SIGINT, 143 for SIGTERM, 138 for SIGUSR1 (on Linux)."""
        return 128 + self.number


SIGPIPE = 13
"""What ends a Unix tool whose output nobody reads any more. Python ignores the signal, Windows does not know it."""


def nobody_reads() -> bool:
    """Whether what reads standard output has gone, as `head -1` goes after a line."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False


@contextmanager
def ends_with_its_reader() -> Iterator[None]:
    """Where nobody reads standard output any more, ends without a word, with a Unix tool's exit code. What comes of
    another pipe passes."""
    try:
        try:
            yield
            sys.stdout.flush()  # when Python ends it would complain
        except BrokenPipeError:
            if not nobody_reads():
                raise
            raise Stopped(SIGPIPE) from None
    except Stopped as stopped:
        if stopped.number != SIGPIPE:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what was written and not sent
        raise SystemExit(stopped.exit_code) from None


@contextmanager
def ends_as_one_line() -> Iterator[None]:
    """Turns the project's errors and Hydra's into `error: …` on standard error and exit code 2, and a signal into
    `stopped by …` and its exit code; others pass. Where nobody reads it, see `ends_with_its_reader`."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # else Hydra prints its own many lines and exits
    try:
        with ends_with_its_reader():
            yield
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        raise SystemExit(stopped.exit_code) from None
    except InfoGANError as error:
        line = str(error)
    except (HydraException, OmegaConfBaseException) as error:
        line = _hydra_line(error)
    else:
        return
    print(f"error: {line}", file=sys.stderr)
    raise SystemExit(2)


def as_text(key: str, value: str) -> str:
    """`key=value` as a shell takes it, whose value Hydra takes for text, whatever it is."""
    return shlex.quote(f"{key}={in_quotes(value)}")


def in_quotes(value: str) -> str:
    """A text in Hydra's quotes, where a backslash is itself, but before a quote and at the end."""
    return '"' + re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + (found[2] and '\\"'), value) + '"'


def _hydra_line(error: Exception) -> str:
    """Hydra's messages span many lines, and name a key somewhere among them."""
    message = str(error)
    group = re.search(r"Could not find '([\w/]+)/([^'/]+)'\s+Available options in '[^']+':\n((?:\t\S+\n?)+)", message)
    if group:
        line = f"{group[1]}={group[2]}: there is no such choice; allowed: {', '.join(group[3].split())}"
        if group[1] == "hydra/launcher" and "joblib" not in group[3]:
            return f"{line}; pip install 'infogan-lab[sweeps]' brings joblib and submitit"
        return f"{line}; unless it is given, it is that of data=" if group[1] == "model" else line
    if key := re.search(r"Could not override '([^']+)'", message):
        return f"{key[1]}: there is no such key; --cfg job shows all of them"
    if word := re.match(r"Error merging override \+*(.+)", message):
        reason = str(error.__cause__).partition("\n")[0]
        return f"{word[1]}: {'there are not so many' if reason == 'list index out of range' else reason}"
    if several := re.match(r"Ambiguous value for argument '([^=]+)=(.*)'\n", message):
        name, value = several.groups()
        as_list = shlex.quote(f"{name}=[{value}]")
        return (
            f"{name}={value}: several values are a sweep, which -m starts; one text is {as_text(name, value)}, "
            f"a list {as_list}"
        )
    return " ".join(message.split())
