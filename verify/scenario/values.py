"""Complaints about the numbers of a document: not finite, out of range, negative labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from verify.errors import ScenarioError
from verify.scenario.document import ArrayFile, Document, RandomValues, TableColumns
from verify.scenario.places import Key
from verify.scenario.sizes import Data
from verify.scenario.table import Table
from verify.scenario.wording import Complaint


def complaints(
    document: Document, data: Data, axes: Mapping[str, tuple[Any, ...]]
) -> Iterator[Complaint]:
    """Everything that is wrong with the numbers of a document and of its data files."""
    yield from _label_values(document, data)
    yield from _arrays_fit(document, data)
    yield from _in_range(document, data, axes)


def representable(dtype: str) -> tuple[float, float]:
    """The least size of a number that a dtype holds with all digits, and what is too large for it.

    0 is held besides.
    """
    return (2.0**-126, 2.0**128 * (1 - 2.0**-25)) if dtype == "float32" else (2.0**-1022, math.inf)


def _label_values(document: Document, data: Data) -> Iterator[Complaint]:
    labels = document.labels
    for key, where, p in _entries("labels", labels, data, lambda row: row < 0):
        yield Complaint(
            key, f"{where}a negative label", found=repr(float(p)), allowed="a label is 0 or more"
        )
    if _are_all_zero(labels, data):
        allowed = "at least one label above 0, else nothing is learnt"
        yield Complaint(("labels",), "all labels are 0", found="", allowed=allowed)


def _are_all_zero(labels: Any, data: Data) -> bool:
    """Whether labels are given as a matrix, and nothing of it is above 0."""
    if isinstance(labels, ArrayFile):
        array: Any = data.get(labels.file)
        return bool(array and array.ndim == 2) and not any(np.any(b) for _, b in array.blocks())
    matrix = isinstance(labels, list) and isinstance(labels[0], list)
    return matrix and not any(np.any(row) for row in labels)


def _arrays_fit(document: Document, data: Data) -> Iterator[Complaint]:
    for name in ("inputs", "weights", "labels"):
        source = getattr(document, name)
        array: Any = data.get(source.file) if isinstance(source, ArrayFile) else None
        if array is None:
            continue
        indices = name == "labels" and array.ndim == 1
        if not indices and array.ndim == 1:
            yield Complaint(
                (name, "file"),
                "a vector",
                found=f"shape {array.shape}",
                allowed="a matrix: (rows, columns)",
            )
        if (array.dtype.kind == "i") != indices:
            allowed = "classes are int32 or int64 of shape (N,), all else is float32 or float64"
            found = f"{array.dtype} of shape {array.shape}"
            yield Complaint((name, "file"), "not a matrix of floats", found=found, allowed=allowed)


def _in_range(
    document: Document, data: Data, axes: Mapping[str, tuple[Any, ...]]
) -> Iterator[Complaint]:
    """Numbers that a dtype of the scenario rounds to infinity, or holds with lost digits."""
    float32 = "float32" in axes["dtype"]
    name = "float32" if float32 else "float64"
    low, high = representable(name)

    def outside(a: Any) -> Any:
        size = np.abs(np.asarray(a, np.float64))
        return (size != 0) & ~((size >= low) & (size < high))

    wrong: list[tuple[Key, str, float]] = [
        (("step_size",), "", h) for h in axes["step_size"] if outside(h)
    ]
    for field in ("inputs", "weights", "labels"):
        source = getattr(document, field)
        wrong += _entries(field, source, data, outside)
        if isinstance(source, RandomValues):
            extremes = (source.scale / 64, source.scale * 4)
            wrong += [((field, "scale"), "", v) for v in extremes if outside(v)]
        if isinstance(source, ArrayFile) and float32 and source.file in data:
            array: Any = data[source.file]
            if array.dtype == np.float64:
                allowed = 'dtype = "float64", or save it as float32'
                yield Complaint(
                    (field, "file"), "float64 numbers in a float32 case", found="", allowed=allowed
                )
    for key, where, value in wrong:
        allowed = f"0 or {low:.3g} to {min(high, 1.797e308):.3g} in size"
        yield Complaint(
            key, f"{where}out of {name}'s range", found=repr(float(value)), allowed=allowed
        )


def _entries(
    name: str, source: Any, data: Data, wrong: Callable[[Any], Any]
) -> Iterator[tuple[Key, str, float]]:
    """(key, where in a file, value) of the entries that are wrong; of a file's only the first."""
    if isinstance(source, list) and isinstance(source[0], list):
        for i, row in enumerate(source):
            for j in np.flatnonzero(wrong(np.array(row, np.float64))):
                yield (name, i, int(j)), "", row[j]
    elif isinstance(source, ArrayFile) and source.file in data:
        array: Any = data[source.file]
        for first, block in array.blocks():
            for row, *rest in np.argwhere(wrong(block))[:1].tolist():
                where = f"entry {[first + row, *rest]} of the file is "
                yield (name, "file"), where, float(block[(row, *rest)])
                return
    elif isinstance(source, TableColumns):
        for i, column in enumerate(source.columns):
            values = np.array(_numbers(source.file, column, data))
            for row in np.flatnonzero(wrong(values))[:1].tolist():
                yield (name, "columns", i), f"line {row + 2} of the table is ", float(values[row])


def _numbers(file: str, column: str, data: Data) -> list[float]:
    """A table's column; nothing of one that is not there or has other cells than numbers."""
    table = data.get(file)
    try:
        return table.numbers(column) if isinstance(table, Table) and column in table.columns else []
    except ScenarioError:
        return []
