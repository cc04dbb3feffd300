"""The arrays of one combination of a scenario's parameters, made when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verify.network.problem import Problem, laid_out
from verify.scenario import draw
from verify.scenario.document import (
    ArrayFile,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
)
from verify.scenario.load import Scenario
from verify.scenario.sizes import Sizes

WHOLE = slice(None)
"""All rows."""


@dataclass(frozen=True, eq=False)
class Combination:
    """One combination of a scenario's parameters, and its arrays."""

    scenario: Scenario
    parameters: Mapping[str, Any]
    sizes: Sizes

    def rows(self, some: slice) -> Problem:
        """Some rows; all of them in the order in which steps take them, else in the file's.

        Shapes  X (n, D), W (D, K), P (n, K).
        """
        dtype = np.dtype(self.parameters["dtype"])
        # Some rows are of a large case, which takes all in a step: their order changes no sum.
        order = self._order() if some == WHOLE else WHOLE
        X = self._inputs(some).astype(dtype)[order]
        P = self._labels(some).astype(dtype)[order]
        h = dtype.type(self.parameters["step_size"])
        X = laid_out(X, self.parameters["layout"])
        return Problem(X, self._first_W, np.ascontiguousarray(P), h)

    @cached_property
    def _first_W(self) -> Any:
        return np.ascontiguousarray(self._weights().astype(self.parameters["dtype"]))

    def _order(self) -> Any:
        """A table's rows are shuffled when a seed is given; drawn and written rows stay."""
        document = self.scenario.document
        seeded = document.seed is not None or (document.vary and document.vary.seed)
        if seeded and isinstance(document.inputs, TableColumns | ArrayFile):
            return draw.order("rows", self.parameters["seed"], self.sizes.N)
        return WHOLE

    def _inputs(self, rows: slice) -> Any:
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
        return self._written(source, WHOLE)

    def _labels(self, rows: slice) -> Any:
        source, seed, at = self.scenario.document.labels, self.parameters["seed"], self.sizes
        if isinstance(source, RandomLabels):
            return draw.labels(source.random, "P", seed, (at.N, at.K))
        if isinstance(source, TableColumn):
            table: Any = self.scenario.data[source.file]
            return np.eye(at.K)[table.classes(source.column)[0]]
        labels = self._written(source, rows)
        return np.eye(at.K)[labels.astype(np.int64)] if labels.ndim == 1 else labels

    def _written(self, source: Any, rows: slice) -> Any:
        """The numbers of a .npy file or of the scenario file itself."""
        if isinstance(source, ArrayFile):
            file: Any = self.scenario.data[source.file]
            return file[rows]
        return np.array(source, float)
