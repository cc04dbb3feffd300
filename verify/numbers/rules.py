"""The rule of each operation on bounded numbers: how it moves with its inputs, how it rounds.

A rule says what an operation gives, how far that moves with the error of each input (the largest
partial derivative within reach, times the error), and its own rounding. The derivation stands in
verify.numbers.bounded; each rule has a hostile test, which it passes and its mutants fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.numbers import sums
from verify.numbers.moves import exact, moved, plus, rounded, same, with_roundings
from verify.numbers.number import ERF, ERFC, erf, erfc, gather, scatter

if TYPE_CHECKING:
    from verify.numbers.bounded import Bounded


# ---- products and quotients


def _is_power_of_two(a: Bounded) -> bool:
    return a.is_exact and a.ndim == 0 and abs(math.frexp(a.value)[0]) == 0.5


def _multiply(a: Bounded, b: Bounded) -> Bounded:
    k = 0 if _is_power_of_two(a) or _is_power_of_two(b) else 1
    return rounded(
        a.value * b.value, (a, lambda e: e * b.most), (b, lambda f: a.most * f), k=k, zero=(a, b)
    )


def _divide(a: Bounded, b: Bounded) -> Bounded:
    k = 0 if _is_power_of_two(b) else 1
    found = rounded(
        a.value / b.value,
        (a, lambda e: e / b.least),
        (b, lambda f: (a.most / b.least) * (f / b.least)),
        k=k,
        zero=(a,),
    )
    return _share(found, a, b) if any(a is term for term in b.terms) else found


def _share(found: Bounded, a: Bounded, b: Bounded) -> Bounded:
    """a / b where b = a + r and a, r >= 0: it moves by (r da - a dr) / b^2, and db = da + dr."""
    rest = a.of(np.maximum(b.value - a.value, 0), _less(b.error, a.error, b.value)).most
    rest, part = rest / b.least, a.most / b.least

    def parts(e: Any, f: Any) -> Any:
        e = 0.0 if e is None else e
        return None if f is None else (rest * e + part * _less(f, e, 0 * f)) / b.least

    share = a.of(found.value, parts(a.inherited, b.inherited))
    share.own = with_roundings(
        a.model, parts(a.own, b.own), 1, found.magnitude, a.model.lost, share
    )
    if not b.whole.all():
        share.inherited, share.own = (
            None if e is None else np.where(b.whole, e, other)
            for e, other in ((share.inherited, found.inherited), (share.own, found.own))
        )
    return share


def _less(whole: Any, part: Any, size: Any) -> Any:
    """What is left of a sum without a part, with what float64 may lose of it."""
    return np.maximum(whole - part, 0) + 2.0**-52 * (size + whole)


# ---- smooth functions of one number


def _unary(
    function: Any, slope: Callable[[Bounded], Any], budget: str | float
) -> Callable[..., Bounded]:
    """The largest slope within reach, and the kernel's budget: a number of u, or its name."""

    def rule(a: Bounded) -> Bounded:
        k = budget if isinstance(budget, float) else getattr(a.model, str(budget))
        return rounded(function(a.value), (a, lambda e: slope(a) * e), k=k)

    return rule


def _normal(a: Bounded) -> Any:
    return 2 / math.sqrt(math.pi) * np.exp(-(a.least**2))


def _sqrt(a: Bounded) -> Bounded:
    """Near 0 the slope is infinite, but no root moves further than the root of the movement."""
    slope = 0.5 / np.sqrt(np.maximum(a.low, 0))
    move = lambda e: np.where(e > 0, np.minimum(slope * e, np.sqrt(e)), e)  # noqa: E731
    return rounded(np.sqrt(a.value), (a, move))


# ---- kinks


def _larger(a: Bounded, b: Bounded, sign: int) -> Bounded:
    """maximum, or minimum: the error of the one that is taken; of both where that is open."""
    a_taken = sign * (a.value - b.value) > a.reach + b.reach
    b_taken = sign * (b.value - a.value) > a.reach + b.reach
    value = np.maximum(a.value, b.value) if sign > 0 else np.minimum(a.value, b.value)
    return exact(value, (a, lambda e: np.where(b_taken, 0.0, e)),
                  (b, lambda f: np.where(a_taken, 0.0, f)))  # fmt: skip


def _largest(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    """max over an axis: it moves no further than the entry that moves furthest."""

    def largest(e: Any) -> Any:
        return np.max(e, axis=axis, keepdims=keepdims)

    return exact(largest(a.value), (a, largest))


def _compared(value: Any, a: Bounded, b: Bounded) -> Bounded:
    """1 or 0, and off by 1 where the errors leave it open; where there are none it is decided."""
    error = a.error + b.error
    off = np.where((np.abs(a.value - b.value) <= 2 * error) & (error > 0), 1.0, 0.0)
    off = np.where(np.isfinite(error), off, np.inf)
    inherited = a.inherited is not None or b.inherited is not None
    own = a.own is not None or b.own is not None
    return a.of(value, off if inherited else None, off if own else None)


def _where(condition: Bounded, a: Bounded, b: Bounded) -> Bounded:
    """The branch that is taken; where that is open, either, and what lies between them besides."""
    taken = condition.value > 0
    value = np.where(taken, a.value, b.value)
    if condition.is_exact:
        return exact(
            value, (a, lambda e: np.where(taken, e, 0)), (b, lambda f: np.where(taken, 0, f))
        )

    open_ = condition.error > 0
    between = np.abs(a.value - b.value) + 2 * (a.error + b.error)
    flips = moved((condition, lambda e: np.where(e > 0, np.where(e < np.inf, between, e), 0.0)))

    def either(e: Any, f: Any) -> Any:
        e, f = (0.0 if d is None else d for d in (e, f))
        return np.where(open_, np.maximum(e, f), np.where(taken, e, f))

    inherited, own = either(a.inherited, b.inherited), either(a.own, b.own)
    return a.of(value, plus(inherited, flips[0]), plus(own, flips[1]))


def _laid_out(a: Bounded, layout: Callable[[Any], Any]) -> Bounded:
    return exact(layout(a.value), (a, layout))


RULES: Mapping[Any, Callable[..., Bounded]] = {
    np.add: sums.add,
    np.subtract: lambda a, b: sums.add(a, -b),
    np.matmul: sums.matmul,
    np.sum: sums.total,
    np.mean: sums.mean,
    np.multiply: _multiply,
    np.divide: _divide,
    np.negative: lambda a: exact(-a.value, (a, same)),
    np.square: _unary(np.square, lambda a: 2 * a.most, 1.0),
    np.sqrt: _sqrt,
    np.exp: _unary(np.exp, lambda a: np.exp(a.high), "exp"),
    np.expm1: _unary(np.expm1, lambda a: np.exp(a.high), "exp"),
    np.log: _unary(np.log, lambda a: 1 / np.maximum(a.low, 0), "log"),
    np.log1p: _unary(np.log1p, lambda a: 1 / np.maximum(1 + a.low, 0), "log"),
    np.tanh: _unary(np.tanh, lambda a: 1 / np.cosh(np.fmin(a.least, 300)) ** 2, "tanh"),
    np.cosh: _unary(np.cosh, lambda a: np.sinh(a.most), "cosh"),
    ERF: _unary(erf, _normal, "erf"),
    ERFC: _unary(erfc, _normal, "erfc"),
    np.absolute: lambda a: exact(np.abs(a.value), (a, same)),
    np.maximum: lambda a, b: _larger(a, b, 1),
    np.minimum: lambda a, b: _larger(a, b, -1),
    np.max: _largest,
    np.heaviside: lambda a, b: _compared(np.heaviside(a.value, b.value), a, a.of(0.0)),
    np.greater: lambda a, b: _compared(a.value > b.value, a, b),
    np.greater_equal: lambda a, b: _compared(a.value >= b.value, a, b),
    np.less: lambda a, b: _compared(a.value < b.value, a, b),
    np.less_equal: lambda a, b: _compared(a.value <= b.value, a, b),
    np.where: _where,
    np.matrix_transpose: lambda a: _laid_out(a, np.matrix_transpose),
    np.expand_dims: lambda a, axis: _laid_out(a, partial(np.expand_dims, axis=axis)),
    np.broadcast_to: lambda a, shape: _laid_out(a, partial(np.broadcast_to, shape=shape)),
    gather: lambda a, index: _laid_out(a, lambda e: gather(e, index)),
    scatter: sums.scattered,
}
