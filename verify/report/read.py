"""Reports and the matrix of planted faults, read back from JSON; several joined to one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from verify.errors import UsageError, printable
from verify.judge.result import REPORT, Finding, Report, Result, Verdict
from verify.judge.runner import environment

_FORMAT = 3


class Planted(BaseModel):
    """A fault of the table, with the files that catch it and how."""

    link: str
    mistake: str
    visible: bool
    killed_by: dict[str, str]


class Matrix(BaseModel):
    """What `verify faults --json` writes, as far as it is shown."""

    faults: dict[str, Planted]
    kinds: dict[str, list[str]]


def report(text: str | bytes, name: str = "this text") -> Report:
    """The report of `verify run --json`.

    Raises  UsageError for anything else, by its name.
    """
    read = _json(text, name, "verify run --json FILE")
    try:
        if read["format"] != _FORMAT:
            raise _no(
                name, "verify run --json FILE", f"it has format {read['format']}, not {_FORMAT}"
            )
        whole = {**read, "found": read["counts"]["found"]}
        return REPORT.validate_python(whole)
    except (ValidationError, KeyError, TypeError) as error:
        raise _no(name, "verify run --json FILE", _first(error)) from None


def matrix(text: str | bytes, name: str = "this text") -> Matrix:
    """The matrix of `verify faults --json`.

    Raises  UsageError for anything else, by its name.
    """
    read = _json(text, name, "verify faults --json")
    try:
        return Matrix.model_validate(read)
    except ValidationError as error:
        raise _no(name, "verify faults --json", _first(error)) from None


def _json(text: str | bytes, name: str, command: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:  # no JSON, no text, or a number of too many digits
        raise _no(name, command, str(error)) from None
    except RecursionError:
        raise _no(name, command, "it is nested too deeply") from None


def _no(name: str, command: str, why: str) -> UsageError:
    told = printable(f"{name} is not what `{command}` writes: {why}")
    return UsageError(f"{told}; give a file that it wrote")


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        one = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
    return f"{type(error).__name__}: {error}"


_UNKNOWN = "unknown"


def joined(
    found: Iterable[str],
    told: Mapping[str, str],
    verdicts: Mapping[str, tuple[str, str]],
    seconds: float,
    candidate: str = "",
    signal: int = 0,
) -> Report:
    """The report of the items that were `found`, in that order.

    `told` maps an item to the JSON of a report of it alone, `verdicts` to pytest's word and reason,
    which stand in for an item that could not tell itself. One that has neither is lost: it is
    counted and has no result.
    """
    results: list[Result] = []
    parts = {item: report(text, item) for item, text in told.items()}
    count = 0
    for item in found:
        part = parts.get(item)
        if part is not None:
            results += part.results
        elif item in verdicts:
            results.append(_from_outside(item, *verdicts[item]))
        count += part.found if part else 1
    return Report(
        tuple(results), count, tuple(f for p in parts.values() for f in p.faults), seconds,
        environment(), candidate, "", tuple(u for p in parts.values() for u in p.unlocked), signal,
    )  # fmt: skip


def _from_outside(item: str, verdict: str, why: str) -> Result:
    """A case of which only pytest can say what became of it."""
    path, _, name = item.partition("::")
    known = Verdict(verdict) if verdict in set(Verdict) else Verdict.ERROR
    finding = Finding("pytest", known, why)
    return Result(path, name, 1, _UNKNOWN, _UNKNOWN, findings=(finding,))
