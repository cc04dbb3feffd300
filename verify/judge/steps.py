"""Trainings: where W goes over the steps, and how C falls at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from verify.candidate.candidate import Candidate
from verify.errors import CandidateError
from verify.judge.compare import Reference, Subject
from verify.judge.parts import Evaluation, Totals, everywhere
from verify.judge.result import Finding, Step, Verdict
from verify.network import descent, truth
from verify.network.bounds import Bounds, bounds
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import EVALUATION, Array
from verify.scenario.cases import Batch, Case

_SHOWN = 128  # steps that a result keeps: more than a picture shows

Exact = Iterator[truth.Enclosure | None]
"""The exact W after each step, while there is work left for it."""


@dataclass
class Trajectory:
    """Where one subject is after some steps: `here`.

    `steps` tells how the cost of each step's batch went, where the form's bound of it holds;
    `ended`: it is followed no further, out of its form's domain, or unusable.
    """

    here: Totals
    steps: list[Step] = field(default_factory=list)
    ended: bool = False

    @property
    def subject(self) -> Subject:
        return self.here.subject

    def at(self, batch: Batch) -> Totals:
        """The subject's chains of a batch, where W is now."""
        here = self.here
        if here.batch is batch and here.evaluated:
            return here
        return everywhere(Totals(self.subject, batch, here.W, here.drift))


@dataclass(frozen=True, eq=False)
class Training:
    """The trajectories by subject, what was found, and how many steps the truth went along."""

    trajectories: Mapping[str, Trajectory]
    findings: tuple[Finding, ...]
    enclosed: int


@dataclass(eq=False)
class _Move:
    """A step of one subject, from `here` by `chain` to `there`; `second` is its curvature."""

    here: Totals
    there: Totals
    chain: Chain
    bound: Chain
    second: Any = 0.0


def train(
    starts: Sequence[Totals], batches: Sequence[Batch], steps: int, exact: Exact,
    columns: Sequence[int],
) -> Training:  # fmt: skip
    """All subjects, side by side, for `steps` steps over the batches in turn.

    `starts` are the subjects' chains of the first batch. After each step W is held against the
    exact trajectory while that goes on, manual and twin of one form against each other always, and
    the cost of the step's own batch against its fall.

    Source  descent's derivations.
    """
    trajectories = {start.subject.name: Trajectory(start) for start in starts}
    # A single step begins without any drift that could be stretched.
    factors = [_stretch(batch) if steps > 1 else 1.0 for batch in batches]
    findings: list[Finding] = []
    enclosed = 0
    for t in range(steps):
        batch, factor = batches[t % len(batches)], factors[t % len(batches)]
        W_exact = next(exact, None)
        enclosed += W_exact is not None
        # Of other rows nothing could be used for the next step but W itself.
        goes_on = t + 1 < steps and len(batches) == 1
        findings += _step(trajectories, batch, factor, t, goes_on)
        if W_exact is not None:
            findings += _off_the_truth(trajectories, W_exact, columns, t)
        findings += _apart(trajectories, t)
        if findings:  # later steps would only repeat it
            break
    return Training(trajectories, tuple(findings), enclosed)


def trained(
    candidate: Candidate, case: Case, ref: Reference, budget: float, own_step: bool = True
) -> Iterator[Finding]:
    """Its trajectory and the fall of its cost; W_next by the update rule if it gives none.

    Without an `own_step` what goes wrong with W_next is its gradient's.
    """
    subject = Subject(f"candidate {candidate.name}", candidate.chain, "wider")
    exact = exactly(case.batches, case.steps, ref.columns, budget)
    try:
        start = everywhere(start_of(subject, case.in_parts[0]))
        found = train([start], case.in_parts, case.steps, exact, ref.columns)
    except CandidateError as error:
        yield Finding("exception", Verdict.FAIL, str(error), subject.name)
        return
    for finding in found.findings:
        moved = finding.link == "W_next" and not own_step
        yield replace(finding, link="dC_dW") if moved else finding


def start_of(subject: Subject, batch: Batch, leads: bool = False) -> Totals:
    """Where a subject begins: at the first W, without any drift."""
    W = batch.first.W
    return Totals(subject, batch, W, np.zeros(W.shape[1]), leads)


def exactly(batches: Sequence[Problem], steps: int, columns: Sequence[int], budget: float) -> Exact:
    """The exact trajectory; of a single step none is needed.

    Shapes  batches share W (D, K); yields W (D, columns).
    """
    return truth.trajectory(batches, columns, budget) if steps > 1 else iter(())


def _stretch(batch: Batch) -> Array:
    """By how much a step on a batch can stretch the distance of two weight vectors."""
    L = sum(share * descent.smoothness(part) for share, part in batch)
    return descent.stretch(batch.first.h, np.asarray(L))


def _step(
    trajectories: Mapping[str, Trajectory], batch: Batch, factor: Any, t: int, goes_on: bool
) -> list[Finding]:
    """One step of every subject: its chain, its drift, and the fall of the cost."""
    found: dict[str, list[Finding]] = {name: [] for name in trajectories}
    moves: dict[str, _Move] = {}
    for name, path in trajectories.items():
        if path.ended:
            continue
        here = path.at(batch)
        move, why = _moved(path, here, factor, t)
        if move is None:
            path.ended = True
            found[name] += why
        else:
            moves[name] = move
    # Parts outside, subjects inside: each part is read from its file once for all of them.
    for share, part in batch:
        base = None
        for move in moves.values():
            if move.here.only is not None:
                before = move.here.only.bounds
            else:
                base = base or bounds(part)
                before = base if move.here.W is part.W else base.at(move.here.W)
            _look(move, share, part, before, goes_on)
    for name, move in moves.items():
        path = trajectories[name]
        path.here = move.there
        if not move.there.cost_fits:
            path.ended = True
            found[name].append(_overflows(path.subject, path.here.W.dtype, t))
        elif move.chain.dC_dW is not None and move.there.cost_holds:
            found[name] += _fall(path, move, batch, t)
    return [finding for name in trajectories for finding in found[name]]


def _moved(
    path: Trajectory, here: Totals, factor: Any, t: int
) -> tuple[_Move | None, list[Finding]]:
    """Where a step leads, or why there is none."""
    if not here.holds:
        return None, [_left_domain(path.subject, t)]
    h = here.batch.first.h
    chain, bound = here.joined(h)
    # A candidate may give a W_next of any shape; what follows would raise, or be all NaN.
    if np.shape(chain.W_next) != here.W.shape or not np.isfinite(chain.W_next).all():
        message = f"W_next is unusable after step {t + 1}"
        return None, [Finding("trajectory", Verdict.FAIL, message, path.subject.name, "W_next")]
    W = np.asarray(chain.W_next, here.W.dtype)
    drift = descent.drift(here.drift, factor, bound.W_next)
    there = Totals(path.subject, here.batch, W, drift, here.leads)
    return _Move(here, there, chain, bound), []


def _look(move: _Move, share: float, part: Problem, before: Bounds, goes_on: bool) -> None:
    """A part of the batch at the new W; with the subject's chain, where it goes on from there."""
    after = before.at(move.there.W)
    subject = move.there.subject
    chain = subject.implementation(after.problem) if goes_on else None
    move.there.add(share, Evaluation(after.problem, after, chain))
    if move.chain.dC_dW is not None:
        move.second += share * descent.curvature(part, before.moved(after))


def _fall(path: Trajectory, move: _Move, batch: Batch, t: int) -> Iterator[Finding]:
    """A finding where C went neither as far nor as little as it may, or where that is too far."""
    (C, bound_C), after = move.here.cost, move.there.cost
    chain, bound = replace(move.chain, C=C), replace(move.bound, C=bound_C)
    d = np.asarray(move.there.W, np.float64) - move.here.W
    lost = descent.gamma(batch.N, batch.D, batch.K)
    fall = descent.allowed(d, move.second, chain, after, bound, lost)
    low, high = float(C + fall.lowest), float(C + fall.highest)
    path.steps.append(Step(t + 1, C, after.value, low, high))
    if not fall.in_range:
        yield _overflows(path.subject, path.here.W.dtype, t)
    elif not fall.holds:
        message = (
            f"step {t + 1} changes C by {fall.found:.6g}; convexity and smoothness allow"
            f" {fall.lowest:.6g} to {fall.highest:.6g}"
        )
        yield Finding("descent", Verdict.FAIL, message, path.subject.name, "W_next")


def thinned(steps: Sequence[Step]) -> tuple[Step, ...]:
    """At most _SHOWN of them at even distances, with the last."""
    apart = -(-len(steps) // _SHOWN)  # rounded up; counted from the end, so that the last is kept
    return tuple(steps[::-1][:: max(apart, 1)][::-1])


def _left_domain(subject: Subject, t: int) -> Finding:
    """That a form's bounds hold no longer where W has come to."""
    message = f"W leaves the domain of the {subject.form} form at step {t + 1}"
    return Finding("post_form", Verdict.CANNOT_JUDGE, message, subject.name)


def _overflows(subject: Subject, dtype: Any, t: int) -> Finding:
    """That a step ends where C, or what it may fall by, is beyond the dtype."""
    message = f"step {t + 1} overflows: C or its allowed change is beyond {dtype}"
    return Finding("range", Verdict.CANNOT_JUDGE, message, subject.name, "W_next")


def _off_the_truth(
    trajectories: Mapping[str, Trajectory], W_exact: truth.Enclosure, columns: Sequence[int], t: int
) -> Iterator[Finding]:
    for path in trajectories.values():
        if not path.ended:
            away = descent.length(W_exact.error(path.here.W[:, list(columns)]))
            drift = path.here.drift[list(columns)]
            yield from _too_far(path.subject.name, "the exact trajectory", away, drift, t)


def _apart(trajectories: Mapping[str, Trajectory], t: int) -> Iterator[Finding]:
    """Manual against twin of the same form, every column: each may be off by its own drift."""
    together = [path for path in trajectories.values() if not path.ended]
    for one, other in pairwise(together):
        if one.subject.form == other.subject.form:
            away = descent.length(np.asarray(one.here.W, np.float64) - other.here.W)
            name, drift = other.subject.name, one.here.drift + other.here.drift
            yield from _too_far(one.subject.name, name, away, drift, t)


def _too_far(name: str, what: str, away: Any, drift: Any, t: int) -> Iterator[Finding]:
    if not (away <= drift * EVALUATION).all():
        k = int(np.argmax(away / drift))
        message = (
            f"after step {t + 1} column {k} of W is {away[k]:.3g} from {what}; rounding explains"
            f" {drift[k]:.3g}"
        )
        yield Finding("trajectory", Verdict.FAIL, message, name, "W_next")
