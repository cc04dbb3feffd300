"""The exact chain, as enclosures: ball arithmetic (Arb) around the real numbers themselves.

The truth belongs to the exact values of a problem's numbers after conversion to the dtype. Every
link is enclosed by a ball that provably contains it, so that a verdict never rests on a second
rounding. It is the forward formula, differentiated by itself: no derivative that a person derived
is used.

Source  F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
        IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from verify.network.problem import Chain, Problem
from verify.numbers.balls import Balls, enclosed
from verify.numbers.constant import precision
from verify.numbers.rounding import Array

BUDGET = 2**24  # in multiplications at 106 bits: about half a second
_BITS = (106, 212, 424, 848, 1696)
_FAR_INSIDE = 2.0**-10  # an enclosure may use up this share of a bound
_FUNCTIONS = 200  # what an activation, its cost and their derivatives cost, in multiplications
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

    def error_within(self, found: Any, bound: Any) -> Any:
        """The same; where the ball is not far inside a bound, the least that |found - truth| is.

        At a kink that the forward pass hits, but not exactly, no precision tells the side; what
        stays open is held against nobody.
        """
        with np.errstate(all="ignore"):
            error, open_ = self.error(found), self.rad > _FAR_INSIDE * bound
            return np.where(open_, np.maximum(error - 2 * self.rad, 0), error)

    def nearest(self) -> Any:
        """The float64 nearest to each number; NaN where the ball does not tell."""
        with np.errstate(all="ignore"):
            low, high = (self.hi + (self.lo + end) for end in (-self.rad, self.rad))
        return np.where(low == high, low + 0.0, np.nan)


@dataclass(frozen=True, eq=False)
class Truth:
    """Enclosed links, and the precision that they needed."""

    chain: Chain
    bits: int


def truth(
    problem: Problem, within: Chain | None = None, links: Sequence[str] | None = None
) -> Truth:
    """The given links of the exact chain, or all.

    Precision is raised until each radius is 2^-10 of the bound given by `within`.

    Shapes  Enclosures of the links' shapes.
    Source  the network's definitions.
    """
    wanted = problem.network.links if links is None else links
    for bits in _BITS:
        with precision(bits):
            exact = exactly(problem, wanted)
            chain = Chain(**{link: Enclosure(*enclosed(exact[link])) for link in wanted})
        found = Truth(chain, bits)
        if within is None or _is_far_inside(found, within):
            break
    return found


def sampled(problem: Problem, budget: float = BUDGET) -> tuple[int, ...]:
    """Rows at even distances whose truth costs no more than `budget`; one at least.

    Shapes  as Problem.
    """
    N = len(problem.X)
    left = budget - _CONVERSION * sum(a.size for a in problem.parameters.values())
    count = int(min(N, max(1, left // (work(problem) / N))))
    return tuple(int(n) for n in np.linspace(0, N - 1, count).round())


def exactly(
    problem: Problem, links: Sequence[str], parameters: Mapping[str, Balls] | None = None
) -> dict[str, Balls]:
    """Links on balls, in Arb's current precision; at other parameters than the problem's, if given.

    Shapes  those of the links.
    Source  the network's definitions.
    """
    known = {name: Balls.of(a) for name, a in problem.numbers.items()} | dict(parameters or {})
    for step in problem.network.steps_to(links):
        known[step.name] = step.exactly(known)
    return {link: known[link] for link in links}


def cost(problem: Problem, budget: float = BUDGET) -> Enclosure | None:
    """The exact C alone; None when that costs more than `budget`.

    Shapes  ().
    Units   nats a row.
    Source  the network's definitions.
    """
    if not fits(problem, budget):
        return None
    with precision(_BITS[0]):
        return Enclosure(*enclosed(exactly(problem, ["C"])["C"]))


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
    return _conversion(problem) + _products(problem)


def _conversion(problem: Problem) -> float:
    return float(_CONVERSION * problem.X.size)


def _products(problem: Problem) -> float:
    """X W and X^T dC_dy of every layer, from the second on dC_dy W^T; and functions."""
    rows = problem.X.shape[-2]
    weights = [problem.parameters[name] for name in problem.network.weights]
    products = sum(W.size * (2 + (i > 0)) for i, W in enumerate(weights))
    units = sum(W.shape[-1] for W in weights) or problem.P.shape[-1]
    return float(rows * (products + _FUNCTIONS * units))


def losses_fit(
    batches: Sequence[Problem], rows: Problem, steps: int, budget: float = BUDGET
) -> bool:
    """Whether the exact costs before and after some steps cost no more than `budget`.

    Shapes  as Problem.
    """
    products = sum(_products(batches[t % len(batches)]) for t in range(steps))
    return _conversion(rows) + products + 2 * _products(rows) <= budget


def nearest_chain(problem: Problem, budget: float = BUDGET) -> Chain | None:
    """Every link as the float64 nearest to each exact number; None when that exceeds `budget`.

    Shapes  those of the links.
    Source  the network's definitions.
    """
    if not fits(problem, budget):
        return None
    return Chain(**_nearest(lambda: exactly(problem, problem.network.links)))


def losses(
    batches: Sequence[Problem], rows: Problem, steps: int, budget: float = BUDGET
) -> tuple[float, float] | None:
    """C of all `rows` before the first of some exact steps and after the last, as nearest float64.

    Step t uses batch t modulo their number. None when it exceeds `budget`.

    Units   nats a row.
    Source  the network's definitions.
    """
    if not losses_fit(batches, rows, steps, budget):
        return None
    links = rows.network.updates

    def before_and_after() -> dict[str, Balls]:
        at: dict[str, Balls] = {}
        before = exactly(rows, ["C"])["C"]
        for t in range(steps):
            batch = batches[t % len(batches)]
            moved = exactly(batch.having(t=batch.t + t), links, at)
            at = {link.removesuffix("_next"): moved[link] for link in links}
        return {"before": before, "after": exactly(rows, ["C"], at)["C"]}

    found = _nearest(before_and_after)
    return float(found["before"]), float(found["after"])


def _nearest(links: Callable[[], Mapping[str, Balls]]) -> dict[str, Any]:
    """What some balls enclose, as nearest float64; made anew with more bits until that is clear."""
    for bits in _BITS:
        with precision(bits):
            ends = {name: _ends(balls) for name, balls in links().items()}
        if all(np.array_equal(low, high) for low, high in ends.values()):
            break
    # What is not clear with all bits lies on the border of two floats; either is as near.
    return {name: low for name, (low, _) in ends.items()}


def _ends(balls: Balls) -> tuple[Array, Array]:
    flat = balls.entries.ravel().tolist()
    low = np.array([_float(ball.lower()) for ball in flat]).reshape(balls.shape)
    return low, np.array([_float(ball.upper()) for ball in flat]).reshape(balls.shape)


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


def _is_far_inside(truth: Truth, within: Chain) -> bool:
    for link, ball in truth.chain.items():
        bound = within[link]
        judged = np.isfinite(bound)
        if not (ball.rad <= _FAR_INSIDE * bound)[judged].all():
            return False
    return True
