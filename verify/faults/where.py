"""Where a mistake can be made and be seen: words that hold of a layer with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from verify.network.costs import COSTS
from verify.network.links import ACTIVATIONS, Formula
from verify.network.problem import Chain, Problem

Row: TypeAlias = tuple[str, str, str, tuple[str, ...], Formula]
"""A fault: its name, the link it breaks, the mistake in words, words of WHERE, the formula."""


class Place(NamedTuple):
    """A layer of a network, by its number from 0, with a problem and its right links."""

    problem: Problem
    i: int
    right: Chain

    @property
    def activation(self) -> str:
        return self.problem.network.layers[self.i].activation

    @property
    def last(self) -> bool:
        return self.i == len(self.problem.network.layers) - 1

    @property
    def embeds(self) -> bool:
        return self.problem.network.layers[self.i].embedding

    def number(self, name: str) -> Any:
        """A number of the layer by its name in the layer's vocabulary, or None.

        Shapes  those of the number.
        """
        names = self.problem.network.names
        if not 0 <= self.i < len(names):
            return None
        called = names[self.i][name]
        return self.right.get(called, self.problem.numbers.get(called))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of such a number; () where there is none."""
        return np.shape(self.number(name))

    def has(self, holds: Callable[[Any], Any], name: str) -> bool:
        """Whether something holds of any entry of such a number."""
        number = self.number(name)
        return number is not None and bool(np.any(holds(number)))

    @property
    def above(self) -> Place:
        return self._replace(i=self.i + 1)


def _activation(name: str, place: Place) -> bool:
    return place.activation == name


def _cost(name: str, place: Place) -> bool:
    return place.last and place.problem.network.cost == name


def _reduction(name: str, place: Place) -> bool:
    return place.problem.network.reduction == name


def _update(name: str, place: Place) -> bool:
    return bool(place.problem.network.state) and place.problem.network.update.name == name


def _overflows(y: Any) -> Any:
    return ~np.isfinite(np.exp(y))


def _is_far(y: Any) -> Any:
    return np.abs(y.mean(-1)) > 100 * y.std(-1)


def _hidden_label(place: Place) -> bool:
    return bool(((place.number("y_o") < 1e-8) & (place.problem.P > 0)).any())


WHERE: Mapping[str, Callable[[Place], bool]] = {
    **{name: partial(_activation, name) for name in ACTIVATIONS},
    **{name: partial(_cost, name) for name in COSTS},
    **{name: partial(_reduction, name) for name in ("rows", "sum", "mean")},
    "hidden": lambda at: not at.last,
    "last": lambda at: at.last,
    "an element-wise activation": lambda at: bool(ACTIVATIONS[at.activation].dy_o_dy),
    "a bias": lambda at: at.problem.network.layers[at.i].bias,
    "gamma and beta": lambda at: at.problem.network.layers[at.i].scaled,
    "no gamma and beta": lambda at: not at.problem.network.layers[at.i].scaled,
    "another number of rows than of units": lambda at: len({*at.shape("y_o")}) > 1,
    "a mean beyond 100 deviations": lambda at: at.has(_is_far, "y"),
    "margins beyond 0": lambda at: at.last and at.has(lambda g: g != 0, "dC_dy_o"),
    "weight decay": lambda at: at.problem.network.decays,
    "no weight decay": lambda at: not at.problem.network.decays,
    "biases": lambda at: any(layer.bias for layer in at.problem.network.layers),
    **{name: partial(_update, name) for name in ("momentum", "adam")},
    "embedding": lambda at: at.embeds,
    "a row taken twice": lambda at: at.embeds and len(np.unique(at.problem.X)) < at.problem.X.size,
    "row 0 taken": lambda at: at.embeds and not at.problem.X.all(),
    "more than one row of W": lambda at: at.embeds and at.shape("W")[0] > 1,
    "features that differ": lambda at: at.embeds and at.has(lambda X: X[:, :1] != X, "x"),
    "a velocity": lambda at: any(map(np.any, at.problem.state.values())),
    "corrections that count": lambda at: _update("adam", at) and 0.999**at.problem.t > 1e-3,
    "more than one row": lambda at: len(at.problem.X) > 1,
    "more than one unit": lambda at: at.shape("y_o")[-1] > 1,
    "square weights": lambda at: len({*at.shape("W")}) == 1,
    "as many rows as units": lambda at: len({*at.shape("y_o")}) == 1,
    "weights of the shape above": lambda at: at.shape("W") == at.above.shape("W") != (),
    "labels that do not sum to 1": lambda at: at.has(lambda P: np.abs(P.sum(-1) - 1) > 0.1, "P"),
    "labels between 0 and 1": lambda at: at.has(lambda P: (P > 0) & (P < 1), "P"),
    "a y of exactly 0": lambda at: at.has(lambda y: y == 0, "y"),
    "an exp(y) beyond the dtype": lambda at: at.has(_overflows, "y"),
    "a label at a y_o below 1e-8": lambda at: at.last and _hidden_label(at),
    "float64": lambda at: at.problem.dtype == np.float64,
}


def words(problem: Problem, right: Chain) -> frozenset[str]:
    """The words that hold of any layer of a problem with its right links.

    Shapes  as Problem and Chain.
    """
    with np.errstate(all="ignore"):
        places = [Place(problem, i, right) for i in range(len(problem.network.layers))]
        return frozenset(w for w, holds in WHERE.items() if any(map(holds, places)))
