"""The bound of every link of any network, composed from X on.

Each link's formula is run on bounded numbers, from those of the links before it; its bound is,
entry by entry, the widest of the forms that hold there. A form that is a function of the cost
alone, as one that avoids a cancellation, is taken by its kind: "literal" as a textbook has it,
"stable" where it holds everywhere, "wider" any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verify.network.problem import Chain, Problem
from verify.network.step import Step
from verify.numbers.bounded import Bounded
from verify.numbers.rounding import MODELS, Array, Model, Off

KINDS = {"post": "literal", "stable": "stable", "wider": "wider"}


def given(problem: Problem, model: Model) -> dict[str, Bounded]:
    """All numbers that a network is computed from, exact but for what is rounded to the dtype.

    Shapes  as Problem.numbers.
    """
    found = {name: Bounded(model, a) for name, a in problem.numbers.items()}
    N = problem.numbers["N"]
    off = None if N & (N - 1) == 0 else N * model.u  # a divisor may be rounded, or its inverse
    return found | {"N": Bounded(model, N, None, off)}


@dataclass(frozen=True, eq=False)
class Composed:
    """The bounds of the links in each form, as Chains of float64 arrays.

    An entry is infinite where no form holds; an infinite bound judges nothing.

    Shapes  those of the links, and of dC_dX.
    """

    problem: Problem
    model: Model
    _links: dict[str, Mapping[str, Bounded]] = field(default_factory=dict, repr=False)
    _bounds: dict[str, Chain] = field(default_factory=dict, repr=False)
    _made: dict[tuple[Any, ...], Bounded] = field(default_factory=dict, repr=False)

    @cached_property
    def given(self) -> Mapping[str, Bounded]:
        return given(self.problem, self.model)

    def __getitem__(self, form: str) -> Chain:
        """The chain of "post", "stable" or "wider"."""
        if form not in self._bounds:
            links = self.links(form)
            names = (*self.problem.network.links, "dC_dX")
            self._bounds[form] = Chain(**{name: links[name].bound() for name in names})
        return self._bounds[form]

    @property
    def post(self) -> Chain:
        return self["post"]

    @property
    def stable(self) -> Chain:
        return self["stable"]

    @property
    def wider(self) -> Chain:
        return self["wider"]

    def links(self, form: str) -> Mapping[str, Bounded]:
        """Every link of a form on bounded numbers.

        Shapes  those of the links.
        """
        if form not in self._links:
            known = dict(self.given)
            with np.errstate(all="ignore"):
                for step in self.problem.network.every_step:
                    known[step.name] = self._bounded(step, KINDS[form], known)
            self._links[form] = known
        return self._links[form]

    def _bounded(self, step: Step, kind: str, known: Mapping[str, Bounded]) -> Bounded:
        """A link; made once where its forms and what they are computed from are the same."""
        inputs = (id(known[name]) for form in step.composed for name in form.of)
        key = (step.name, kind if step.by_kind else "", *inputs)
        if key not in self._made:
            self._made[key] = step.bounded(kind, known)
        return self._made[key]

    def at(self, parameters: Mapping[str, Array]) -> Composed:
        """The bounds of the same rows at other parameters.

        Shapes  as Problem.
        """
        return Composed(self.problem.having(**parameters), self.model)

    def C(self, form: str) -> Any:
        """The bound of C alone."""
        return self[form].C

    def cost(self) -> Off:
        """The reference value of C, by the stable form in float64, and its bound there.

        Units   those of C.
        """
        exact = self.model is MODELS["float64"]
        at = self if exact else Composed(self.problem, MODELS["float64"])
        C = at.links("stable")["C"]
        return Off(C.value, C.bound())

    @cached_property
    def post_holds(self) -> Any:
        """Whether the first literal form of every link does, in every entry."""
        return self.holds("post")

    def holds(self, form: str) -> bool:
        """Whether manual's own form of every link holds in every entry: it has a bound.

        Shapes  as Problem.
        """
        known = dict(self.given)
        with np.errstate(all="ignore"):
            for step in self.problem.network.every_step:
                known[step.name] = step.on(KINDS[form], known).settled()
                if not np.isfinite(known[step.name].error).all():
                    return False
        return True

    @cached_property
    def cost_fits(self) -> bool:
        """Whether C is bounded."""
        return bool(np.isfinite(self.stable.C))

    @cached_property
    def fits(self) -> bool:
        """Whether C is, and some entry of every gradient."""
        gradients = self.problem.network.gradients
        return self.cost_fits and all(np.isfinite(self.stable[g]).any() for g in gradients)

    @property
    def unbounded(self) -> dict[str, int]:
        """How many entries of each link have no bound: nothing is asked of them there."""
        counts = {link: int((~np.isfinite(self.wider[link])).sum()) for link in self.wider}
        return {link: count for link, count in counts.items() if count}
