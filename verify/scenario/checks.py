"""Complaints about parts of a document that do not fit: sizes, columns, things said twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from verify.errors import ScenarioError
from verify.scenario import together
from verify.scenario.document import (
    ArrayFile,
    Document,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
)
from verify.scenario.layers import layers, network, sources
from verify.scenario.limits import Limits
from verify.scenario.places import Key
from verify.scenario.sizes import Claims, Data, Sizes, claimed, claims_of
from verify.scenario.table import Table
from verify.scenario.wording import Complaint, dotted, nearest, quoted

Axes: TypeAlias = Mapping[str, tuple[Any, ...]]


def complaints(
    raw: Mapping[str, Any], document: Document, axes: Axes, data: Data, limits: Limits
) -> Iterator[Complaint]:
    """Everything that is wrong with a document whose single values are right.

    `raw` is the file as parsed; in `document`, None stands for what is absent or was refused.
    """
    yield from together.complaints(raw, document)
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
        if together.is_whole(raw, document):
            yield from _sizes_fit(document, data, claims, combination)
        if all(claims.values()):
            at = claimed(document, claims, combination)
            large = list(_size(at, limits))
            yield from large[:1]
            work += 0 if large else at.batch * (at.work // at.N)
    yield from _total(work, _products(network(document).weights), axes, limits)


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


def _size(at: Sizes, limits: Limits) -> Iterator[Complaint]:
    names = tuple(at.shapes)
    numbers = "N D + D K + N K" if names == ("X", "W", "P") else f"numbers of {', '.join(names)}"
    for name, size, what in (
        ("work", at.work, _products(at.weights)), ("numbers", at.numbers, numbers),
    ):  # fmt: skip
        if size > getattr(limits, name):
            yield Complaint(
                ("inputs",), "too large", found=f"{what} = {size}", allowed=limits.allow(name)
            )


def _products(weights: Collection[str]) -> str:
    """What the multiplications of a pass are called."""
    return ("N D", "N D K")[len(weights)] if len(weights) < 2 else "N times the weights"


def _total(work: int, products: str, axes: Axes, limits: Limits) -> Iterator[Complaint]:
    """`work` is that of one step for every combination of sizes; the other axes multiply it."""
    others = (len(axes[name]) for name in axes if name not in (*_SIZING, "steps"))
    total = work * sum(axes["steps"]) * math.prod(others)
    if total > limits.total_work:
        found = f"{products} of all steps of all cases is {total}"
        yield Complaint(("vary",), "too much work", found=found, allowed=limits.allow("total_work"))


def _combinations(axes: Axes) -> Iterator[dict[str, Any]]:
    """The combinations of what decides the sizes."""
    for values in itertools.product(*(axes[name] for name in _SIZING)):
        yield dict(zip(_SIZING, values, strict=True))


def _ragged(document: Document, _data: Data) -> Iterator[Complaint]:
    for source in sources(document):
        rows = list(source.written)
        for key, row in rows:
            if len(row) != len(rows[0][1]):
                allowed = f"{len(rows[0][1])} as in row 0"
                yield Complaint(key, "a ragged row", found=f"{len(row)} numbers", allowed=allowed)


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
    if any(isinstance(source.value, drawn) for source in sources(document)):
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
    "K": (("classes",), "where neither weights nor {} say how many classes, classes does"),
}


def _sizes_fit(
    document: Document, data: Data, claims: Claims, combination: Mapping[str, Any]
) -> Iterator[Complaint]:
    every = sources(document)
    files = (TableColumns, TableColumn, ArrayFile)
    unread = {s.value.file for s in every if isinstance(s.value, files)}
    unsaid: dict[str, tuple[Key, str]] = {**_UNSAID}
    for given in layers(document):
        for axis in (given.gives, given.axes[1]):
            unsaid.setdefault(axis, ((*given.key, "units"), "a drawn layer says its units"))
    for axis, said in claims.items():
        if not said and unread <= set(data):
            key, allowed = unsaid[axis]
            yield Complaint(key, "missing", found="", allowed=allowed.format(every[-1].key[0]))
        for where, size in said[1:]:
            if size != said[0][1]:
                allowed = f"{axis} = {said[0][1]} as {dotted(said[0][0])} says"
                yield Complaint(
                    where, f"{axis} does not fit", found=f"{axis} = {size}", allowed=allowed
                )
    batch, N, K = combination["batch_size"], claims["N"], claims[every[-1].axes[-1]]
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
