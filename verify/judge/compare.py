"""One link of one subject against a bound: the figure, and the finding when it does not hold."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from verify.judge.result import Figure, Finding, Verdict
from verify.network import manual
from verify.network.bounds import Bounds, bounds
from verify.network.composed import Composed
from verify.network.problem import Chain, Implementation, Problem
from verify.network.truth import Truth, fits, sampled, truth


@dataclass(frozen=True)
class Subject:
    """An implementation under judgement, and the form whose bound it must keep."""

    name: str
    implementation: Implementation
    form: str


@dataclass(frozen=True, eq=False)
class Reference:
    """What a problem's answers are held against; made once for all subjects.

    `truth` is None where no work may be spent on it, or more than there is would be needed: then
    `sample` is that of a batch of some of the rows, `rows`, with its own truth.
    """

    problem: Problem
    bounds: Bounds | Composed
    truth: Truth | None
    sample: Reference | None = None
    rows: Sequence[int] = ()

    @cached_property
    def manual(self) -> Chain:
        """What manual's stable form gives."""
        with np.errstate(all="ignore"):
            return manual.stable(self.problem)

    @property
    def lead(self) -> Chain | None:
        """Manual's answer, where the truth leaves something out."""
        return None if self.truth is not None else self.manual


def evaluate(subject: Subject, problem: Problem) -> tuple[Chain, Finding | None]:
    """The subject's chain; where it raises, none of its links, and what it raised.

    Shapes  as Problem and Chain.
    """
    try:
        return subject.implementation(problem), None
    except Exception as error:  # a subject may raise anything, and that is what is found
        return Chain(), Finding("exception", Verdict.FAIL, raised(error), subject.name)


def raised(error: Exception) -> str:
    """An exception with the line that it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}: {error}"


def reference(problem: Problem, budget: float) -> Reference:
    """The bounds of a problem and, for a budget above 0, its truth, or that of some rows."""
    found = bounds(problem)
    if budget <= 0:
        return Reference(problem, found, None)
    if fits(problem, budget):
        return Reference(problem, found, truth(problem, found.stable))
    rows = sampled(problem, budget)
    some = problem.rows(list(rows))
    within = bounds(some)
    sample = Reference(some, within, truth(some, within.stable))
    return Reference(problem, found, None, sample, rows)


def against_truth(name: str, chain: Chain, ref: Reference, bound: Chain) -> list[Figure]:
    """A figure for every link that has its shape and that the truth encloses.

    Shapes  as Problem.shape.
    """
    if ref.truth is None:
        return []
    figures = []
    for link, found in chain.items():
        if link in ref.truth.chain and np.shape(found) == ref.problem.shape(link):
            ball = ref.truth.chain[link]
            held = _Held(found, ball.hi, ball.error_within(found, bound[link]), bound[link])
            figures.append(_figure(name, link, held, ref.problem))
    return figures


def against_each_other(sides: Mapping[str, Chain], ref: Reference, bound: Chain) -> list[Figure]:
    """A figure for every link that both of two give, by their names.

    Each is within its bound of the truth, so together they are within two.
    """
    first, second = sides.values()
    shared = [link for link in first if link in second and link in bound]
    pairs = ((link, first[link], second[link]) for link in shared)
    figures = []
    for link, one, other in pairs:
        with np.errstate(all="ignore"):
            error = np.abs(np.subtract(one, other, dtype=np.float64))
        held = _Held(one, other, error, bound[link])
        figures.append(_figure(" against ".join(sides), link, held, ref.problem, sides=2))
    return figures


def misshapen(name: str, chain: Chain, problem: Problem) -> Iterator[Finding]:
    """Links whose shape or dtype is not the problem's; nothing else is asked of those."""
    for link, found in chain.items():
        shape, dtype = np.shape(found), getattr(found, "dtype", type(found).__name__)
        if shape != problem.shape(link):
            wanted = problem.shape(link)
            turned = " Is it transposed?" if shape == wanted[::-1] else ""
            kept = " Is it a sum with keepdims?" if shape == (1, *wanted) else ""
            message = f"{link} has shape {shape}; expected {wanted}.{turned}{kept}"
            yield Finding("shape", Verdict.FAIL, message, name, link)
        elif dtype != problem.dtype:
            message = f"{link} has dtype {dtype}; expected {problem.dtype}"
            yield Finding("dtype", Verdict.FAIL, message, name, link)


def broken(check: str, figures: Sequence[Figure]) -> Iterator[Finding]:
    """A finding for every figure beyond its bound; NaN is beyond every bound."""
    for figure in figures:
        if not figure.holds:
            what = "is not finite" if not np.isfinite(figure.found) else "is beyond its bound"
            message = f"{figure.link} {what}: error / bound {figure.ratio:.3g}, limit 1"
            yield Finding(check, Verdict.FAIL, message, figure.subject, figure.link, figure)


def resolution(bound: Mapping[str, Any], gradients: Mapping[str, Any]) -> float:
    """The smallest relative error of one entry of a gradient that is beyond its bound, min B / |g|.

    Of several gradients, of the one in which least is noticed; one that is 0 throughout, where
    another is not, says nothing.

    Shapes  each bound that of its gradient.
    """
    seen = []
    for link, g in gradients.items():
        with np.errstate(all="ignore"):
            ratio = bound[link] / np.abs(np.asarray(g, np.float64))
        seen.append(float(np.nanmin(ratio, initial=np.inf)))
    told = [s for s, g in zip(seen, gradients.values(), strict=True) if np.any(g)]
    return max(told or seen, default=math.nan)


def held(name: str, link: str, found: Any, right: Any, bound: Any, problem: Problem) -> Figure:
    """The figure of a link held against what is right within a bound.

    Shapes  found, right, bound: those of the link.
    """
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(found, right, dtype=np.float64))
    return _figure(name, link, _Held(found, right, error, bound), problem)


class _Held(NamedTuple):
    """A link held against the truth, or against another's: all of one shape."""

    found: Any
    truth: Any
    error: Any
    bound: Any


def _figure(name: str, link: str, held: _Held, problem: Problem, sides: int = 1) -> Figure:
    """The worst entry of what may be off by the bound on each of some sides.

    An infinite bound judges nothing; a NaN error is worse than any number.
    """
    with np.errstate(all="ignore"):
        # An error of 0 is none, where nothing may be off.
        ratio = np.where(np.equal(held.error, 0), 0.0, np.asarray(held.error / held.bound))
        worst = int(np.argmax(ratio))  # of a NaN, if there is one
        if np.isnan(ratio.flat[worst]):
            ratio = np.where(np.isinf(held.bound), 0.0, ratio)
            worst = int(np.argmax(ratio))
        entry = tuple(int(i) for i in np.unravel_index(worst, ratio.shape))
        found, truth, error, bound = (float(np.asarray(a)[entry]) for a in held)
        ulp = float(np.spacing(problem.dtype.type(abs(truth))))
    share = float(ratio[entry]) / sides
    return Figure(name, link, entry, found, truth, error, sides * bound, share, error / ulp)
