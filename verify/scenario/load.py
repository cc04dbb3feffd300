"""A TOML file -> Scenario, or a ScenarioError that names every fault with path, line and key."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from verify.errors import FileFault, ScenarioError
from verify.network.network import POST, Network
from verify.scenario import checks, table
from verify.scenario import values as magnitudes
from verify.scenario.data import Rows, decoded, located, opened, refusal, regular
from verify.scenario.document import (
    DEFAULTS,
    ArrayFile,
    Document,
    Expect,
    TableColumn,
    TableColumns,
    Vary,
)
from verify.scenario.layers import network, sources
from verify.scenario.limits import Limits
from verify.scenario.places import Key, Places
from verify.scenario.sizes import Data
from verify.scenario.wording import Complaint, WrittenFloat, complaint, dotted, key_of


@dataclass(frozen=True, eq=False)
class Scenario:
    """A valid file: the document, the values of every parameter, and its data files.

    `digest` is the SHA-256 of the file and of its data files, as they were read.
    """

    path: Path
    document: Document
    axes: Mapping[str, tuple[Any, ...]]
    data: Data
    line: int
    digest: str

    @property
    def expect(self) -> Expect:
        """What must be seen; of an operation nothing, and the post's form of its network alone.

        That C falls is asked of gradient descent, and of other updates where the file says so.
        """
        expect = self.document.expect or Expect()
        if self.network == POST:
            return expect
        operation = self.document.upstream is not None
        unsaid = bool(self.network.state) and "loss" not in expect.model_fields_set
        loss = "any" if operation or unsaid else expect.loss
        return expect.model_copy(update={"loss": loss, "post_form": None})

    @cached_property
    def network(self) -> Network:
        return network(self.document)

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The parameters that a case's id spells out: what varies, and always the dtype."""
        varied = {name for name, values in self.document.vary or () if values is not None}
        return tuple(name for name in DEFAULTS if name in varied | {"dtype"})


def load(path: Path, limits: Limits | None = None) -> Scenario:
    """The scenario in a file.

    Raises  ScenarioError with every fault found: `path:line:col: key: what (found), allowed`.
    """
    limits = limits or Limits()
    if not _NAME.fullmatch(path.name):
        allowed = "a-z 0-9 _ - and then .toml"
        raise refusal(str(path), "not a scenario's name", found=ascii(path.name), allowed=allowed)
    content = regular(path, limits.allow("file_bytes"), limits.file_bytes)
    return of_text(decoded(str(path), content), path, limits)


def of_text(text: str, path: Path, limits: Limits | None = None) -> Scenario:
    """The scenario in a text; `path` is where its data files lie beside, and its name.

    Raises  ScenarioError as load.
    """
    limits = limits or Limits()
    raw = _toml(path, text)
    reader = _Reader(path, raw, Places(text), limits)
    document = reader.document()
    axes = _axes(document)
    data = reader.data(document)
    reader.check(checks.complaints(raw, document, axes, data, limits))
    reader.check(magnitudes.complaints(document, data, axes))
    if reader.faults:
        raise ScenarioError(reader.faults)
    digest = hashlib.sha256(b"".join([_sha256(text.encode()), *reader.digests]))
    return Scenario(path, document, axes, data, _line_of_title(text), digest.hexdigest())


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.toml")


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_TOLD = 100  # faults of one file; a thousand lines are read by nobody


class _Reader:
    """Collects the faults of one file and gives each its place."""

    def __init__(self, path: Path, raw: dict[str, Any], places: Places, limits: Limits) -> None:
        self.path, self.raw, self.places, self.limits = path, raw, places, limits
        self.lines = places.lines
        self.digests: list[bytes] = []
        self._faults: dict[FileFault, None] = {}

    @property
    def faults(self) -> list[FileFault]:
        return list(self._faults)

    def check(self, complaints: Iterator[Complaint]) -> None:
        for each in complaints:
            if len(self._faults) >= _TOLD:
                rest = "mend these first"
                end = FileFault(
                    str(self.path), self.lines, 0, "", "and more faults", found="", allowed=rest
                )
                self._faults.setdefault(end)
                return
            unknown = each.what.startswith("unknown key")
            line, column = (self.places.key if unknown else self.places.value)(each.key)
            fault = FileFault(
                str(self.path), line, column, dotted(each.key), each.what,
                found=each.found, allowed=each.allowed,
            )  # fmt: skip
            self._faults.setdefault(fault)

    def document(self) -> Document:
        """The document; without the keys that are wrong, each of which is complained of."""
        self.check(_wrong_literals(self.raw, ()))
        try:
            return Document.model_validate(self.raw)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            self.check(map(complaint, errors))
            return Document.model_validate(_without(self.raw, {key_of(e) for e in errors}))

    def data(self, document: Document) -> Data:
        """The data files that the document names and that can be read, each read once."""
        found: dict[str, table.Table | Rows] = {}
        for source in sources(document):
            value = source.value
            if isinstance(value, _FILES) and value.file not in found:
                try:
                    found[value.file] = self._read(value.file)
                except ScenarioError as error:
                    first = error.faults[0]
                    if first.line:
                        self._faults.update(dict.fromkeys(error.faults))
                    else:
                        key = (*source.key, "file")
                        told = Complaint(key, first.what, first.found, first.allowed)
                        self.check(iter([told]))
        return found

    def _read(self, name: str) -> table.Table | Rows:
        limits, most = self.limits, self.limits.allow("data_bytes")
        path = located(self.path.parent, name, most, limits.data_bytes)
        if name.endswith(".npy"):
            rows = opened(path)
            self.digests.append(rows.digest)
            return rows
        content = regular(path, most, limits.data_bytes)
        self.digests.append(_sha256(content))
        return table.parsed(str(path), content, limits.numbers, limits.allow("numbers"))


_FILES = (TableColumns, TableColumn, ArrayFile)


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
    """The values of every parameter: from [vary], from the top, or by default; h = 1 if unasked."""
    vary = document.vary or Vary()
    axes = {}
    unasked = {"step_size": (1.0,)} if document.upstream is not None else {}
    for name, default in {**DEFAULTS, **unasked}.items():
        fixed, varied = getattr(document, name), getattr(vary, name)
        axes[name] = tuple(varied or ()) or ((fixed,) if fixed is not None else default)
    return axes


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        if _MANY_PARTS.search(text):
            raise RecursionError  # the parser's time grows with the square of their number
        raw = tomllib.loads(text, parse_float=WrittenFloat)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r"\(at line (\d+), column (\d+)\)", message)
        line, column = (int(g) for g in place.groups()) if place else (text.count("\n") + 1, 1)
        what = re.sub(r" \(at .*\)$", "", message)
        fault = FileFault(
            str(path), line, column, "", f"not TOML: {what}", found="", allowed="TOML 1.0"
        )
        raise ScenarioError([fault]) from None
    except RecursionError:
        allowed = "at most two levels of brackets"
        raise refusal(str(path), "nested too deeply", allowed=allowed) from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        allowed = "whole numbers below 2^63"
        raise refusal(str(path), "a number of too many digits", allowed=allowed) from None
    if not raw:
        allowed = "a scenario; `verify new NAME` writes one"
        raise ScenarioError([FileFault(str(path), 1, 1, "", "empty", found="", allowed=allowed)])
    return raw


_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_MANY_PARTS = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{20}}")


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
        yield Complaint(
            key, "rounds to zero", found=value.text, allowed="numbers that float64 can hold"
        )
