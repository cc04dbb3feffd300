"""The bound of every link of any network, composed from X on.

Each link's formula is run on bounded numbers, from those of the links before it; its bound is,
entry by entry, the widest of the forms that hold there. A form that is a function of the cost
alone, as one that avoids a cancellation, is taken by its kind: "literal" as a textbook has it,
"stable" where it holds everywhere, "wider" any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    rounded = {"N": Bounded(model, N, None, off)}
    for name in problem.constants:  # a program may have it in more precision
        number = float(problem.numbers[name])
        rounded[name] = Bounded(model, number, None, abs(number) * model.u if number else None)
    return found | rounded


class Links(Mapping[str, Bounded]):
    """Numbers and links by name; a link is bounded when it is first asked for.

    `made` keeps what is computed by the same forms from the same numbers, for all kinds of form.
    """

    def __init__(
        self,
        kind: str,
        steps: Mapping[str, Step],
        known: dict[str, Bounded],
        made: dict[tuple[Any, ...], Bounded],
    ) -> None:
        self._kind, self._steps, self._known, self._made = kind, steps, known, made

    def __getitem__(self, name: str) -> Bounded:
        if name not in self._known:
            self._known[name] = self._bounded(self._steps[name])
        return self._known[name]

    def _bounded(self, step: Step) -> Bounded:
        inputs = (id(self[name]) for form in step.composed for name in form.of)
        key = (step.name, self._kind if step.by_kind else "", *inputs)
        if key not in self._made:
            with np.errstate(all="ignore"):
                self._made[key] = step.bounded(self._kind, self)
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._steps})

    def __len__(self) -> int:
        return len({**self._known, **self._steps})


@dataclass(frozen=True, eq=False)
class Composed:
    """The bounds of the links in each form, as Chains of float64 arrays.

    An entry is infinite where no form holds; an infinite bound judges nothing.

    Shapes  those of the links, and of dC_dX.
    """

    problem: Problem
    model: Model
    _links: dict[str, Links] = field(default_factory=dict, repr=False)
    _bounds: dict[str, Chain] = field(default_factory=dict, repr=False)
    _made: dict[tuple[Any, ...], Bounded] = field(default_factory=dict, repr=False)

    @cached_property
    def given(self) -> Mapping[str, Bounded]:
        return given(self.problem, self.model)

    def __getitem__(self, form: str) -> Chain:
        """The chain of "post", "stable" or "wider"."""
        if form not in self._bounds:
            links = self.links(form)
            network = self.problem.network
            names = dict.fromkeys((*network.links, *network.every_link))
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

    def links(self, form: str) -> Links:
        """Every number and link of a form, bounded.

        Shapes  those of the links.
        """
        if form not in self._links:
            steps = {step.name: step for step in self.problem.network.every_step}
            self._links[form] = Links(KINDS[form], steps, dict(self.given), self._made)
        return self._links[form]

    def at(self, parameters: Mapping[str, Array]) -> Composed:
        """The bounds of the same rows at other parameters.

        Shapes  as Problem.
        """
        return Composed(self.problem.having(**parameters), self.model)

    def C(self, form: str) -> Any:
        """The bound of C alone."""
        return self.links(form)["C"].bound()

    def cost(self) -> Off:
        """The reference value of C, by the stable form in float64, and its bound there.

        Units   those of C.
        """
        exact = self.model is MODELS["float64"]
        at = self if exact else Composed(self.problem, MODELS["float64"])
        C = at.links("stable")["C"]
        return Off(C.value, C.bound())

    @cached_property
    def post_holds(self) -> bool:
        """Whether the literal form of every link has a bound in every entry."""
        known, inner = self.links("stable"), self.problem.network.inner
        with np.errstate(all="ignore"):
            return all(
                np.isfinite(step.on("literal", known).settled().error).all()
                for step in self.problem.network.every_step
                if step.name not in inner
            )

    @cached_property
    def cost_fits(self) -> bool:
        """Whether C is a number of the dtype."""
        return bool(np.abs(self.links("stable")["C"].value) < self.model.largest / 4)

    @cached_property
    def fits(self) -> bool:
        """Whether C is. Where it or a gradient has no bound from X on, its lines may have one."""
        return self.cost_fits

    @property
    def unbounded(self) -> dict[str, int]:
        """How many entries of each link have no bound: nothing is asked of them there."""
        counts = {link: int((~np.isfinite(self.stable[link])).sum()) for link in self.stable}
        return {link: count for link, count in counts.items() if count}
