"""Trainings: a list of steps, each judged from where it began, as the first was.

One subject leads: its W_next is the next W of all. At every step each subject gives its chain
there, which is held against the truth, while there is work left for that, and against the other
side; and the cost of the step's own batch is held against its fall.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from verify.candidate.candidate import Candidate
from verify.errors import CandidateError
from verify.judge import compare, lines
from verify.judge.compare import Reference, Subject
from verify.judge.parts import Evaluation, Totals, everywhere, start_of
from verify.judge.result import Finding, Step, Verdict
from verify.judge.sides import LEAD
from verify.network import descent, truth
from verify.network.bounds import Bounds, bounds
from verify.network.composed import Composed
from verify.network.given import is_state
from verify.network.network import Network
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import Array
from verify.scenario.cases import Batch, Case

_SHOWN = 128  # steps that a result keeps: more than a picture shows

Judged: TypeAlias = Callable[[Reference], tuple[Chain | None, list[Finding]]]
"""The lead's chain of a problem, and what is found there; no chain where it gives none of use."""


@dataclass(frozen=True, eq=False)
class Training:
    """Where the lead came to, how C went on the way, what was found, and how many steps the truth
    judged."""

    end: Totals
    steps: Sequence[Step]
    findings: Sequence[Finding]
    enclosed: int


@dataclass(eq=False)
class _Path:
    """Where the lead is: `here`, with what was found so far and the work that is left."""

    here: Totals
    judged: Judged
    budget: float
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    enclosed: int = 0

    @property
    def name(self) -> str:
        return self.here.subject.name


def train(
    lead: Totals, batches: Sequence[Batch], steps: int, judged: Judged, budget: float
) -> Training:
    """Some steps over the batches in turn, from the lead's chains of the first batch.

    The first step is judged already. A step from which nothing follows is the last.

    Source  descent's derivations.
    """
    path = _Path(lead, judged, budget)
    # A single step begins without any drift that could be stretched.
    stretches = steps > 1 and batches[0].first.of_post
    factors = [_stretch(batch) if stretches else 1.0 for batch in batches]
    for t in range(steps):
        batch = batches[t % len(batches)]
        if path.here.batch is not batch or not path.here.evaluated:
            at = replaced(path.here, batch, path.here.parameters, path.here.drift)
            path.here = _arrived(path, at, t)
        if path.findings:
            break
        # Of other rows nothing could be used for the next step but W itself.
        _step(path, factors[t % len(batches)], t, t + 1 < steps and len(batches) == 1)
        if path.findings:  # later steps would only repeat it
            break
    return Training(path.here, path.steps, path.findings, path.enclosed)


def _step(path: _Path, factor: Any, t: int, goes_on: bool) -> None:
    """One step of the lead, the fall of the cost, and what is found where it leads to."""
    here = path.here
    h = here.batch.first.h
    chain, bound = here.joined(h)
    parameters = dict[str, Any]()
    for name, before in here.parameters.items():
        if name == "t":
            parameters[name] = before + 1
            continue
        after: Any = chain.get(f"{name}_next")
        # A candidate may give one of any shape; what follows would raise, or be all NaN.
        if np.shape(after) != before.shape or not np.isfinite(after).all():
            message = f"{name}_next is unusable after step {t + 1}"
            finding = Finding("trajectory", Verdict.FAIL, message, path.name, f"{name}_next")
            path.findings.append(finding)
            return
        parameters[name] = np.asarray(after, before.dtype)
    there = replaced(here, here.batch, parameters, _drift(here, factor, chain, bound))
    found = len(path.findings)
    if goes_on:
        path.here = _arrived(path, there, t + 1)
    else:
        path.here = there
        for share, part in here.batch:
            at = _before(here, part).at(parameters)
            there.add(share, Evaluation(at.problem, at, None))
    if not there.cost_fits:
        path.findings.insert(found, _overflows(path, t))
    elif there.parts == here.parts and all(link in chain for link in here.links):
        path.findings[found:found] = _change(path, here, chain, bound, t)


def replaced(here: Totals, batch: Batch, parameters: Mapping[str, Array], drift: Any) -> Totals:
    """The same subject elsewhere, before anything is added."""
    return Totals(here.subject, batch, parameters, drift, here.leads)


def _drift(here: Totals, factor: Any, chain: Chain, bound: Chain) -> Any:
    """How far the lead may be from the exact trajectory after a step.

    Of the post's network each column of W; of others what C may be off by, to first order: how much
    later steps stretch it is not known, but for how long what an update keeps remembers it.
    """
    if here.batch.first.of_post:
        return descent.drift(here.drift, factor, bound.W_next)
    moved = (
        (np.abs(chain[f"dC_d{name}"]) + bound[f"dC_d{name}"]) * bound[f"{name}_next"]
        for name in here.parameters
        if f"dC_d{name}" in chain  # of a candidate that gives it; nothing is expected of its C
    )
    memory = here.batch.first.network.update.memory
    return here.drift + memory * float(sum(np.sum(m, where=np.isfinite(m)) for m in moved))


def _before(here: Totals, part: Problem) -> Bounds | Composed:
    """The bounds of a part where a step begins; kept where there is but one."""
    return bounds(part.having(**here.parameters)) if here.only is None else here.only.bounds


def _arrived(path: _Path, there: Totals, t: int) -> Totals:
    """The lead's chain in every part of a batch at a new W, and what is found there."""
    found: list[Finding] = []
    follows = True
    before = path.here.only if path.here.batch is there.batch else None  # the same rows
    for share, part in there.batch:
        at = there.parameters
        limits = before.bounds.at(at) if before else bounds(part.having(**at))
        problem = limits.problem
        if not limits.fits:
            there.add(share, Evaluation(problem, limits, None))
            found += [] if not limits.cost_fits else [_overflows(path, t)]
            follows = False
            break
        follows &= not there.batch.several and truth.fits(problem, path.budget)
        exact = None
        if follows:
            path.budget -= truth.work(problem)
            exact = truth.truth(problem, limits.stable, followed(problem.network))
        chain, findings = path.judged(Reference(problem, limits, exact))
        there.add(share, Evaluation(problem, limits, chain))
        found += [_at_step(finding, t) for finding in findings]
        if found:
            break
    path.enclosed += follows
    path.findings += found
    return there


def followed(network: Network) -> tuple[str, ...]:
    """The links that the truth judges at every step: C, the gradients and where they lead."""
    return "C", *network.gradients, *network.updates


def _at_step(finding: Finding, t: int) -> Finding:
    """What is found at a later step: there, what is beyond a bound was within it before."""
    later = finding.check in ("bound", "agreement")
    message = f"step {t + 1}: {finding.message}"
    return replace(finding, check="trajectory" if later else finding.check, message=message)


def trained(
    candidate: Candidate, case: Case, budget: float, own_step: bool = True
) -> Iterator[Finding]:
    """Every step of a candidate from its own W, and the fall of its cost.

    Its W_next is by the update rule if it gives none: without an `own_step` what goes wrong with
    W_next is its gradient's.
    """
    subject = Subject(f"candidate {candidate.name}", candidate.chain, "wider")

    def judged(ref: Reference) -> tuple[Chain | None, list[Finding]]:
        chain = candidate.chain(ref.problem)
        found = list(compare.misshapen(subject.name, chain, ref.problem))
        if found:
            return None, found
        figures = compare.against_truth(subject.name, chain, ref, ref.bounds.wider)
        if ref.truth is None:
            both = {subject.name: chain, LEAD: ref.manual}
            figures += compare.against_each_other(both, ref, ref.bounds.wider)
        if ref.problem.of_post and all(f.holds for f in figures):
            return chain, []
        near = lines.locally(subject.name, chain, ref)
        return chain, list(lines.wrong("bound", figures, near, ref))

    try:
        start = everywhere(start_of(subject, case.in_parts[0]))
        found = train(start, case.in_parts, case.steps, judged, budget)
    except CandidateError as error:
        yield Finding("exception", Verdict.FAIL, str(error), subject.name)
        return
    for finding in found.findings:
        by = (finding.link or "").removesuffix("_next")
        moved = by != finding.link and not own_step
        by = by[1:] if is_state(by) else by
        yield replace(finding, link=f"dC_d{by}") if moved else finding


def _stretch(batch: Batch) -> Array:
    """By how much a step of the post's network can stretch the distance of two weight vectors."""
    L = sum(share * descent.smoothness(part) for share, part in batch)
    return descent.stretch(batch.first.h, np.asarray(L))


def _change(path: _Path, here: Totals, chain: Chain, bound: Chain, t: int) -> Iterator[Finding]:
    """How C went in a step; of the post's network convexity says how far it may."""
    there = path.here
    (C, bound_C), after = here.cost, there.cost
    if not here.batch.first.of_post:
        path.steps.append(Step(t + 1, C, after.value, math.nan, math.nan))
        return
    chain, bound = (chain | {"C": C}), (bound | {"C": bound_C})
    d = np.asarray(there.parameters["W"], np.float64) - here.parameters["W"]
    second = sum(share * _curvature(here, there, part) for share, part in here.batch)
    lost = descent.gamma(here.batch.N, here.batch.D, here.batch.K)
    fall = descent.allowed(d, second, chain, after, bound, lost)
    low, high = float(C + fall.lowest), float(C + fall.highest)
    path.steps.append(Step(t + 1, C, after.value, low, high))
    if not fall.in_range:
        yield _overflows(path, t)
    elif not fall.holds:
        message = (
            f"step {t + 1} changes C by {fall.found:.6g}; convexity and smoothness allow"
            f" {fall.lowest:.6g} to {fall.highest:.6g}"
        )
        yield Finding("descent", Verdict.FAIL, message, path.name, "W_next")


def _curvature(here: Totals, there: Totals, part: Problem) -> Any:
    before = _before(here, part)
    after = before.at(there.parameters) if there.only is None else there.only.bounds
    if isinstance(before, Composed) or isinstance(after, Composed):
        raise TypeError("convexity is known of the post's network alone")
    return descent.curvature(part, before.moved(after))


def thinned(steps: Sequence[Step]) -> tuple[Step, ...]:
    """At most _SHOWN of them at even distances, with the last."""
    apart = -(-len(steps) // _SHOWN)  # rounded up; counted from the end, so that the last is kept
    return tuple(steps[::-1][:: max(apart, 1)][::-1])


def _overflows(path: _Path, t: int) -> Finding:
    """That a step ends where C, or what it may fall by, is beyond the dtype."""
    problem = path.here.batch.first
    message = f"step {t + 1} overflows: C or its allowed change is beyond {problem.dtype}"
    last = f"{problem.network.parameters[-1]}_next"
    return Finding("range", Verdict.CANNOT_JUDGE, message, path.name, last)
