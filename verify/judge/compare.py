"""One link of one subject against a bound: the figure, and the finding when it does not hold."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from verify.judge.result import Figure, Finding, Verdict
from verify.network.bounds import Bounds, bounds
from verify.network.problem import SHAPES, Chain, Implementation, Problem
from verify.network.truth import Truth, truth


@dataclass(frozen=True)
class Subject:
    """An implementation under judgement, and the form whose bound it must keep."""

    name: str
    implementation: Implementation
    form: str


@dataclass(frozen=True, eq=False)
class Reference:
    """What a problem's answers are held against; made once for all subjects.

    `truth` is None where no work may be spent on it.
    """

    problem: Problem
    bounds: Bounds
    truth: Truth | None

    @property
    def columns(self) -> Sequence[int]:
        """The columns of W that the truth follows; all where there is none."""
        return self.truth.columns if self.truth else range(self.problem.sizes["K"])


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
    """The bounds of a problem and, for a budget above 0, its truth."""
    found = bounds(problem)
    return Reference(problem, found, truth(problem, found.stable, budget) if budget > 0 else None)


def against_truth(name: str, chain: Chain, ref: Reference, bound: Chain) -> list[Figure]:
    """A figure for every link that has its shape and that the truth encloses.

    Shapes  as SHAPES; of the truth's columns only, where the truth is a sample.
    """
    if ref.truth is None:
        return []
    enclosed, columns = dict(ref.truth.chain), list(ref.truth.columns)
    figures = []
    for link, found in chain.items():
        if link in enclosed and np.shape(found) == ref.problem.shape(link):
            limit, ball = getattr(bound, link), enclosed[link]
            sampled = not ref.truth.whole and SHAPES[link]
            value, limit = (found[:, columns], limit[:, columns]) if sampled else (found, limit)
            held = _Held(value, ball.hi, ball.error(value), limit)
            worst = _figure(name, link, held, ref.problem)
            figures.append(_unsampled(worst, columns) if sampled else worst)
    return figures


def against_each_other(sides: Mapping[str, Chain], ref: Reference, bound: Chain) -> list[Figure]:
    """A figure for every link that both of two give, by their names.

    Each is within its bound of the truth, so together they are within two.
    """
    first, second = (dict(chain) for chain in sides.values())
    pairs = ((link, first[link], second[link]) for link in first if link in second)
    figures = []
    for link, one, other in pairs:
        with np.errstate(all="ignore"):
            error = np.abs(np.subtract(one, other, dtype=np.float64))
        held = _Held(one, other, error, getattr(bound, link))
        figures.append(_figure(" against ".join(sides), link, held, ref.problem, sides=2))
    return figures


def misshapen(name: str, chain: Chain, problem: Problem) -> Iterator[Finding]:
    """Links whose shape or dtype is not the problem's; nothing else is asked of those."""
    for link, found in chain.items():
        shape, dtype = np.shape(found), getattr(found, "dtype", type(found).__name__)
        if shape != problem.shape(link):
            turned = " Is it transposed?" if shape == problem.shape(link)[::-1] else ""
            message = f"{link} has shape {shape}; expected {problem.shape(link)}.{turned}"
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


def resolution(bound: Chain, gradient: Any) -> float:
    """The smallest relative error of one entry of dC_dW that is beyond its bound: min B / |g|.

    Shapes  dC_dW and gradient (D, K).
    """
    with np.errstate(all="ignore"):
        ratio = bound.dC_dW / np.abs(np.asarray(gradient, np.float64))
    return float(np.nanmin(ratio, initial=np.inf))


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
        ratio = np.asarray(held.error / held.bound)
        worst = int(np.argmax(ratio))  # of a NaN, if there is one
        if np.isnan(ratio.flat[worst]):
            ratio = np.where(np.isinf(held.bound), 0.0, ratio)
            worst = int(np.argmax(ratio))
        entry = tuple(int(i) for i in np.unravel_index(worst, ratio.shape))
        found, truth, error, bound = (float(np.asarray(a)[entry]) for a in held)
        ulp = float(np.spacing(problem.dtype.type(abs(truth))))
    share = float(ratio[entry]) / sides
    return Figure(name, link, entry, found, truth, error, sides * bound, share, error / ulp)


def _unsampled(figure: Figure, columns: Sequence[int]) -> Figure:
    row, column = figure.entry
    return replace(figure, entry=(row, columns[column]))
