"""Planted faults of networks of any layers: one formula of one link, at every layer it applies to.

To add one: a row of outputs.py (y, y_o, C), of slopes.py (dC_dy_o, dy_o_dy, dC_dy), of updates.py
(embeddings, momentum, Adam) or of gradients.py (the rest), with a name, the link in the vocabulary
of one layer, the mistake in words, the words of where.py that must hold there, and the formula. Its
parameters are what it is computed from: the numbers of its layer (x W b y y_o dC_dy_o dy_o_dy dC_dy
dC_dW dC_db, gamma beta epsilon dC_dgamma dC_dbeta of a norm, P or G, N h leak decay; of an update
mW vW mW_next ... momentum share1 share2 eps t correction1 correction2), and

    right                the link as it should be
    W_above  y_below     a number of the layer above or below
    W_before  x_before   a number of the call before, which in the first is its own
    penalty              (lambda / 2) sum W^2 of all weights; penalty_of_biases of all biases

Where a layer has not all of them, the fault does not apply; to the x of an embedding, which are row
numbers, only one that says so. What comes after is computed from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verify.faults.gradients import GRADIENTS
from verify.faults.outputs import OUTPUTS
from verify.faults.slopes import SLOPES
from verify.faults.updates import UPDATES
from verify.faults.where import WHERE, Place
from verify.network.given import called_with
from verify.network.links import Form, Formula
from verify.network.network import Network
from verify.network.problem import Chain, Problem
from verify.network.step import Step, on
from verify.numbers import dtypes


@dataclass(frozen=True)
class Fault:
    """One mistake: its name, the link it breaks, what was done wrong, where it can be seen."""

    name: str
    link: str
    mistake: str
    where: tuple[str, ...]
    formula: Formula
    visible: bool = True  # False for what lies inside any sound bound

    @property
    def of(self) -> tuple[str, ...]:
        """What the formula is computed from, in the vocabulary of one layer."""
        return tuple(inspect.signature(self.formula).parameters)

    @property
    def kept(self) -> bool:
        """Whether it is of a state between calls, and right in the first."""
        return any(word.endswith(_BEFORE) for word in self.of)


INVISIBLE = {"logarithm-epsilon-1e-30"}  # far below half an ulp of a y_o that is not all but 0

NETWORK_FAULTS: Mapping[str, Fault] = {
    row[0]: Fault(*row, visible=row[0] not in INVISIBLE)
    for row in (*OUTPUTS, *SLOPES, *GRADIENTS, *UPDATES)
}

NONE = Fault("right", "C", "none", (), lambda right: right)

_BEFORE = "_before"
_OF_THE_LAST = ("C", "dC_dy_o")  # of a hidden layer, dC_dy_o is the dC_dx of the layer above


@dataclass(frozen=True, eq=False)
class Planted:
    """A fault at one layer of a network, with a memory of its own: of the call before."""

    fault: Fault
    network: Network
    i: int
    _before: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def link(self) -> str:
        """The link that it breaks, by its name in the network."""
        return self.network.names[self.i][self.fault.link]

    def __call__(self, problem: Problem) -> Chain:
        """Every link, with the wrong formula at its place: an implementation.

        Shapes  as Problem and Chain.
        """
        known = {name: dtypes.widened(number) for name, number in _given(problem).items()}
        wrong = set[str]()
        for step in self.network.steps:
            form = _inheriting(step, known.keys(), wrong)
            found = on(form, known)
            if step.name == self.link:
                known["right"] = found
                inputs = (self._value(word, known) for word in self.fault.of)
                found = self.fault.formula(*inputs)
            known[step.name] = dtypes.widened(_kept(found, problem))
            if step.name == self.link or wrong & {*form.of}:
                wrong.add(step.name)
        if self.fault.kept:
            self._before.update({name: np.array(a) for name, a in known.items()})
        return Chain(**{link: _kept(known[link], problem) for link in self.network.links})

    @property
    def function(self) -> Callable[..., dict[str, Any]]:
        """The same of what is given of a problem, by its names or in their order."""
        return _Function(self)

    def applies(self, problem: Problem, right: Chain) -> bool:
        """Whether the layer has all that the formula needs, and what lets the fault be seen.

        Shapes  as Problem and Chain.
        """
        place, links = Place(problem, self.i, right), self.network.links
        if self.link not in links or (self.fault.link in _OF_THE_LAST and not place.last):
            return False
        of_rows = place.problem.network.layers[self.i].embedding and "x" in self._words
        if of_rows and "embedding" not in self.fault.where:
            return False
        known = {*_given(problem), *links[: links.index(self.link)], "right", *self.network.inner}
        needed = {self._names.get(word) for word in self._words}
        return needed <= known and all(WHERE[word](place) for word in self.fault.where)

    @property
    def _words(self) -> set[str]:
        """What the formula is computed from, of this call or the one before."""
        return {word.removesuffix(_BEFORE) for word in self.fault.of}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """What the words of a formula are called among all numbers."""
        names = self.network.names
        found = {word: word for word in ("right", "penalty", "penalty_of_biases")} | dict(
            names[self.i]
        )
        for word, i in (("above", self.i + 1), ("below", self.i - 1)):
            if 0 <= i < len(names):
                found |= {f"{own}_{word}": name for own, name in names[i].items()}
        return found

    def _value(self, word: str, known: Mapping[str, Any]) -> Any:
        name = self._names[word.removesuffix(_BEFORE)]
        kept = self._before.get(name, known[name]) if word.endswith(_BEFORE) else known[name]
        return kept if np.shape(kept) == np.shape(known[name]) else known[name]


@dataclass(frozen=True, eq=False)
class _Function:
    """A planted fault as somebody's function, with the names of what it takes."""

    planted: Planted

    @cached_property
    def _taken(self) -> tuple[str, ...]:
        network = self.planted.network
        labels = "G" if network.cost == "upstream" else "P"
        arrays = dict.fromkeys(("X", *network.parameters, labels, *network.state))
        h = {"h": None} if network.trains else {}
        return tuple(called_with(arrays, h, 1 if network.state else None))

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in self._taken])

    def __call__(self, *arrays: Any) -> dict[str, Any]:
        given, network = dict(zip(self._taken, arrays, strict=True)), self.planted.network
        labels: Any = given.get("P", given.get("G"))
        h, t = given.get("h", labels.dtype.type(1)), int(given.get("t", 1))
        own, state = ({n: given[n] for n in of} for of in (network.parameters, network.state))
        made = Problem(given["X"], own, labels, h, network, state, t)
        return {link: np.array(value) for link, value in self.planted(made).items()}


def planted(fault: Fault, problem: Problem, right: Chain) -> Iterator[Planted]:
    """The fault at every layer where it can be made and be seen on a problem with its right links.

    Shapes  as Problem and Chain.
    """
    for i in range(len(problem.network.layers)):
        made = Planted(fault, problem.network, i)
        if made.applies(problem, right):
            yield made


def _kept(link: Any, problem: Problem) -> Any:
    """A link as the problem's dtype keeps it: of 16 bits it is computed in float32, and rounded."""
    name = str(problem.dtype)
    return dtypes.nearest(link, name)[()] if name in dtypes.SIXTEEN else link


def _given(problem: Problem) -> dict[str, Any]:
    """The numbers that a chain is computed from, and what weight decay has and might have in C."""
    decay, weights = problem.dtype.type(problem.network.weight_decay) / 2, problem.network.weights
    squares = {name: decay * np.square(a).sum() for name, a in problem.parameters.items()}
    of_weights = sum(square for name, square in squares.items() if name in weights)
    rest = sum(square for name, square in squares.items() if name not in weights)
    return {**problem.numbers, "penalty": of_weights, "penalty_of_biases": rest}


def _inheriting(step: Step, known: Set[str], wrong: Set[str]) -> Form:
    """A form of what is known: one that is computed from a wrong link if any is, a stable one."""
    forms = [form for form in step.forms if {*form.of} <= known]
    return min(forms, key=lambda form: (not wrong & {*form.of}, form.kind != "stable"))
