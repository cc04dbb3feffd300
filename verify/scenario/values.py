"""Complaints about the numbers of a document: not finite, out of range, negative labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from verify.errors import ScenarioError
from verify.network.costs import COSTS
from verify.numbers.dtypes import SIXTEEN, nearest
from verify.numbers.rounding import MODELS
from verify.scenario.document import ArrayFile, Document, RandomValues, TableColumn, TableColumns
from verify.scenario.layers import Source, layers, sources
from verify.scenario.places import Key
from verify.scenario.sizes import Data
from verify.scenario.table import Table
from verify.scenario.wording import Complaint


class Taken(NamedTuple):
    """Which labels a cost takes: from and to what, and whether some must be above 0.

    `no_row` says where in a row there is a label that those beside it do not allow, or no number
    between does. `drawn` are the kinds that a file may draw.
    """

    low: float
    high: float
    some: bool
    what: str
    allowed: str
    drawn: tuple[str, ...] = ("classes", "soft", "multi-hot", "uniform")
    no_row: Callable[[Any], Any] | None = None

    def refuses(self, p: Any) -> Any:
        """Where a label is none.

        Shapes  rows of labels, or one row; the same.
        """
        outside = (p < self.low) | (p > self.high)
        return outside if self.no_row is None else outside | self.no_row(p)


def _not_one_class(p: Any) -> Any:
    """What is neither 0 nor 1, each 1 after the first of its row, the first entry where none is."""
    ones = p == 1
    another = ones & (np.cumsum(ones, axis=-1) > 1)
    none = ~ones.any(axis=-1, keepdims=True) & (np.arange(p.shape[-1]) == 0)
    return ~(ones | (p == 0)) | another | none


LABELS: Mapping[str, Taken] = {
    "non-negative": Taken(0, math.inf, True, "a negative label", "a label is 0 or more"),
    "probabilities": Taken(
        0, 1, False, "not a probability", "a label is 0 to 1 with binary-cross-entropy"
    ),
    "signs": Taken(
        -1, 1, False, "not -1 or 1", 'a label is -1 or 1 with hinge; random = "signs" draws them',
        drawn=("signs",), no_row=lambda p: np.abs(p) != 1,
    ),
    "one class a row": Taken(
        0, 1, False, "not one class a row",
        "with multi-class-hinge one 1 a row, 0 elsewhere; or a class a row, as [0, 2, 1]",
        drawn=("classes",), no_row=_not_one_class,
    ),
    "any": Taken(
        -math.inf, math.inf, False, "", "",
        drawn=("classes", "soft", "multi-hot", "uniform", "normal", "signs"),
    ),
}  # fmt: skip
"""By what a cost says of its labels."""
SOME = "at least one label above 0, else nothing is learnt"


def complaints(
    document: Document, data: Data, axes: Mapping[str, tuple[Any, ...]]
) -> Iterator[Complaint]:
    """Everything that is wrong with the numbers of a document and of its data files."""
    yield from _label_values(document, data)
    yield from _arrays_fit(document, data)
    yield from _row_numbers(document, data)
    yield from _of_the_update(document, axes)
    yield from _in_range(document, data, axes)


def representable(dtype: str) -> tuple[float, float]:
    """The least size of a number that a dtype holds with all digits, and what is too large for it.

    0 is held besides.
    """
    m = MODELS[dtype]
    return m.tiny, _TOO_LARGE.get(dtype, math.inf)


_TOO_LARGE: Mapping[str, float] = {
    "float16": 65520.0,
    "bfloat16": 2.0**128 * (1 - 2.0**-9),
    "float32": 2.0**128 * (1 - 2.0**-25),
}
"""What is rounded to infinity, by the dtypes from the narrowest range on."""


def _label_values(document: Document, data: Data) -> Iterator[Complaint]:
    taken = LABELS[COSTS[document.cost or "cross-entropy"].labels]
    for source in sources(document):
        if source.name == "P":
            refuses = taken.refuses
            if _are_classes(source, data):
                refuses = LABELS["non-negative"].refuses
                if taken.drawn == ("signs",):
                    yield Complaint(source.key, "classes", found="", allowed=taken.allowed)
            for key, where, p in _entries(source, data, refuses):
                yield Complaint(
                    key, where + taken.what, found=repr(float(p)), allowed=taken.allowed
                )
            if taken.some and _are_all_zero(source, data):
                yield Complaint(source.key, "all labels are 0", found="", allowed=SOME)


def _are_classes(labels: Source, data: Data) -> bool:
    """Whether labels are a class a row: a list, a column of a table, or a vector in a file."""
    value = labels.value
    if isinstance(value, ArrayFile):
        array: Any = data.get(value.file)
        return array is not None and array.ndim == 1
    return isinstance(value, TableColumn) or (isinstance(value, list) and not any(labels.written))


def _row_numbers(document: Document, data: Data) -> Iterator[Complaint]:
    """Inputs of an embedding that are no numbers of its rows."""
    first, (X, *_) = layers(document)[0], sources(document)
    rows = first.keys.embedding
    if not first.embedding or rows is None:
        return
    allowed = f"a row of the embedding, a whole number from 0 to {rows - 1}"
    for key, where, x in _entries(X, data, lambda x: (x < 0) | (x >= rows) | (x != np.floor(x))):
        yield Complaint(key, f"{where}no row number", found=repr(float(x)), allowed=allowed)
    if isinstance(X.value, RandomValues) and (X.value.random, X.value.scale) != ("integers", 1):
        allowed = f'{{ random = "integers" }}: of an embedding 0 to {rows - 1}, without a scale'
        yield Complaint(("inputs", "random"), "no row numbers", found="", allowed=allowed)


def _of_the_update(document: Document, axes: Mapping[str, tuple[Any, ...]]) -> Iterator[Complaint]:
    """Shares that a dtype rounds to 1, and a mean of squares below 0."""
    for name in ("momentum", "beta1", "beta2"):
        share = getattr(document, name)
        for dtype in axes["dtype"] if share else ():
            if float(nearest(share, dtype)) >= 1:
                allowed = "a number below 1 in the dtype"
                yield Complaint((name,), f"1 in {dtype}", found=repr(share), allowed=allowed)
    for source in sources(document):
        if source.key[0] == "state" and source.name[0] == "v" and document.update == "adam":
            for key, _, v in _entries(source, {}, lambda v: v < 0):
                allowed = "0 or more: it is a mean of squares"
                yield Complaint(key, "below 0", found=repr(float(v)), allowed=allowed)


def _are_all_zero(labels: Source, data: Data) -> bool:
    """Whether labels are given as a matrix, and nothing of it is above 0."""
    if isinstance(labels.value, ArrayFile):
        array: Any = data.get(labels.value.file)
        return bool(array and array.ndim == 2) and not any(np.any(b) for _, b in array.blocks())
    rows = [row for _, row in labels.written]
    return bool(rows) and not any(map(np.any, rows))


def _arrays_fit(document: Document, data: Data) -> Iterator[Complaint]:
    for source in sources(document):
        value = source.value
        array: Any = data.get(value.file) if isinstance(value, ArrayFile) else None
        if array is None:
            continue
        key, found = (*source.key, "file"), f"shape {array.shape}"
        axes = len(source.axes)
        indices = source.name == "P" and array.ndim == 1
        whole = indices or (source.name == "X" and layers(document)[0].embedding)
        if array.ndim != axes and not indices:
            kinds = {
                1: ("a vector", "a vector: (units,)"),
                2: ("a matrix", "a matrix: (rows, columns)"),
            }
            yield Complaint(key, kinds[array.ndim][0], found=found, allowed=kinds[axes][1])
        if (array.dtype.kind == "i") != whole:
            allowed = "classes are int32 or int64 of shape (N,), all else is float32 or float64"
            allowed = "row numbers of an embedding are int32 or int64" if whole else allowed
            kind = "matrix" if axes == 2 else "vector"
            kind += " of whole numbers" if whole and not indices else " of floats"
            found = f"{array.dtype} of {found}"
            yield Complaint(key, f"not a {kind}", found=found, allowed=allowed)


def _in_range(
    document: Document, data: Data, axes: Mapping[str, tuple[Any, ...]]
) -> Iterator[Complaint]:
    """Numbers that a dtype of the scenario rounds to infinity, or holds with lost digits."""
    name = next((dtype for dtype in _TOO_LARGE if dtype in axes["dtype"]), "float64")
    low, high = representable(name)

    def outside(a: Any) -> Any:
        size = np.abs(np.asarray(a, np.float64))
        return (size != 0) & ~((size >= low) & (size < high))

    alone: list[tuple[Key, float]] = [(("step_size",), h) for h in axes["step_size"]]
    alone += [((key,), getattr(document, key) or 0) for key in ("weight_decay", "eps")]
    alone += [((*of.key, "epsilon"), of.keys.epsilon or 0) for of in layers(document)]
    wrong: list[tuple[Key, str, float]] = [(key, "", v) for key, v in alone if outside(v)]
    for source in sources(document):
        value = source.value
        wrong += _entries(source, data, outside)
        if isinstance(value, RandomValues):
            extremes = (value.scale / 64, value.scale * 4)
            wrong += [((*source.key, "scale"), "", v) for v in extremes if outside(v)]
        if isinstance(value, ArrayFile) and value.file in data:
            array: Any = data[value.file]
            if array.dtype == np.float64 and "float32" in axes["dtype"]:
                key, what = (*source.key, "file"), "float64 numbers in a float32 case"
                allowed = 'dtype = "float64", or save it as float32'
                yield Complaint(key, what, found="", allowed=allowed)
            for sixteen in (d for d in axes["dtype"] if d in SIXTEEN and array.dtype.kind == "f"):
                for key, where, number in _entries(source, data, _rounds(sixteen)):
                    allowed = f"numbers that {sixteen} holds: save them rounded to it"
                    what = f"{where}no number of a {sixteen} case"
                    yield Complaint(key, what, found=repr(float(number)), allowed=allowed)
    for key, where, number in wrong:
        allowed = f"0 or {low:.3g} to {min(high, 1.797e308):.3g} in size"
        yield Complaint(
            key, f"{where}out of {name}'s range", found=repr(float(number)), allowed=allowed
        )


def _rounds(dtype: str) -> Callable[[Any], Any]:
    """Where a number of a file would not be what is computed with."""
    return lambda a: nearest(a, dtype).astype(np.float64) != a


def _entries(
    source: Source, data: Data, wrong: Callable[[Any], Any]
) -> Iterator[tuple[Key, str, float]]:
    """(key, where in a file, value) of the entries that are wrong; of a file's only the first."""
    value = source.value
    for key, row in source.written:
        for j in np.flatnonzero(wrong(np.array(row, np.float64))):
            yield (*key, int(j)), "", row[j]
    if isinstance(value, ArrayFile) and value.file in data:
        array: Any = data[value.file]
        for first, block in array.blocks():
            for row, *rest in np.argwhere(wrong(block))[:1].tolist():
                where = f"entry {[first + row, *rest]} of the file is "
                yield (*source.key, "file"), where, float(block[(row, *rest)])
                return
    elif isinstance(value, TableColumns):
        for i, column in enumerate(value.columns):
            values = np.array(_numbers(value.file, column, data))
            for row in np.flatnonzero(wrong(values))[:1].tolist():
                where = f"line {row + 2} of the table is "
                yield (*source.key, "columns", i), where, float(values[row])


def _numbers(file: str, column: str, data: Data) -> list[float]:
    """A table's column; nothing of one that is not there or has other cells than numbers."""
    table = data.get(file)
    try:
        return table.numbers(column) if isinstance(table, Table) and column in table.columns else []
    except ScenarioError:
        return []
