"""N, D and K: who in a document says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from verify.document import Document, RandomValues, TableColumn, TableColumns
from verify.locate import Key
from verify.table import Table

Tables: TypeAlias = Mapping[str, Table]


@dataclass(frozen=True)
class Sizes:
    """N rows, D features, K classes, and how many rows a step takes."""

    N: int
    D: int
    K: int
    batch: int


def sizes(document: Document, tables: Tables, combination: Mapping[str, Any]) -> Sizes:
    """The sizes of one case of a valid document."""
    N, D, K = (_first(claims_of(document, tables, combination)[axis]) for axis in "NDK")
    batch = combination["batch_size"]
    return Sizes(N, D, K, N if batch is None else min(batch, N))


def _first(claims: list[tuple[Key, int]]) -> int:
    return claims[0][1]


def claims_of(
    document: Document, tables: Tables, combination: Mapping[str, Any]
) -> dict[str, list[tuple[Key, int]]]:
    """For each size, who says what it is: the matrices first, then the parameters."""
    claims: dict[str, list[tuple[Key, int]]] = {"N": [], "D": [], "K": []}
    inputs, weights, labels = document.inputs, document.weights, document.labels
    if isinstance(inputs, list):
        claims["N"].append((("inputs",), len(inputs)))
        claims["D"].append((("inputs",), len(inputs[0])))
    elif isinstance(inputs, TableColumns):
        claims["D"].append((("inputs", "columns"), len(inputs.columns)))
        if inputs.file in tables:
            claims["N"].append((("inputs", "file"), len(tables[inputs.file])))
    elif isinstance(inputs, RandomValues) and combination["batch_size"] is not None:
        claims["N"].append((("batch_size",), combination["batch_size"]))
    if isinstance(weights, list):
        claims["D"].append((("weights",), len(weights)))
        claims["K"].append((("weights",), len(weights[0])))
    if isinstance(labels, list):
        claims["N"].append((("labels",), len(labels)))
        if isinstance(labels[0], list):
            claims["K"].append((("labels",), len(labels[0])))
    elif isinstance(labels, TableColumn) and labels.file in tables:
        column = tables[labels.file]
        claims["N"].append((("labels", "file"), len(column)))
        if labels.column in column.columns:
            claims["K"].append((("labels", "column"), column.classes(labels.column)[1]))
    for axis, name in (("D", "features"), ("K", "classes")):
        if combination[name] is not None:
            claims[axis].append(((name,), combination[name]))
    return claims
