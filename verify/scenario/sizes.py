"""N, D, K and the units of every layer: who in a document says what they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from verify.scenario.data import Rows
from verify.scenario.document import ArrayFile, Document, RandomValues, TableColumn, TableColumns
from verify.scenario.layers import Source, layers, sources
from verify.scenario.places import Key
from verify.scenario.table import Table

Data: TypeAlias = Mapping[str, Table | Rows]
"""A scenario's data files by their names."""
Claims: TypeAlias = Mapping[str, list[tuple[Key, int]]]
"""For each axis, who says how long it is."""


@dataclass(frozen=True)
class Sizes:
    """The shape of each array of a case, and how many rows a step takes.

    The arrays by their names: X, the parameters from the input on, and P or G.
    """

    shapes: Mapping[str, tuple[int, ...]]
    batch: int

    @property
    def N(self) -> int:
        return self.shapes["X"][0]

    @property
    def D(self) -> int:
        return self.shapes["X"][1]

    @property
    def K(self) -> int:
        return list(self.shapes.values())[-1][1]

    @property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the weights alone."""
        return {name: shape for name, shape in self.shapes.items() if name.startswith("W")}

    @property
    def work(self) -> int:
        """Multiplications of one pass: N times the numbers of all weights; of the units if none."""
        return self.N * (sum(map(math.prod, self.weights.values())) or self.D)

    @property
    def numbers(self) -> int:
        """All numbers of a case."""
        return sum(map(math.prod, self.shapes.values()))


def sizes(document: Document, data: Data, combination: Mapping[str, Any]) -> Sizes:
    """The sizes of one case of a valid document."""
    return claimed(document, claims_of(document, data, combination), combination)


def claimed(document: Document, claims: Claims, combination: Mapping[str, Any]) -> Sizes:
    """The sizes as the first says who says each; of every axis somebody must."""
    shapes = {
        source.name: tuple(claims[axis][0][1] for axis in source.axes)
        for source in sources(document)
    }
    N, batch = shapes["X"][0], combination["batch_size"]
    return Sizes(shapes, N if batch is None else min(batch, N))


def claims_of(
    document: Document, data: Data, combination: Mapping[str, Any]
) -> dict[str, list[tuple[Key, int]]]:
    """For each axis, who says how long it is: units, then the arrays, then the parameters."""
    every = sources(document)
    claims: dict[str, list[tuple[Key, int]]] = {a: [] for source in every for a in source.axes}
    for given in layers(document):
        if given.weights and given.keys.units is not None:
            claims[given.axes[1]].append(((*given.key, "units"), given.keys.units))
        if given.embedding and given.keys.embedding is not None:
            claims[given.axes[0]].append(((*given.key, "embedding"), given.keys.embedding))
    for source in every:
        for axis, claim in zip(source.axes, _sizes_of(source, data), strict=False):
            claims[axis].append(claim)
    if isinstance(document.inputs, RandomValues) and combination["batch_size"] is not None:
        claims["N"].append((("batch_size",), combination["batch_size"]))
    for axis, parameter in (("D", "features"), (every[-1].axes[-1], "classes")):
        if combination[parameter] is not None:
            claims[axis].append(((parameter,), combination[parameter]))
    first = layers(document)[0]
    if first.embedding and claims["D"] and claims[first.axes[1]]:
        (_, D), (key, E) = claims["D"][0], claims[first.axes[1]][0]
        claims[first.gives].append((key, D * E))
    return claims


def _sizes_of(source: Source, data: Data) -> Iterator[tuple[Key, int]]:
    """Rows, then columns, as far as the array itself says."""
    value, key = source.value, source.key
    if isinstance(value, list):
        yield key, len(value)
        if isinstance(value[0], list):
            yield key, len(value[0])
    elif isinstance(value, ArrayFile | TableColumns | TableColumn) and value.file in data:
        file = data[value.file]
        yield (*key, "file"), len(file)
        if not isinstance(file, Table):
            yield from (((*key, "file"), size) for size in file.shape[1:])
        elif isinstance(value, TableColumns):
            yield (*key, "columns"), len(value.columns)
        elif isinstance(value, TableColumn) and value.column in file.columns:
            yield (*key, "column"), file.classes(value.column)[1]
