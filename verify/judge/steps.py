"""What happens over the steps: where W goes, how C falls at each, and C before and after."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from verify.candidate.candidate import Candidate
from verify.errors import CandidateError
from verify.judge.compare import Subject
from verify.judge.result import Finding, Step, Verdict
from verify.network import descent, truth
from verify.network.bounds import Bounds, bounds
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import EVALUATION, Array

_SHOWN = 128  # steps that a result keeps: more than a picture shows


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A problem with its bounds and one subject's chain; made once wherever W has been.

    Where a path ends only the cost is asked for, and there is no chain.
    """

    problem: Problem
    bounds: Bounds
    chain: Chain | None

    def holds(self, form: str) -> bool:
        """Whether the bounds of the form hold here."""
        return self.bounds.fits and self.cost_holds(form)

    def cost_holds(self, form: str) -> bool:
        """The same of C alone."""
        return self.bounds.cost_fits and (form != "post" or self.bounds.post_holds)

    def cost(self, form: str) -> tuple[float, float]:
        """The subject's C with its bound; where it has given none, that of nobody, in float64."""
        if self.chain is None or self.chain.C is None:
            C, bound_C = self.bounds.cost()
            return float(C), float(bound_C)
        return float(self.chain.C), float(self.bounds.C(form))


@dataclass
class Trajectory:
    """Where one subject's W is after some steps.

    `steps` tells how the cost of each step's batch went, where the form's bound of it holds.

    Shapes  W (D, K); drift (K,): how far each column may be from the exact trajectory.
    """

    subject: Subject
    W: Array
    drift: Array
    here: Evaluation | None = None
    steps: list[Step] = field(default_factory=list)
    left: bool = False  # followed no further: out of its form's domain, or unusable


@dataclass(frozen=True, eq=False)
class Training:
    """The trajectories by subject, what was found, and how many steps the truth went along."""

    trajectories: Mapping[str, Trajectory]
    findings: tuple[Finding, ...]
    enclosed: int


def evaluated(subject: Subject, problem: Problem) -> Evaluation:
    """The bounds and the subject's chain at one problem.

    Shapes  as Problem.
    """
    return Evaluation(problem, bounds(problem), subject.implementation(problem))


def train(
    starts: Mapping[Subject, Evaluation],
    batches: Sequence[Problem],
    steps: int,
    columns: Sequence[int],
    budget: float,
) -> Training:
    """All subjects, side by side, for `steps` steps over the batches in turn.

    `starts` has each subject's evaluation of the first batch. After each step W is held against
    the exact trajectory while `budget` lasts, manual and twin of one form against each other
    always, and the cost of the step's own batch against its fall.

    Shapes  batches share W (D, K).
    Source  descent's derivations.
    """
    W = batches[0].W
    trajectories = {
        s.name: Trajectory(s, W, np.zeros(W.shape[1]), here) for s, here in starts.items()
    }
    factors = [
        descent.stretch(b.h, descent.smoothness(b)) if steps > 1 else np.ones(W.shape[1])
        for b in batches
    ]
    exact = truth.trajectory(batches, columns, budget) if steps > 1 else iter(())
    findings: list[Finding] = []
    enclosed = 0
    for t in range(steps):
        batch, factor = batches[t % len(batches)], factors[t % len(batches)]
        W_exact = next(exact, None)
        enclosed += W_exact is not None
        for trajectory in trajectories.values():
            if not trajectory.left:
                goes_on = t + 1 < steps and len(batches) == 1
                findings += _step(trajectory, batch, factor, t, goes_on)
        if W_exact is not None:
            findings += _off_the_truth(trajectories, W_exact, columns, t)
        findings += apart(trajectories, t)
        if findings:  # later steps would only repeat it
            break
    return Training(trajectories, tuple(findings), enclosed)


def trained(
    candidate: Candidate, batches: Sequence[Problem], steps: int, columns: Sequence[int],
    budget: float, own_step: bool = True,
) -> Iterator[Finding]:  # fmt: skip
    """Its trajectory and the fall of its cost; W_next by the update rule if it gives none.

    Without an `own_step` what goes wrong with W_next is its gradient's.

    Shapes  batches share W (D, K).
    """
    subject = Subject(f"candidate {candidate.name}", candidate.chain, "wider")
    try:
        starts = {subject: evaluated(subject, batches[0])}
        for finding in train(starts, batches, steps, columns, budget).findings:
            moved = finding.link == "W_next" and not own_step
            yield replace(finding, link="dC_dW") if moved else finding
    except CandidateError as error:
        yield Finding("exception", Verdict.FAIL, str(error), subject.name)


def _step(
    trajectory: Trajectory, batch: Problem, factor: Array, t: int, goes_on: bool
) -> list[Finding]:
    """One step of one subject: its chain, its drift, and the fall of the cost."""
    subject, form, here = trajectory.subject, trajectory.subject.form, trajectory.here
    if here is None or here.chain is None or here.problem.X is not batch.X:
        here = evaluated(subject, replace(batch, W=trajectory.W))
    chain = here.chain or Chain()
    if not here.holds(form):
        trajectory.left = True
        return [leaves(subject, t)]
    if np.shape(chain.W_next) != trajectory.W.shape or not np.isfinite(chain.W_next).all():
        trajectory.left = True
        message = f"W_next is unusable after step {t + 1}"
        return [Finding("trajectory", Verdict.FAIL, message, subject.name, "W_next")]
    trajectory.W = np.asarray(chain.W_next, batch.dtype)
    trajectory.drift = descent.drift(trajectory.drift, factor, here.bounds[form].W_next)
    limits = here.bounds.at(trajectory.W)
    there = subject.implementation(limits.problem) if goes_on else None
    trajectory.here = at = Evaluation(limits.problem, limits, there)
    if not at.bounds.cost_fits:
        trajectory.left = True
        return [beyond_the_dtype(subject, t)]
    told = chain.dC_dW is not None and at.cost_holds(form)
    return list(_fall(trajectory, here, chain, at, t)) if told else []


def _fall(
    trajectory: Trajectory, here: Evaluation, chain: Chain, at: Evaluation, t: int
) -> Iterator[Finding]:
    """The fall from `here`, where the subject gave `chain`, to `at`."""
    form = trajectory.subject.form
    (C, bound_C), (C_next, bound_C_next) = here.cost(form), at.cost(form)
    bound = replace(here.bounds[form], C=bound_C)
    moved = here.bounds.moved(at.bounds)
    fall = descent.fall(here.problem, replace(chain, C=C), C_next, bound, bound_C_next, moved)
    trajectory.steps.append(step_of(fall, C, C_next, t))
    return judged_fall(trajectory.subject, fall, t)


def step_of(fall: descent.Fall, C: float, C_next: float, t: int) -> Step:
    """Step t from C to C_next, with what that may be."""
    return Step(t + 1, C, C_next, float(C + fall.lowest), float(C + fall.highest))


def thinned(steps: Sequence[Step]) -> tuple[Step, ...]:
    """At most _SHOWN of them at even distances, with the last."""
    apart = -(-len(steps) // _SHOWN)
    return tuple(steps[::-1][:: max(apart, 1)][::-1])


def leaves(subject: Subject, t: int) -> Finding:
    """That a form's bounds hold no longer where W has come to."""
    message = f"W leaves the domain of the {subject.form} form at step {t + 1}"
    return Finding("post_form", Verdict.CANNOT_JUDGE, message, subject.name)


def beyond_the_dtype(subject: Subject, t: int) -> Finding:
    """That a step ends where C, or what it may fall by, is beyond the dtype."""
    message = f"step {t + 1} is so long that C, or what it may fall by, is beyond the dtype"
    return Finding("range", Verdict.CANNOT_JUDGE, message, subject.name, "W_next")


def judged_fall(subject: Subject, fall: descent.Fall, t: int) -> Iterator[Finding]:
    """A finding where C went neither as far nor as little as it may, or where that is too far."""
    if not fall.in_range:
        yield beyond_the_dtype(subject, t)
    elif not fall.holds:
        message = (
            f"step {t + 1} changes C by {fall.found:.6g}; convexity and smoothness allow"
            f" {fall.lowest:.6g} to {fall.highest:.6g}"
        )
        yield Finding("descent", Verdict.FAIL, message, subject.name, "W_next")


def _off_the_truth(
    trajectories: Mapping[str, Trajectory], W_exact: truth.Enclosure, columns: Sequence[int], t: int
) -> Iterator[Finding]:
    for trajectory in trajectories.values():
        if not trajectory.left:
            away = descent.length(W_exact.error(trajectory.W[:, list(columns)]))
            drift = trajectory.drift[list(columns)]
            yield from _too_far(trajectory.subject.name, "the exact trajectory", away, drift, t)


def apart(trajectories: Mapping[str, Trajectory], t: int) -> Iterator[Finding]:
    """Manual against twin of the same form, every column: each may be off by its own drift."""
    together = [p for p in trajectories.values() if not p.left]
    for one, other in pairwise(together):
        if one.subject.form == other.subject.form:
            apart = descent.length(np.asarray(one.W, np.float64) - other.W)
            name, drift = other.subject.name, one.drift + other.drift
            yield from _too_far(one.subject.name, name, apart, drift, t)


def _too_far(name: str, what: str, away: Any, drift: Any, t: int) -> Iterator[Finding]:
    if not (away <= drift * EVALUATION).all():
        k = int(np.argmax(away / drift))
        message = (
            f"after step {t + 1} column {k} of W is {away[k]:.3g} from {what}; rounding explains"
            f" {drift[k]:.3g}"
        )
        yield Finding("trajectory", Verdict.FAIL, message, name, "W_next")


class Loss(NamedTuple):
    """C where a subject went, to twice float64's digits, and how uncertain it is.

    Units   nats a row. `radius` of the value itself; `spread` of the value on the exact trajectory;
            `printed` of what any correct program prints there.
    """

    C: float
    rest: float
    radius: float
    spread: float
    printed: float

    def minus(self, other: Loss) -> float:
        return (self.C - other.C) + (self.rest - other.rest)


def mean(parts: Sequence[tuple[float, Loss]]) -> Loss:
    """The C of all rows, from (share of the rows, C of the share)."""
    made = Loss(*(math.fsum(share * part[i] for share, part in parts) for i in range(5)))
    rounding = (len(parts) + 2) * 2.0**-53 * abs(made.C)
    radius, spread, printed = (r + rounding for r in (made.radius, made.spread, made.printed))
    return made._replace(radius=radius, spread=spread, printed=printed)


def loss(at: Evaluation, drift: Array, exact: truth.Enclosure | None) -> Loss:
    """C of all rows where a stable form was evaluated, at weights within `drift` of the exact ones.

    `exact` is the enclosed C there, None where no truth can be afforded.

    Shapes  drift (K,).
    Units   nats a row.
    Source  Taylor and the trace bound of L_k; and the bound of C.
    """
    bound_C = at.bounds.C("wider")
    if exact:
        C, rest, rad = float(exact.hi), float(exact.lo), float(exact.rad)
    else:
        (C, rad), rest = map(float, at.bounds.cost()), 0.0
    spread = rad + (_spread(at, drift) if drift.any() else 0.0)
    return Loss(C, rest, rad, spread, 2 * spread + bound_C)


def _spread(at: Evaluation, drift: Array) -> float:
    """sum_k |g_k| drift_k + L_k drift_k^2 / 2, with |g_k| <= sum_n |x_n||dC_dy_nk|."""
    rows = descent.row_lengths(at.problem)
    g, L = rows @ at.bounds.largest_dC_dy, descent.trace(rows, at.problem.P)
    return float(np.sum(g * drift + L * drift * drift / 2))
