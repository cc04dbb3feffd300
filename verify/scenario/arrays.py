"""The arrays of one combination of a scenario's parameters, made when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verify.network.problem import Problem, laid_out
from verify.numbers.dtypes import nearest
from verify.scenario import draw
from verify.scenario.document import (
    ArrayFile,
    RandomLabels,
    RandomValues,
    TableColumn,
    TableColumns,
)
from verify.scenario.layers import Source, sources
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
        dtype = self.parameters["dtype"]
        first, *_, last = self._sources
        # Some rows are of a large case, which takes all in a step: their order changes no sum.
        network = self.scenario.network
        order = self._order() if some == WHOLE else WHOLE
        X = self._array(first, some)
        X = X.astype(np.int64)[order] if network.embeds else nearest(X, dtype)[order]
        P = nearest(self._array(last, some), dtype)[order]
        h = nearest(self.parameters["step_size"], dtype)[()]
        X = laid_out(X, self.parameters["layout"])
        P = np.ascontiguousarray(P)
        parameters = {name: self._first[name] for name in network.parameters}
        state = {name: self._first[name] for name in network.state if name in self._first}
        t = (self.scenario.document.state or {}).get("t", 1)
        return Problem(X, parameters, P, h, network, state, int(t) if isinstance(t, int) else 1)

    @cached_property
    def _sources(self) -> list[Source]:
        return sources(self.scenario.document)

    @cached_property
    def _first(self) -> dict[str, Any]:
        """The weights and biases of the first step, and what its update keeps where it is given."""
        dtype = self.parameters["dtype"]
        return {
            source.name: np.ascontiguousarray(nearest(self._array(source, WHOLE), dtype))
            for source in self._sources[1:-1]
            if source.value is not None
        }

    def _order(self) -> Any:
        """A table's rows are shuffled when a seed is given; drawn and written rows stay."""
        document = self.scenario.document
        seeded = document.seed is not None or (document.vary and document.vary.seed)
        if seeded and isinstance(document.inputs, TableColumns | ArrayFile):
            return draw.order("rows", self.parameters["seed"], self.sizes.N)
        return WHOLE

    def _array(self, source: Source, rows: slice) -> Any:
        """The numbers of a source; `rows` of those that lie in a .npy file."""
        value, seed, shape = source.value, self.parameters["seed"], self.sizes.shapes[source.name]
        if isinstance(value, RandomValues) and source.name == "X" and self.scenario.network.embeds:
            below = self.sizes.shapes[self.scenario.network.weights[0]][0]
            return draw.indices(source.name, seed, shape, below)
        if isinstance(value, RandomValues):
            return draw.values(value.random, source.name, seed, shape, value.scale)
        if isinstance(value, RandomLabels):
            return draw.labels(value.random, source.name, seed, (shape[0], shape[1]))
        if isinstance(value, TableColumns):
            table: Any = self.scenario.data[value.file]
            return np.array([table.numbers(column) for column in value.columns]).T
        if isinstance(value, TableColumn):
            table = self.scenario.data[value.file]
            return np.eye(shape[1])[table.classes(value.column)[0]]
        array = self._written(value, rows)
        classes = array.ndim < len(shape)
        return np.eye(shape[1])[array.astype(np.int64)] if classes else array

    def _written(self, value: Any, rows: slice) -> Any:
        """The numbers of a .npy file or of the scenario file itself."""
        if isinstance(value, ArrayFile):
            file: Any = self.scenario.data[value.file]
            return file[rows]
        return np.array(value, float)
