"""Exceptions, each with the exit code of the command and its parts as attributes.

VerifyError                 3   a defect of the suite itself
  UsageError                2   an invalid call or option
    ScenarioError           2   a scenario file that says something wrong: its faults, all of them
  CandidateError            2   a candidate that cannot be loaded
  EnvironmentUnfit          4   a device that is required and absent, a kernel outside its budget
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


def printable(text: str) -> str:
    """Text from outside on one line, with nothing in it that a terminal or a CI log would obey."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    quiet = plain.replace("##", r"#\x23")  # ##[error] and ##vso[...] are commands anywhere
    indent = len(quiet) - len(quiet.lstrip())
    return quiet.replace("::", r"\x3a:", 1) if quiet.startswith("::", indent) else quiet


def number(count: int, thing: str) -> str:
    """How many there are of a thing, as 1 case or 2 cases."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


class VerifyError(Exception):
    """The root of everything this package raises on purpose."""

    exit_code = 3


class Terminated(KeyboardInterrupt):
    """SIGTERM, as the interruption that it is; `signal` is its number."""

    signal = 15


class UsageError(VerifyError, ValueError):
    """An invalid call, option or array."""

    exit_code = 2


class CandidateError(VerifyError):
    """A candidate that cannot be loaded; one that answers wrongly is a failed case instead."""

    exit_code = 2


class EnvironmentUnfit(VerifyError):
    """The machine cannot do what was required of it; no subject is to blame."""

    exit_code = 4


@dataclass(frozen=True, order=True)
class FileFault:
    """One thing wrong in a scenario file; `line` and `column` count from 1, 0 when unknown."""

    path: str
    line: int
    column: int
    key: str
    what: str
    found: str = field(kw_only=True)
    allowed: str = field(kw_only=True)

    def __str__(self) -> str:
        place = ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])
        key = f"{self.key}: " if self.key else ""
        found = f" ({self.found})" if self.found else ""
        return printable(f"{place}: {key}{self.what}{found}, {self.allowed}")


class ScenarioError(UsageError):
    """Every fault found in one scenario file, in the order of the file."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))
