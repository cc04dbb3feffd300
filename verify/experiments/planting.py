"""Faults planted in one problem: those of the post's network, or at every layer those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from verify.candidate.candidate import of_function
from verify.faults import networks
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS, Fault
from verify.judge import compare
from verify.judge.result import Finding, Verdict
from verify.judge.selftest import caught_by
from verify.judge.trial import tried
from verify.network import manual
from verify.network.problem import Chain, Problem

AnyFault: TypeAlias = Fault | networks.Fault
POSTS, OTHERS = "of the post's network", "of other networks"
GROUPS: Mapping[str, Mapping[str, AnyFault]] = {POSTS: FAULTS, OTHERS: networks.NETWORK_FAULTS}
ALL: Mapping[str, AnyFault] = {**FAULTS, **networks.NETWORK_FAULTS}

_RIGHT = Fault("right", "y", "none", with_formulas())


@dataclass(frozen=True, eq=False)
class Planting:
    """A problem in which faults are planted by their names; without a name, none is.

    Units   budget: what its truth may cost.
    """

    problem: Problem
    budget: float

    @property
    def group(self) -> str:
        """Of which faults it is."""
        return POSTS if self.problem.of_post else OTHERS

    @cached_property
    def ref(self) -> compare.Reference:
        """What answers are held against."""
        return compare.reference(self.problem, self.budget)

    @cached_property
    def right(self) -> Chain:
        """The right links."""
        with np.errstate(all="ignore"):
            return manual.stable(self.problem)

    def holds(self, name: str) -> bool:
        """Whether a fault is of a function of NumPy arrays, and applies here."""
        fault = GROUPS[self.group][name]
        if isinstance(fault, Fault):
            return fault.arrays == "numpy"
        return any(True for _ in self._planted(fault))

    def functions(self, name: str) -> Iterator[Callable[..., Any]]:
        """A fault as functions of arrays, each made anew: one at every layer where it applies."""
        fault = self._fault(name)
        if isinstance(fault, Fault):
            yield fault.make()
        else:
            yield from (made.function for made in self._planted(fault))

    def caught(self, name: str) -> Finding | None:
        """What gives a fault away: the first failure, at the first layer where there is one."""
        fault = self._fault(name)
        if isinstance(fault, Fault):
            return caught_by(fault, self.ref)
        return next(filter(None, map(self._first, self._planted(fault))), None)

    def _fault(self, name: str) -> AnyFault:
        none: Mapping[str, AnyFault] = {POSTS: _RIGHT, OTHERS: networks.NONE}
        return GROUPS[self.group][name] if name else none[self.group]

    def _planted(self, fault: networks.Fault) -> Iterator[networks.Planted]:
        return networks.planted(fault, self.problem, self.right)

    def _first(self, made: networks.Planted) -> Finding | None:
        findings = [] if made.fault.kept else self._of_the_whole(made)
        if not findings:
            planted = of_function(made.function, made.fault.name)
            trial = tried(planted, self.ref, in_full=made.fault.kept, explained=False)
            findings = [f for f in trial.findings if f.verdict is not Verdict.PASS]
        order = [step.name for step in self.problem.network.every_step]
        return min(findings, key=lambda f: order.index(f.link) if f.link else -1, default=None)

    def _of_the_whole(self, made: networks.Planted) -> list[Finding]:
        """What the shapes and the bounds from X on say; a trial says it, too, and takes longer."""
        chain, name = made(self.problem), made.fault.name
        figures = compare.against_truth(name, chain, self.ref, self.ref.bounds.wider)
        return [*compare.misshapen(name, chain, self.problem), *compare.broken("bound", figures)]
