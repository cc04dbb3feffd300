"""Complaints about a file in this package's words: keys, values, and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from verify.scenario.document import (
    ArrayFile,
    Document,
    Expect,
    LayerKeys,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
    Vary,
)
from verify.scenario.places import Key


class Complaint(NamedTuple):
    """What is wrong with a document, and where."""

    key: Key
    what: str
    found: str
    allowed: str


class WrittenFloat(float):
    """A float that remembers how it was written: 1e-400 is not the 0.0 that it reads as."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        self = super().__new__(cls, text)
        self.text = text
        return self


_ALLOWED: Mapping[str, tuple[str, str]] = {
    "float_type": ("not a number", "a number, without quotes"),
    "finite_number": ("not finite", "a finite number"),
    "int_type": ("not a whole number", "a whole number"),
    "int_from_float": ("not a whole number", "a whole number"),
    "string_type": ("not text", "text in quotes"),
    "list_type": ("not a list", "a list"),
    "model_type": ("not a table", "a table of keys"),
    "model_attributes_type": ("not a table", "a table of keys"),
    "missing": ("missing", "must be given"),
    "too_short": ("empty", "at least one element"),
    "string_too_short": ("empty", "some text"),
    "string_too_long": ("too long", "at most 200 characters"),
    "greater_than": ("out of range", "greater than {gt}"),
    "greater_than_equal": ("out of range", "{ge} or more"),
    "less_than": ("out of range", "less than {lt}"),
    "less_than_equal": ("out of range", "{le} or less"),
}
_PATTERNS = {
    "title": "no control characters",
    "source": "no control characters",
    "file": "a .npy file, or a .csv file with its columns",
}


def complaint(error: Any) -> Complaint:
    """One of pydantic's errors in this package's words."""
    key, kind, found = key_of(error), error["type"], quoted(error["input"])
    if kind == "extra_forbidden":
        return Complaint(key, "unknown key", found="", allowed=_meant(key, _siblings(error)))
    if kind == "literal_error":
        return Complaint(
            key,
            "unknown value",
            found=found,
            allowed=f"one of {error['ctx']['expected'].replace(' or ', ', ')}",
        )
    if kind == "string_pattern_mismatch":
        return Complaint(
            key,
            "not allowed",
            found=found,
            allowed=_PATTERNS.get(str(key[-1]), 'a printed figure, as "7.87"'),
        )
    if kind == "string_type" and key[-1] in ("loss_before", "loss_after"):
        return Complaint(
            key,
            "not a printed figure",
            found=found,
            allowed='the figure as printed, in quotes, as "7.87"',
        )
    if kind == "list_type" and key == ("layers",):
        allowed = "[[layers]] above the keys of each layer, from the input on"
        return Complaint(key, "not an array of tables", found=found, allowed=allowed)
    what, allowed = _ALLOWED.get(kind, (error["msg"], "see `verify schema`"))
    return Complaint(
        key,
        what,
        found="" if kind == "missing" else found,
        allowed=allowed.format(**error.get("ctx", {})),
    )


def key_of(error: Any) -> Key:
    """Where one of pydantic's errors is, without the tags of our unions."""
    return tuple(part for part in error["loc"] if not str(part).startswith("#"))


def _siblings(error: Any) -> list[str]:
    """The keys that may stand where an unknown one was found."""
    where = tuple(error["loc"][:-1])
    if where[:1] == ("layers",):
        return list(_MODELS.get(where[2:], LayerKeys).model_fields)
    return list(_MODELS.get(where, Document).model_fields)


_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    **{(key, "#random"): RandomValues for key in ("inputs", "weights", "bias", "upstream")},
    **{(key, "#npy"): ArrayFile for key in ("inputs", "weights", "bias", "labels", "upstream")},
    ("inputs", "#file"): TableColumns,
    ("labels", "#random"): RandomLabels,
    ("labels", "#file"): TableColumn,
    ("vary",): Vary,
    ("expect",): Expect,
}
"""The tables that may stand in a scenario or in a layer of it."""

_SYMBOLS = {
    "x": "inputs", "w": "weights", "p": "labels", "y": "labels", "targets": "labels",
    "h": "step_size", "lr": "step_size", "learning_rate": "step_size", "eta": "step_size",
    "n": "batch_size", "d": "features", "k": "classes", "epochs": "steps", "iterations": "steps",
    "b": "bias", "g": "upstream", "units": "classes", "neurons": "units", "width": "units",
    "criterion": "cost", "lambda": "weight_decay", "l2": "weight_decay", "hidden": "layers",
    "loss": "loss_before", "tolerance": "", "rtol": "", "atol": "",
}  # fmt: skip
"""What a symbol or a word of another place is called here; nothing for what there is none of."""


def _meant(key: Key, allowed: list[str]) -> str:
    """What to say to an unknown key: the nearest one, the symbol's name, or where it belongs."""
    name = str(key[-1])
    if len(key) > 1 and name in Document.model_fields:
        table = "[[layers]]" if key[0] == "layers" else f"[{key[0]}]"
        return f"a key after {table} belongs to it: put {name!r} above the first [table]"
    word = _SYMBOLS.get(name.lower())
    if word in allowed:
        return f"did you mean {word!r}?"
    if word == "":
        return "there is none: the bounds are derived"
    return nearest(name, allowed)


def nearest(name: str, allowed: list[str]) -> str:
    """What to say to a name that is not allowed."""
    close = closest(name, allowed)
    return f"did you mean {close!r}?" if close else f"allowed are {', '.join(allowed)}"


def closest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that a misspelt one most likely meant."""
    return next(iter(difflib.get_close_matches(name, list(allowed), 1, 0.6)), None)


def quoted(value: Any) -> str:
    """A value on one short line, with nothing in it that a terminal or log would obey."""
    try:
        text = value.text if isinstance(value, WrittenFloat) else ascii(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        text = "a whole number of too many digits"
    return text if len(text) <= 60 else text[:57] + "..."


def dotted(key: Key) -> str:
    """A path as one would write it: labels[2][0], vary.seed."""
    parts = (f"[{k}]" if isinstance(k, int) else f".{_name(k)}" for k in key)
    return "".join(parts).removeprefix(".")


def _name(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else ascii(key[:60])
