"""Scenario -> Cases: what varies is crossed, named, and turned into arrays when it is needed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verify import draw
from verify.chain import Problem
from verify.document import (
    ArrayFile,
    Expect,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
)
from verify.folder import spelled
from verify.layout import laid_out
from verify.manifest import Pin
from verify.scenario import Scenario
from verify.sizes import Sizes, sizes

HELD = 2**24  # numbers of X that a case may hold in memory, where they could stay in their file
_BLOCK = 2**19  # numbers of X and y in a block, about what a processor's caches hold


@dataclass(frozen=True, eq=False)
class Case:
    """One problem of a scenario: a value for every parameter.

    `pin` is what a manifest says that it was; `same_as` an earlier file of the run with the same
    bytes, whose cases are the evidence.
    """

    scenario: Scenario
    parameters: Mapping[str, Any]
    pin: Pin | None = None
    same_as: str = ""

    @property
    def path(self) -> str:
        return spelled(self.scenario.path)

    @cached_property
    def name(self) -> str:
        """What varies, as `batch_size=7-seed=0-dtype=float32`."""
        return "-".join(f"{name}={self.parameters[name]}" for name in self.scenario.named)

    @property
    def id(self) -> str:
        return f"{self.path}::{self.name}"

    @property
    def line(self) -> int:
        return self.scenario.line

    @property
    def expect(self) -> Expect:
        return self.scenario.expect

    @property
    def dtype(self) -> str:
        return str(self.parameters["dtype"])

    @property
    def device(self) -> str:
        return str(self.parameters["device"])

    @property
    def layout(self) -> str:
        return str(self.parameters["layout"])

    @property
    def steps(self) -> int:
        return int(self.parameters["steps"])

    @cached_property
    def sizes(self) -> Sizes:
        return sizes(self.scenario.document, self.scenario.data, self.parameters)

    @property
    def large(self) -> bool:
        """Whether X and P stay in their files, and are judged by blocks of rows.

        It takes all rows in every step; their order is that of the file, which changes no sum.
        """
        document, at = self.scenario.document, self.sizes
        in_files = isinstance(document.inputs, ArrayFile) and isinstance(document.labels, ArrayFile)
        return in_files and at.batch == at.N and at.N * at.D > HELD

    def blocks(self) -> Iterator[Problem]:
        """What one step takes: the rows of the first batch; of a large case, a block at a time.

        Shapes  X (n, D), W (D, K), P (n, K), with n the rows of a block.
        """
        if not self.large:
            yield self.batches[0]
            return
        W, h = self._first_W, np.dtype(self.dtype).type(self.parameters["step_size"])
        rows = max(1, _BLOCK // (self.sizes.D + 2 * self.sizes.K))
        for start in range(0, self.sizes.N, rows):
            block = slice(start, start + rows)
            X, P = self._inputs(block).astype(self.dtype), self._labels(block).astype(self.dtype)
            yield Problem(laid_out(X, self.layout), W, P, h)

    @cached_property
    def _first_W(self) -> Any:
        return np.ascontiguousarray(self._weights().astype(self.dtype))

    @cached_property
    def problem(self) -> Problem:
        """All rows, with the first weights.

        Shapes  X (N, D), W (D, K), P (N, K).
        """
        dtype = np.dtype(self.dtype)
        rows = self._order()
        X = self._inputs().astype(dtype)[rows]
        P = self._labels().astype(dtype)[rows]
        h = dtype.type(self.parameters["step_size"])
        return Problem(laid_out(X, self.layout), self._first_W, np.ascontiguousarray(P), h)

    @cached_property
    def batches(self) -> list[Problem]:
        """The rows of each step, taken in turn; the last batch may be smaller."""
        whole, size = self.problem, self.sizes.batch
        if size == len(whole.X):
            return [whole]
        starts = range(0, len(whole.X), size)
        return [
            Problem(whole.X[s : s + size], whole.W, whole.P[s : s + size], whole.h) for s in starts
        ]

    def _order(self) -> Any:
        """A table's rows are shuffled when a seed is given; drawn and written rows stay."""
        document = self.scenario.document
        seeded = document.seed is not None or (document.vary and document.vary.seed)
        if seeded and isinstance(document.inputs, TableColumns | ArrayFile):
            return draw.order("rows", self.parameters["seed"], self.sizes.N)
        return slice(None)

    def _inputs(self, rows: slice = slice(None)) -> Any:
        source, seed, at = self.scenario.document.inputs, self.parameters["seed"], self.sizes
        if isinstance(source, RandomValues):
            return draw.values(source.random, "X", seed, (at.N, at.D), source.scale)
        if isinstance(source, TableColumns):
            table: Any = self.scenario.data[source.file]
            return np.array([table.numbers(column) for column in source.columns]).T
        return self._written(source, rows)

    def _weights(self) -> Any:
        source, seed, at = self.scenario.document.weights, self.parameters["seed"], self.sizes
        if isinstance(source, RandomValues):
            return draw.values(source.random, "W", seed, (at.D, at.K), source.scale)
        return self._written(source)

    def _labels(self, rows: slice = slice(None)) -> Any:
        source, seed, at = self.scenario.document.labels, self.parameters["seed"], self.sizes
        if isinstance(source, RandomLabels):
            return draw.labels(source.random, "P", seed, (at.N, at.K))
        if isinstance(source, TableColumn):
            table: Any = self.scenario.data[source.file]
            return np.eye(at.K)[table.classes(source.column)[0]]
        labels = self._written(source, rows)
        return np.eye(at.K)[labels.astype(np.int64)] if labels.ndim == 1 else labels

    def _written(self, source: Any, rows: slice = slice(None)) -> Any:
        """The numbers of a .npy file or of the scenario file itself."""
        if isinstance(source, ArrayFile):
            file: Any = self.scenario.data[source.file]
            return file[rows]
        return np.array(source, float)


def cases(scenario: Scenario) -> list[Case]:
    """Every combination of the scenario's parameters, in the order of the file's values."""
    names = list(scenario.axes)
    combinations = itertools.product(*scenario.axes.values())
    return [Case(scenario, dict(zip(names, values, strict=True))) for values in combinations]
