"""What happens over the steps: where W goes, how C falls at each, and C before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from verify import descent, manual, truth
from verify.bounds import Bounds, bounds
from verify.chain import Array, Chain, Problem
from verify.compare import Subject
from verify.result import Finding, Verdict

_EVALUATION = 1 + 1e-9


@dataclass
class Path:
    """Where one subject's W is after some steps.

    Shapes  W (D, K); drift (K,): how far each column may be from the exact trajectory.
    """

    subject: Subject
    W: Array
    drift: Array
    losses: list[float] = field(default_factory=list)
    left: bool = False  # followed no further: out of its form's domain, or unusable


@dataclass(frozen=True, eq=False)
class Training:
    """The paths by subject, what was found on the way, and how many steps the truth went along."""

    paths: Mapping[str, Path]
    findings: tuple[Finding, ...]
    enclosed: int


def train(
    subjects: Sequence[Subject],
    batches: Sequence[Problem],
    steps: int,
    columns: Sequence[int],
    budget: float,
) -> Training:
    """All subjects, side by side, for `steps` steps over the batches in turn.

    After each step W is held against the exact trajectory while `budget` lasts, manual and twin of
    one form against each other always, and the cost of the step's own batch against its fall.

    Shapes  batches share W (D, K).
    Source  descent's derivations.
    """
    K = batches[0].W.shape[1]
    paths = {s.name: Path(s, batches[0].W, np.zeros(K)) for s in subjects}
    factors = [descent.stretch(batch) if steps > 1 else np.ones(K) for batch in batches]
    exact = truth.trajectory(batches, columns, budget) if steps > 1 else iter(())
    findings: list[Finding] = []
    enclosed = 0
    for t in range(steps):
        batch, factor = batches[t % len(batches)], factors[t % len(batches)]
        W_exact = next(exact, None)
        enclosed += W_exact is not None
        for path in paths.values():
            if not path.left:
                findings += _step(path, batch, factor, t)
        if W_exact is not None:
            findings += _off_the_truth(paths, W_exact, columns, t)
        findings += _apart(paths, t)
        if findings:  # later steps would only repeat it
            break
    return Training(paths, tuple(findings), enclosed)


def _step(path: Path, batch: Problem, factor: Array, t: int) -> list[Finding]:
    """One step of one subject: its chain, its drift, and the fall of the cost."""
    subject, problem = path.subject, replace(batch, W=path.W)
    limits = bounds(problem)
    if not limits.fits or (subject.form == "post" and not limits.post_holds):
        path.left = True
        message = f"W leaves the domain of the {subject.form} form at step {t + 1}"
        return [Finding("post_form", Verdict.CANNOT_JUDGE, message, subject.name)]
    chain = subject.implementation(problem)
    if np.shape(chain.W_next) != path.W.shape or not np.isfinite(chain.W_next).all():
        path.left = True
        message = f"W_next is unusable after step {t + 1}"
        return [Finding("trajectory", Verdict.FAIL, message, subject.name, "W_next")]
    path.W = np.asarray(chain.W_next, batch.dtype)
    path.drift = descent.drift(path.drift, factor, limits[subject.form].W_next)
    path.losses.append(float(chain.C))
    return list(_fall(subject, problem, chain, limits, t))


def _fall(
    subject: Subject, problem: Problem, chain: Chain, limits: Bounds, t: int
) -> Iterator[Finding]:
    after = replace(problem, W=np.asarray(chain.W_next, problem.dtype))
    limits_after = bounds(after)
    if not limits_after.fits or (subject.form == "post" and not limits_after.post_holds):
        return
    C_next = float(subject.implementation(after).C)
    bound, bound_C_next = limits[subject.form], float(limits_after[subject.form].C)
    fall = descent.fall(problem, chain, C_next, bound, bound_C_next)
    if not fall.holds:
        message = (
            f"step {t + 1} changes C by {fall.found:.6g}; convexity and smoothness allow"
            f" {fall.lowest:.6g} to {fall.highest:.6g}"
        )
        yield Finding("descent", Verdict.FAIL, message, subject.name, "W_next")


def _off_the_truth(
    paths: Mapping[str, Path], W_exact: truth.Enclosure, columns: Sequence[int], t: int
) -> Iterator[Finding]:
    for path in paths.values():
        if not path.left:
            away = np.linalg.norm(W_exact.error(path.W[:, list(columns)]), axis=0)
            drift = path.drift[list(columns)]
            yield from _too_far(path.subject.name, "the exact trajectory", away, drift, t)


def _apart(paths: Mapping[str, Path], t: int) -> Iterator[Finding]:
    """Manual against twin of the same form, every column: each may be off by its own drift."""
    together = [p for p in paths.values() if not p.left]
    for one, other in pairwise(together):
        if one.subject.form == other.subject.form:
            apart = np.linalg.norm(np.asarray(one.W, np.float64) - other.W, axis=0)
            name, drift = other.subject.name, one.drift + other.drift
            yield from _too_far(one.subject.name, name, apart, drift, t)


def _too_far(name: str, what: str, away: Any, drift: Any, t: int) -> Iterator[Finding]:
    if not (away <= drift * _EVALUATION).all():
        k = int(np.argmax(away / drift))
        message = (
            f"after step {t + 1} column {k} of W is {away[k]:.3g} from {what}; rounding explains"
            f" {drift[k]:.3g}"
        )
        yield Finding("trajectory", Verdict.FAIL, message, name, "W_next")


@dataclass(frozen=True)
class Loss:
    """C at some weights, to twice float64's digits; how far off the exact one, and a printed one.

    Units   nats a row.
    """

    C: float
    rest: float
    spread: float
    printed: float

    def minus(self, other: Loss) -> float:
        return (self.C - other.C) + (self.rest - other.rest)


def loss(problem: Problem, W: Array, drift: Array, budget: float) -> Loss:
    """C of all rows at weights that lie within `drift` of the exact ones.

    Shapes  W (D, K), drift (K,).
    Units   nats a row.
    Source  |C(W) - C(W*)| <= sum_k |g_k| drift_k + L_k drift_k^2 / 2, and the bound of C.
    """
    here = replace(problem, W=W)
    limits = bounds(here)
    chain = manual.stable_form(here)
    exact = truth.cost(problem, W, budget) if budget > 0 else None
    bound_C = float(limits.wider().C)
    C, rest, rad = float(chain.C), 0.0, bound_C
    if exact:
        C, rest, rad = float(exact.hi), float(exact.lo), float(exact.rad)
    X, P = np.asarray(problem.X, np.float64), np.asarray(problem.P, np.float64)
    L = np.sum(X * X, axis=1) @ P / (4 * len(X))
    g = np.linalg.norm(np.abs(chain.dC_dW) + limits.stable.dC_dW, axis=0)
    spread = rad + float(np.sum(g * drift + L * drift**2 / 2))
    return Loss(C, rest, spread, 2 * spread + bound_C)
