"""The exact chain, as enclosures: ball arithmetic (Arb) around the real numbers themselves.

The truth belongs to the exact values of X, W, P and h after conversion to the dtype. Every link is
enclosed by a ball that provably contains it, so that a verdict never rests on a second rounding.

Source  F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
        IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from verify.network.problem import LINKS, SHAPES, Chain, Problem
from verify.numbers.rounding import Array

BUDGET = 2**24  # in multiplications at 106 bits: about half a second
_BITS = (106, 212, 424, 848, 1696)
_FAR_INSIDE = 2.0**-10  # an enclosure may use up this share of a bound
_FUNCTIONS = 200  # what exp, log1p and three divisions cost, in multiplications
_CONVERSION = 11  # what making a ball of a float costs, in multiplications


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Balls around real numbers: midpoints `hi + lo`, to twice float64's digits, and radii `rad`.

    Shapes  hi, lo, rad: those of the link.
    """

    hi: Any
    lo: Any
    rad: Any

    def error(self, found: Any) -> Any:
        """An upper bound of |found - truth|; NaN where found is NaN."""
        with np.errstate(all="ignore"):
            return np.abs((np.asarray(found, np.float64) - self.hi) - self.lo) + self.rad

    def nearest(self) -> Any:
        """The float64 nearest to each number; NaN where the ball does not tell."""
        with np.errstate(all="ignore"):
            low, high = (self.hi + (self.lo + end) for end in (-self.rad, self.rad))
        return np.where(low == high, low + 0.0, np.nan)

    def columns(self, columns: Sequence[int]) -> Enclosure:
        return Enclosure(*(a[:, list(columns)] for a in (self.hi, self.lo, self.rad)))


@dataclass(frozen=True, eq=False)
class Truth:
    """The enclosed links of the given columns of W; C only when no column is left out."""

    chain: Chain
    columns: tuple[int, ...]
    whole: bool
    bits: int


def truth(
    problem: Problem,
    within: Chain | None = None,
    budget: float = BUDGET,
    links: Sequence[str] = LINKS,
) -> Truth:
    """The given links of the exact chain; above `budget`, of evenly spaced whole columns.

    Precision is raised until each radius is 2^-10 of the bound given by `within`.

    Shapes  Enclosures of SHAPES, with K replaced by the number of columns.
    Source  the post's formulas, with e = exp(-|y|), which never cancels.
    """
    N, D, K = problem.sizes.values()
    affordable = (budget - _CONVERSION * N * D) // _column_work(problem)
    count = int(min(K, max(1, affordable)))
    columns = tuple(int(k) for k in np.linspace(0, K - 1, count).round())
    for bits in _BITS:
        with _precision(bits):
            exact = _Exact(problem, columns)
            chain = exact.chain(_matrix(problem.W[:, list(columns)]), problem.h, links)
        found = Truth(chain, columns, count == K, bits)
        if within is None or _is_far_inside(found, within):
            break
    return found


def cost(problem: Problem, budget: float = BUDGET) -> Enclosure | None:
    """The exact C alone; None when that costs more than `budget`.

    Shapes  ().
    Units   nats a row.
    Source  the post's formula.
    """
    if not fits(problem, budget):
        return None
    with _precision(_BITS[0]):
        exact = _Exact(problem, range(problem.sizes["K"]))
        return _enclose([exact.cost(exact.activations(_matrix(problem.W)))], ())


def fits(problem: Problem, budget: float = BUDGET) -> bool:
    """Whether the whole truth of a problem costs no more than `budget`.

    Shapes  as Problem.
    """
    return work(problem) <= budget


def work(problem: Problem) -> float:
    """What the whole truth of a problem costs.

    Shapes  as Problem.
    Units   multiplications at 106 bits.
    """
    N, D, K = problem.sizes.values()
    return float(_CONVERSION * N * D + K * _column_work(problem))


def losses_fit(
    batches: Sequence[Problem], rows: Problem, steps: int, budget: float = BUDGET
) -> bool:
    """Whether the exact costs before and after some steps cost no more than `budget`.

    Shapes  as Problem.
    """
    N, D, K = rows.sizes.values()
    work = sum(_column_work(batches[t % len(batches)]) for t in range(steps))
    return bool(_CONVERSION * N * D + K * (work + 2 * _column_work(rows)) <= budget)


def nearest_chain(problem: Problem, budget: float = BUDGET) -> Chain | None:
    """Every link as the float64 nearest to each exact number; None when that exceeds `budget`.

    Shapes  SHAPES.
    Source  the post's formulas.
    """
    if not fits(problem, budget):
        return None
    K = problem.sizes["K"]

    def links() -> Mapping[str, list[Any]]:
        return _Exact(problem, range(K)).links(_matrix(problem.W), problem.h)

    nearest = _nearest(links)
    return Chain(**{link: np.array(v).reshape(problem.shape(link)) for link, v in nearest.items()})


def losses(
    batches: Sequence[Problem], rows: Problem, steps: int, budget: float = BUDGET
) -> tuple[float, float] | None:
    """C of all `rows` before the first of some exact steps and after the last, as nearest float64.

    Step t uses batch t modulo their number. None when it exceeds `budget`.

    Units   nats a row.
    Source  the post's update rule.
    """
    if not losses_fit(batches, rows, steps, budget):
        return None
    K = rows.sizes["K"]

    def before_and_after() -> Mapping[str, list[Any]]:
        every = _Exact(rows, range(K))
        exact = [_Exact(batch, range(K)) for batch in batches[:steps]]
        W = first = _matrix(rows.W)
        for t in range(steps):
            W = exact[t % len(batches)].update(W, rows.h)
        return {"C": [every.cost(every.activations(at)) for at in (first, W)]}

    before, after = _nearest(before_and_after)["C"]
    return before, after


def _nearest(links: Callable[[], Mapping[str, list[Any]]]) -> dict[str, list[float]]:
    """What some balls enclose, as nearest float64; made anew with more bits until that is clear."""
    for bits in _BITS:
        with _precision(bits):
            ends = {name: [(_float(b.lower()), _float(b.upper())) for b in balls]
                    for name, balls in links().items()}  # fmt: skip
        if all(low == high for pairs in ends.values() for low, high in pairs):
            break
    # What is not clear with all bits lies on the border of two floats; either is as near.
    return {name: [low for low, _ in pairs] for name, pairs in ends.items()}


def _float(exact: Any) -> float:
    """The float64 nearest to an exact number, ties to even; infinite beyond them all."""
    if not exact.is_finite():
        return float(exact)
    significand, exponent = (int(n) for n in exact.man_exp())
    size, sign = significand.bit_length() + exponent, -1 if significand < 0 else 1
    if not -1200 < size <= 1024:
        return sign * (0.0 if size < 0 else math.inf)
    try:
        return float(Fraction(significand) * Fraction(2) ** exponent)
    except OverflowError:
        return sign * math.inf


class _Exact:
    """X and some columns of P as balls, ready for any W."""

    def __init__(self, problem: Problem, columns: Sequence[int]) -> None:
        self.X = _matrix(problem.X)
        self.X_T = self.X.transpose()
        self.N, self.k = len(problem.X), len(columns)
        self.whole = self.k == problem.W.shape[1]
        self.P = [flint.arb(p) for p in problem.P[:, list(columns)].ravel().tolist()]

    def activations(self, W: Any) -> list[tuple[Any, Any, Any, Any]]:
        """(y, y_o, 1 - y_o, log y_o) of every entry, rows first."""
        return [(y, *_sigmoid(y)) for y in (self.X * W).entries()]

    def cost(self, activations: list[tuple[Any, Any, Any, Any]]) -> Any:
        terms = (p * a[3] for p, a in zip(self.P, activations, strict=True))
        return -sum(terms, flint.arb(0)) / self.N

    def gradient(self, activations: list[tuple[Any, Any, Any, Any]]) -> tuple[list[Any], Any]:
        """dC_dy = -p (1 - y_o) / N, entry by entry, and dC_dW = X^T dC_dy."""
        dC_dy = [-p * a[2] / self.N for p, a in zip(self.P, activations, strict=True)]
        return dC_dy, self.X_T * flint.arb_mat(self.N, self.k, dC_dy)

    def update(self, W: Any, h: Any) -> Any:
        return W - self.gradient(self.activations(W))[1] * flint.arb(float(h))

    def chain(self, W: Any, h: Any, links: Sequence[str]) -> Chain:
        sizes = {"N": self.N, "D": W.nrows(), "K": self.k}
        return Chain(
            **{
                link: _enclose(balls, tuple(sizes[axis] for axis in SHAPES[link]))
                for link, balls in self.links(W, h, links).items()
            }
        )

    def links(self, W: Any, h: Any, wanted: Sequence[str] = LINKS) -> dict[str, list[Any]]:
        """The entries of links, row by row; C only when no column is left out."""
        entries = self.activations(W)
        dC_dy, dC_dW = self.gradient(entries)
        made: Mapping[str, Callable[[], list[Any]]] = {
            "y": lambda: [a[0] for a in entries],
            "y_o": lambda: [a[1] for a in entries],
            "C": lambda: [self.cost(entries)],
            "dC_dy_o": lambda: [-p / a[1] / self.N for p, a in zip(self.P, entries, strict=True)],
            "dy_o_dy": lambda: [a[1] * a[2] for a in entries],
            "dC_dy": lambda: dC_dy,
            "dC_dW": dC_dW.entries,
            "W_next": (W - dC_dW * flint.arb(float(h))).entries,
        }
        return {link: made[link]() for link in wanted if link != "C" or self.whole}


def _sigmoid(y: Any) -> tuple[Any, Any, Any]:
    """(sigma(y), sigma(-y), log sigma(y)); both branches hold for either sign."""
    if y.mid() >= 0:
        e = (-y).exp()
        d = 1 / (1 + e)
        return d, e * d, -e.log1p()
    e = y.exp()
    d = 1 / (1 + e)
    return e * d, d, y - e.log1p()


def _column_work(problem: Problem) -> int:
    return int(problem.X.shape[0] * (2 * problem.X.shape[1] + _FUNCTIONS))


def _is_far_inside(truth: Truth, within: Chain) -> bool:
    for link, ball in truth.chain.items():
        bound = within[link]
        if np.ndim(bound):
            bound = bound[:, list(truth.columns)]
        judged = np.isfinite(bound)
        if not (ball.rad <= _FAR_INSIDE * bound)[judged].all():
            return False
    return True


def _matrix(A: Array) -> Any:
    return flint.arb_mat(A.shape[0], A.shape[1], A.ravel().tolist())


def _enclose(balls: Sequence[Any], shape: tuple[int, ...]) -> Enclosure:
    """hi and lo are roundings of the ball's midpoint; what they can lose goes into rad."""
    hi = [float(b) for b in balls]
    lo = [float(b - h) for b, h in zip(balls, hi, strict=True)]
    rad = np.array([float(b.rad()) for b in balls]) * (1 + 2.0**-50)
    exact = [b.is_exact() and bool(b - h == low) for b, h, low in zip(balls, hi, lo, strict=True)]
    rad += np.where(exact, 0.0, np.abs(lo) * 2.0**-52 + 2.0**-1074)
    return Enclosure(*(np.array(a).reshape(shape) for a in (hi, lo, rad)))


@contextmanager
def _precision(bits: int) -> Iterator[None]:
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before
