"""N, D and K: who in a document says what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from verify.scenario.data import Rows
from verify.scenario.document import ArrayFile, Document, RandomValues, TableColumn, TableColumns
from verify.scenario.places import Key
from verify.scenario.table import Table

Data: TypeAlias = Mapping[str, Table | Rows]
"""A scenario's data files by their names."""


@dataclass(frozen=True)
class Sizes:
    """N rows, D features, K classes, and how many rows a step takes."""

    N: int
    D: int
    K: int
    batch: int


def sizes(document: Document, data: Data, combination: Mapping[str, Any]) -> Sizes:
    """The sizes of one case of a valid document."""
    N, D, K = (_first(claims_of(document, data, combination)[axis]) for axis in "NDK")
    batch = combination["batch_size"]
    return Sizes(N, D, K, N if batch is None else min(batch, N))


def _first(claims: list[tuple[Key, int]]) -> int:
    return claims[0][1]


_AXES = {"inputs": "ND", "weights": "DK", "labels": "NK"}


def claims_of(
    document: Document, data: Data, combination: Mapping[str, Any]
) -> dict[str, list[tuple[Key, int]]]:
    """For each size, who says what it is: the matrices first, then the parameters."""
    claims: dict[str, list[tuple[Key, int]]] = {"N": [], "D": [], "K": []}
    for name, axes in _AXES.items():
        source = getattr(document, name)
        for axis, (where, size) in zip(axes, _sizes_of(name, source, data), strict=False):
            claims[axis].append((where, size))
    if isinstance(document.inputs, RandomValues) and combination["batch_size"] is not None:
        claims["N"].append((("batch_size",), combination["batch_size"]))
    for axis, parameter in (("D", "features"), ("K", "classes")):
        if combination[parameter] is not None:
            claims[axis].append(((parameter,), combination[parameter]))
    return claims


def _sizes_of(name: str, source: Any, data: Data) -> Iterator[tuple[Key, int]]:
    """Rows, then columns, as far as X, W or P itself says."""
    if isinstance(source, list):
        yield (name,), len(source)
        if isinstance(source[0], list):
            yield (name,), len(source[0])
    elif isinstance(source, ArrayFile | TableColumns | TableColumn) and source.file in data:
        file = data[source.file]
        yield (name, "file"), len(file)
        if not isinstance(file, Table):
            yield from (((name, "file"), size) for size in file.shape[1:])
        elif isinstance(source, TableColumns):
            yield (name, "columns"), len(source.columns)
        elif isinstance(source, TableColumn) and source.column in file.columns:
            yield (name, "column"), file.classes(source.column)[1]
