"""Complaints about parts of a document that do not fit: sizes, columns, things said twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from verify.errors import ScenarioError
from verify.scenario.document import (
    ArrayFile,
    Document,
    Limits,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
)
from verify.scenario.places import Key
from verify.scenario.sizes import Data, claims_of
from verify.scenario.table import Table
from verify.scenario.wording import Complaint, closest, dotted, nearest, quoted

Axes: TypeAlias = Mapping[str, tuple[Any, ...]]
Claims: TypeAlias = Mapping[str, list[tuple[Key, int]]]


def complaints(
    raw: Mapping[str, Any], document: Document, axes: Axes, data: Data, limits: Limits
) -> Iterator[Complaint]:
    """Everything that is wrong with a document whose single values are right.

    `raw` is the file as parsed; in `document`, None stands for what is absent or was refused.
    """
    yield from _required(raw)
    for check in _CHECKS:
        yield from check(document, data)
    count = math.prod(max(1, len(values)) for values in axes.values())
    if count > limits.cases:  # counted, and never built
        yield Complaint(
            ("vary",), "too many cases", found=str(count), allowed=limits.allow("cases")
        )
        return
    work = 0
    for combination in _combinations(axes):
        claims = claims_of(document, data, combination)
        yield from _sizes_fit(document, data, claims, combination)
        if all(claims.values()):
            N, D, K = (claims[axis][0][1] for axis in "NDK")
            large = list(_size(N, D, K, limits))
            yield from large[:1]
            work += 0 if large else min(combination["batch_size"] or N, N) * D * K
    yield from _total(work, axes, limits)


def _required(raw: Mapping[str, Any]) -> Iterator[Complaint]:
    misspelt = {
        closest(key, Document.model_fields) for key in raw if key not in Document.model_fields
    }
    for key in ("title", "inputs", "weights", "labels"):
        if key not in raw and key not in misspelt:
            yield Complaint(
                (key,),
                "missing",
                found="",
                allowed="every scenario gives title, inputs, weights, labels and step_size",
            )
    vary = raw.get("vary")
    varied = isinstance(vary, dict) and "step_size" in vary
    if "step_size" not in {*raw, *misspelt} and not varied:
        yield Complaint(
            ("step_size",), "missing", found="", allowed="h > 0, at the top or in [vary]"
        )


def _varied(document: Document, _data: Data) -> Iterator[Complaint]:
    for name, varied in document.vary or ():
        if varied is None:
            continue
        if getattr(document, name) is not None:
            yield Complaint(
                ("vary", name), "given twice", found="", allowed="either at the top or in [vary]"
            )
        if not varied:
            yield Complaint(
                ("vary", name),
                "empty",
                found="[]",
                allowed="at least one value; none would mean no case",
            )
        seen: set[Any] = set()
        for i, value in enumerate(varied):
            if value in seen:
                yield Complaint(
                    ("vary", name, i), "given twice", found=quoted(value), allowed="each value once"
                )
            seen.add(value)


_SIZING = ("features", "classes", "batch_size")


def _size(N: int, D: int, K: int, limits: Limits) -> Iterator[Complaint]:
    for name, size, what in (
        ("work", N * D * K, "N D K"),
        ("numbers", N * D + D * K + N * K, "N D + D K + N K"),
    ):
        if size > getattr(limits, name):
            yield Complaint(
                ("inputs",), "too large", found=f"{what} = {size}", allowed=limits.allow(name)
            )


def _total(work: int, axes: Axes, limits: Limits) -> Iterator[Complaint]:
    """`work` is that of one step for every combination of sizes; the other axes multiply it."""
    others = (len(axes[name]) for name in axes if name not in (*_SIZING, "steps"))
    total = work * sum(axes["steps"]) * math.prod(others)
    if total > limits.total_work:
        found = f"N D K of all steps of all cases is {total}"
        yield Complaint(("vary",), "too much work", found=found, allowed=limits.allow("total_work"))


def _combinations(axes: Axes) -> Iterator[dict[str, Any]]:
    """The combinations of what decides the sizes."""
    for values in itertools.product(*(axes[name] for name in _SIZING)):
        yield dict(zip(_SIZING, values, strict=True))


def _ragged(document: Document, _data: Data) -> Iterator[Complaint]:
    for name in ("inputs", "weights", "labels"):
        rows = getattr(document, name)
        if isinstance(rows, list) and isinstance(rows[0], list):
            for i, row in enumerate(rows):
                if len(row) != len(rows[0]):
                    yield Complaint(
                        (name, i),
                        "a ragged row",
                        found=f"{len(row)} numbers",
                        allowed=f"{len(rows[0])} as in row 0",
                    )


def _columns_exist(document: Document, data: Data) -> Iterator[Complaint]:
    inputs, labels = document.inputs, document.labels
    wanted: list[tuple[Key, str, str]] = []
    if isinstance(inputs, TableColumns):
        wanted += [(("inputs", "columns", i), inputs.file, c) for i, c in enumerate(inputs.columns)]
        first = {c: i for i, c in reversed(list(enumerate(inputs.columns)))}
        for i, c in enumerate(inputs.columns):
            if first[c] < i:
                yield Complaint(
                    ("inputs", "columns", i),
                    "given twice",
                    found=quoted(c),
                    allowed="each column once",
                )
    if isinstance(labels, TableColumn):
        wanted.append((("labels", "column"), labels.file, labels.column))
    for key, file, column in wanted:
        table = data.get(file)
        if not isinstance(table, Table):
            continue
        if column not in table.columns:
            yield Complaint(
                key,
                "no such column",
                found=quoted(column),
                allowed=nearest(column, list(table.columns)),
            )
        elif key[0] == "inputs":
            try:
                table.numbers(column)
            except ScenarioError as error:
                fault = error.faults[0]
                what = f"line {fault.line} of the table is {fault.what}"
                yield Complaint(key, what, found=fault.found, allowed=fault.allowed)


def _something_random(document: Document, _data: Data) -> Iterator[Complaint]:
    drawn = (RandomValues, RandomLabels, TableColumns, ArrayFile)
    if any(isinstance(s, drawn) for s in (document.inputs, document.weights, document.labels)):
        return
    if document.seed is not None or (document.vary and document.vary.seed):
        key: Key = ("seed",) if document.seed is not None else ("vary", "seed")
        yield Complaint(
            key,
            "nothing to draw",
            found="",
            allowed="a seed only where inputs, weights or labels are drawn",
        )


_CHECKS: tuple[Callable[[Document, Data], Iterator[Complaint]], ...] = (
    _varied,
    _ragged,
    _columns_exist,
    _something_random,
)


_UNSAID = {
    "N": (("batch_size",), "random inputs need a batch_size"),
    "D": (("features",), "random inputs and weights need features"),
    "K": (("classes",), "where neither weights nor labels say how many classes, classes does"),
}


def _sizes_fit(
    document: Document, data: Data, claims: Claims, combination: Mapping[str, Any]
) -> Iterator[Complaint]:
    if None in (document.inputs, document.weights, document.labels):
        return
    sources = (document.inputs, document.weights, document.labels)
    unread = {s.file for s in sources if isinstance(s, TableColumns | TableColumn | ArrayFile)}
    for axis, said in claims.items():
        if not said and unread <= set(data):
            key, allowed = _UNSAID[axis]
            yield Complaint(key, "missing", found="", allowed=allowed)
        for where, size in said[1:]:
            if size != said[0][1]:
                allowed = f"{axis} = {said[0][1]} as {dotted(said[0][0])} says"
                yield Complaint(
                    where, f"{axis} does not fit", found=f"{axis} = {size}", allowed=allowed
                )
    batch, N, K = combination["batch_size"], claims["N"], claims["K"]
    if batch is not None and N and batch > N[0][1]:
        yield Complaint(
            ("batch_size",),
            "more rows than there are",
            found=str(batch),
            allowed=f"at most {N[0][1]}",
        )
    for where, label in _indices(document.labels, data) if K else ():
        if label >= K[0][1]:
            yield Complaint(
                where, "label out of range", found=str(label), allowed=f"0 to {K[0][1] - 1}"
            )


def _indices(labels: Any, data: Data) -> Iterator[tuple[Key, int]]:
    """Classes with their keys; of a file only the largest."""
    if isinstance(labels, list) and not isinstance(labels[0], list):
        yield from ((("labels", i), label) for i, label in enumerate(labels))
    elif isinstance(labels, ArrayFile):
        array: Any = data.get(labels.file)
        if array is not None and array.ndim == 1:
            yield ("labels", "file"), max(int(block.max()) for _, block in array.blocks())
