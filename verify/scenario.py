"""A TOML file -> Scenario, or a ScenarioError that names every fault with path, line and key."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from verify import consistency, table
from verify.document import DEFAULTS, Document, Expect, Limits, TableColumn, TableColumns, Vary
from verify.errors import FileFault, ScenarioError
from verify.locate import Key, Places
from verify.wording import Complaint, WrittenFloat, complaint, dotted


@dataclass(frozen=True, eq=False)
class Scenario:
    """A valid file: the document, the values of every parameter, and its tables."""

    path: Path
    document: Document
    axes: Mapping[str, tuple[Any, ...]]
    tables: Mapping[str, table.Table]
    line: int

    @property
    def expect(self) -> Expect:
        return self.document.expect or Expect()

    @property
    def named(self) -> tuple[str, ...]:
        """The parameters that a case's id spells out: what varies, and always the dtype."""
        varied = {name for name, values in self.document.vary or () if values is not None}
        return tuple(name for name in DEFAULTS if name in varied | {"dtype"})


def load(path: Path, limits: Limits | None = None) -> Scenario:
    """The scenario in a file.

    Raises  ScenarioError with every fault found: `path:line:col: key: what (found), allowed`.
    """
    limits = limits or Limits()
    text = _text(path, limits)
    raw = _toml(path, text)
    reader = _Reader(path, raw, Places(text))
    document = reader.document()
    axes = _axes(document)
    tables = reader.tables(document)
    reader.check(consistency.complaints(raw, document, axes, tables, limits))
    if reader.faults:
        raise ScenarioError(reader.faults)
    return Scenario(path, document, axes, tables, _line_of_title(text))


class _Reader:
    """Collects the faults of one file and gives each its place."""

    def __init__(self, path: Path, raw: dict[str, Any], places: Places) -> None:
        self.path, self.raw, self.places = path, raw, places
        self._faults: dict[FileFault, None] = {}

    @property
    def faults(self) -> list[FileFault]:
        return list(self._faults)

    def check(self, complaints: Iterator[Complaint]) -> None:
        for key, what, found, allowed in complaints:
            place = self.places.key if what.startswith("unknown key") else self.places.value
            self._faults.setdefault(
                FileFault(str(self.path), *place(key), dotted(key), what, found, allowed)
            )

    def document(self) -> Document:
        """The document; without the keys that are wrong, each of which is complained of."""
        self.check(_wrong_literals(self.raw, ()))
        try:
            return Document.model_validate(self.raw)
        except ValidationError as error:
            complaints = [complaint(e) for e in error.errors(include_url=False)]
            self.check(iter(complaints))
            return Document.model_validate(_without(self.raw, {key for key, *_ in complaints}))

    def tables(self, document: Document) -> dict[str, table.Table]:
        """The tables that the document names and that can be read."""
        read: dict[str, table.Table] = {}
        for key, source in (("inputs", document.inputs), ("labels", document.labels)):
            if isinstance(source, TableColumns | TableColumn) and source.file not in read:
                try:
                    read[source.file] = table.read(self.path.parent, source.file)
                except ScenarioError as error:
                    first = error.faults[0]
                    if first.line:
                        self._faults.update(dict.fromkeys(error.faults))
                    else:
                        self.check(iter([((key, "file"), first.what, first.found, first.allowed)]))
        return read


def _without(raw: dict[str, Any], wrong: set[Key]) -> dict[str, Any]:
    """The document without its wrong keys; of [vary] and [expect], only the wrong members go."""
    parts = {key[:2] if key[0] in ("vary", "expect") else key[:1] for key in wrong}
    kept = {k: v for k, v in raw.items() if (k,) not in parts}
    return {
        k: {m: w for m, w in v.items() if (k, m) not in parts} if isinstance(v, dict) else v
        for k, v in kept.items()
    }


def _line_of_title(text: str) -> int:
    """Where a report of the scenario points to."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.lstrip().startswith("title")), 1)


def _axes(document: Document) -> dict[str, tuple[Any, ...]]:
    """The values of every parameter: from [vary], from the top, or by default."""
    vary = document.vary or Vary()
    axes = {}
    for name, default in DEFAULTS.items():
        fixed, varied = getattr(document, name), getattr(vary, name)
        axes[name] = tuple(varied or ()) or ((fixed,) if fixed is not None else default)
    return axes


def _text(path: Path, limits: Limits) -> str:
    def refuse(what: str, found: str, allowed: str, line: int = 0) -> ScenarioError:
        return ScenarioError([FileFault(str(path), line, 0, "", what, found, allowed)])

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*\.toml", path.name):
        raise refuse("not a scenario's name", repr(path.name), "a-z 0-9 _ - and then .toml")
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise refuse("not a regular file", "", "a regular file, no link")
        if status.st_size > limits.file_bytes:
            raise refuse(
                "too large", f"{status.st_size} bytes", f"at most {limits.file_bytes} bytes"
            )
        text = path.read_bytes().decode()
    except OSError as error:
        raise refuse("cannot be read", str(error.strerror), "a readable file") from None
    except UnicodeDecodeError as error:
        raise refuse("not UTF-8", f"byte {error.start}", "UTF-8 without a mark") from None
    if text.startswith("\ufeff"):
        raise refuse("a byte order mark", "U+FEFF", "UTF-8 without a mark", 1)
    return text


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        raw = tomllib.loads(text, parse_float=WrittenFloat)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r"\(at line (\d+), column (\d+)\)", message)
        line, column = (int(g) for g in place.groups()) if place else (text.count("\n") + 1, 1)
        what = re.sub(r" \(at .*\)$", "", message)
        raise ScenarioError(
            [FileFault(str(path), line, column, "", f"not TOML: {what}", "", "TOML 1.0")]
        ) from None
    except RecursionError:
        raise ScenarioError(
            [
                FileFault(
                    str(path), 0, 0, "", "nested too deeply", "", "at most two levels of brackets"
                )
            ]
        ) from None
    if not raw:
        raise ScenarioError(
            [
                FileFault(
                    str(path), 1, 1, "", "empty", "", "a scenario; `verify new NAME` writes one"
                )
            ]
        )
    return raw


def _wrong_literals(value: Any, key: Key) -> Iterator[Complaint]:
    """Numbers that are not what their text says."""
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from _wrong_literals(member, (*key, name))
    elif (
        isinstance(value, WrittenFloat)
        and value == 0.0
        and re.search("[1-9]", value.text.lower().split("e")[0])
    ):
        yield key, "rounds to zero", value.text, "numbers that float64 can hold"
