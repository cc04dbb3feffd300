"""How each operation on bounded numbers moves with its inputs' errors, and how it rounds.

A rule says what an operation gives, how far that moves with the error of each input (the largest
partial derivative within reach, times the error), and its own rounding. The derivation stands in
verify.numbers.bounded; each rule has a hostile test, which it passes and its mutants fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from verify.numbers.number import ERF, ERFC
from verify.numbers.rounding import Float64, Model

if TYPE_CHECKING:
    from verify.numbers.bounded import Bounded

Partial: TypeAlias = Callable[[Float64], Any]  # the error of an input -> how far the result moves


class Sum(NamedTuple):
    """What an open sum remembers: how often it is rounded, and in all its terms.

    Units   size: of the sum of magnitudes; lost: what all its parts may underflow by; unit: every
            term is a multiple of it, 0 where that is not known.
    """

    roundings: int
    size: Any
    own: Any
    lost: Any
    unit: float


def plus(*errors: Any) -> Any:
    """The sum of what is not None; None where nothing is left."""
    left = [e for e in errors if e is not None]
    return sum(left[1:], left[0]) if left else None


def _moved(*moves: tuple[Bounded, Partial]) -> tuple[Any, Any]:
    """(inherited, own) of a result, from those of its inputs."""
    return (
        plus(*(moved(a.inherited) for a, moved in moves if a.inherited is not None)),
        plus(*(moved(a.own) for a, moved in moves if a.own is not None)),
    )


def _exact(value: Any, *moves: tuple[Bounded, Partial]) -> Bounded:
    """The result of an operation that does not round."""
    return moves[0][0].of(value, *_moved(*moves))


def _rounded(
    value: Any, *moves: tuple[Bounded, Partial], k: float = 1, zero: Sequence[Bounded] = ()
) -> Bounded:
    """The result of an operation that rounds by k u of what is computed, op(x^).

    |op(x^)| is within 2 errors of |value|; k u times these is of second order, and `settled` makes
    up for it. Where one of `zero` is exactly 0 so is the result.
    """
    inherited, own = _moved(*moves)
    a = moves[0][0]
    found = a.of(value, inherited)
    found.own = _with_roundings(a.model, own, k, found.magnitude, a.model.tiny, found)
    if zero and not found.magnitude.all():
        exactly = np.logical_or.reduce([np.broadcast_to(n.most == 0, found.shape) for n in zero])
        found.own = np.where(exactly & np.isfinite(value), 0.0, found.own)
    return found


def _with_roundings(
    m: Model, own: Any, k: float, size: Any, lost: Any, result: Bounded | None = None
) -> Any:
    """own, with k u of a size, and what is lost where the least result underflows; infinite where
    a result may come near the largest number of the dtype."""
    unit = k * m.u
    rounding = unit * size
    if result is None:
        rounding = rounding + lost
    elif unit and not size.min(initial=np.inf) >= m.tiny / m.u:
        moved = plus(result.inherited, own)
        least = size if moved is None else size - 4 * moved
        rounding = np.where(least >= m.tiny, rounding, rounding + lost)
    own = rounding if own is None else own + rounding
    if unit and not own.max(initial=0) < unit * m.largest / 64:
        own = np.where(own < unit * m.largest / 64, own, np.inf)
    if result is not None and result.inherited is not None:
        far = m.largest / 64
        if not result.inherited.max(initial=0) < far:
            own = np.where(result.inherited < far, own, np.inf)
    return own


def _same(e: Any) -> Any:
    return e


# ---- sums


def _add(a: Bounded, b: Bounded) -> Bounded:
    value = a.value + b.value
    if a.open or b.open or (a.is_exact and b.is_exact):
        one, other = (s.open or _single(s) for s in (a, b))
        unit = min(one.unit, other.unit)
        size = one.size + other.size
        sum_ = Sum(one.roundings + other.roundings + 1, size, plus(one.own, other.own),
                   one.lost + other.lost + a.model.tiny, unit)  # fmt: skip
        found = _summed(a, value, _moved((a, _same), (b, _same))[0], sum_)
    else:
        found = _rounded(value, (a, _same), (b, _same))
    found.terms, found.whole = (a, b), (a.low >= 0) & (b.low >= 0)
    return found


def _single(a: Bounded) -> Sum:
    return Sum(0, a.most, a.own, 0, _grid(a.value) if a.is_exact else 0.0)


def _summed(a: Bounded, value: Any, inherited: Any, open_: Sum) -> Bounded:
    """An open sum; exact where all of its terms lie on one grid, and so far below 2^p of it that
    no partial sum rounds, in any order."""
    m, own = a.model, open_.own
    if not (open_.unit >= m.tiny and np.max(open_.size, initial=0) * m.u < open_.unit):
        open_ = open_._replace(unit=0.0)
        k = m.gamma(open_.roundings) / m.u
        own = _with_roundings(m, own, k, open_.size, open_.lost)
    found = a.of(value, inherited, own)
    found.open = open_
    return found


def _grid(a: Float64) -> float:
    """The largest power of two of which every entry is a multiple, 1 at most; 0 below float64's."""
    units = []
    for part in (a.ravel()[:64], a):  # mostly, a few numbers show that there is none
        significand, exponent = np.frexp(part[part != 0])
        whole = (significand * 2.0**53).astype(np.int64)
        lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
        units.append(2.0 ** int(np.min(lowest + exponent - 53, initial=0)))
        if units[-1] < 2.0**-40:
            return 0.0
    return float(units[-1])


def _matmul(a: Bounded, b: Bounded) -> Bounded:
    """Inner products of length n: any order, blocked or fused."""
    m, n = a.model, a.shape[-1]
    size = a.most @ b.most
    inherited, own = _moved((a, lambda e: e @ b.most), (b, lambda f: a.most @ f))
    exact = a.is_exact and b.is_exact
    unit = _grid(a.value) * _grid(b.value) if exact else 0.0
    return _summed(a, a.value @ b.value, inherited, Sum(n, size, own, 2 * n * m.tiny, unit))


def _sum(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    def total(e: Any) -> Any:
        return np.sum(e, axis=axis, keepdims=keepdims)

    axes = range(a.ndim) if axis is None else np.atleast_1d(axis)
    n = math.prod(a.shape[int(i)] for i in axes)
    inherited, own = _moved((a, total))
    unit = _grid(a.value) if a.is_exact else 0.0
    sum_ = Sum(n - 1, total(a.most), own, n * a.model.tiny, unit)
    found = _summed(a, total(a.value), inherited, sum_)
    if keepdims or axis is None:  # so that each term meets the sum that it is a part of
        found.terms, found.whole = (a,), np.all(a.low >= 0, axis=axis, keepdims=keepdims)
    return found


# ---- products and quotients


def _is_power_of_two(a: Bounded) -> bool:
    return a.is_exact and a.ndim == 0 and abs(math.frexp(a.value)[0]) == 0.5


def _multiply(a: Bounded, b: Bounded) -> Bounded:
    k = 0 if _is_power_of_two(a) or _is_power_of_two(b) else 1
    return _rounded(
        a.value * b.value, (a, lambda e: e * b.most), (b, lambda f: a.most * f), k=k, zero=(a, b)
    )


def _divide(a: Bounded, b: Bounded) -> Bounded:
    k = 0 if _is_power_of_two(b) else 1
    found = _rounded(
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

    def moved(e: Any, f: Any) -> Any:
        e = 0.0 if e is None else e
        return None if f is None else (rest * e + part * _less(f, e, 0 * f)) / b.least

    share = a.of(found.value, moved(a.inherited, b.inherited))
    share.own = _with_roundings(
        a.model, moved(a.own, b.own), 1, found.magnitude, a.model.tiny, share
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
        return _rounded(function(a.value), (a, lambda e: slope(a) * e), k=k)

    return rule


def _normal(a: Bounded) -> Any:
    return 2 / math.sqrt(math.pi) * np.exp(-(a.least**2))


def _sqrt(a: Bounded) -> Bounded:
    """An exact 0 has the exact root 0, though its slope is infinite there."""
    slope = 0.5 / np.sqrt(np.maximum(a.low, 0))
    return _rounded(np.sqrt(a.value), (a, lambda e: np.where(e > 0, slope * e, e)))


def _special(function: Callable[[float], float]) -> Callable[[Float64], Float64]:
    return np.vectorize(function, otypes=[np.float64])


# ---- kinks


def _larger(a: Bounded, b: Bounded, sign: int) -> Bounded:
    """maximum, or minimum: the error of the one that is taken; of both where that is open."""
    a_taken = sign * (a.value - b.value) > a.reach + b.reach
    b_taken = sign * (b.value - a.value) > a.reach + b.reach
    value = np.maximum(a.value, b.value) if sign > 0 else np.minimum(a.value, b.value)
    return _exact(value, (a, lambda e: np.where(b_taken, 0.0, e)),
                  (b, lambda f: np.where(a_taken, 0.0, f)))  # fmt: skip


def _largest(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    """max over an axis: it moves no further than the entry that moves furthest."""

    def largest(e: Any) -> Any:
        return np.max(e, axis=axis, keepdims=keepdims)

    return _exact(largest(a.value), (a, largest))


def _compared(value: Any, a: Bounded, b: Bounded) -> Bounded:
    """1 or 0, and off by 1 where the errors leave it open."""
    error = a.error + b.error
    off = np.where(np.abs(a.value - b.value) <= 2 * error, 1.0, 0.0)
    off = np.where(np.isfinite(error), off, np.inf)
    inherited = a.inherited is not None or b.inherited is not None
    own = a.own is not None or b.own is not None
    return a.of(value, off if inherited else None, off if own else None)


def _where(condition: Bounded, a: Bounded, b: Bounded) -> Bounded:
    """The branch that is taken; where that is open, either, and what lies between them besides."""
    taken = condition.value > 0
    value = np.where(taken, a.value, b.value)
    if condition.is_exact:
        return _exact(
            value, (a, lambda e: np.where(taken, e, 0)), (b, lambda f: np.where(taken, 0, f))
        )

    open_ = condition.error > 0
    between = np.abs(a.value - b.value) + 2 * (a.error + b.error)
    flips = _moved((condition, lambda e: np.where(e > 0, np.where(e < np.inf, between, e), 0.0)))

    def either(e: Any, f: Any) -> Any:
        e, f = (0.0 if d is None else d for d in (e, f))
        return np.where(open_, np.maximum(e, f), np.where(taken, e, f))

    inherited, own = either(a.inherited, b.inherited), either(a.own, b.own)
    return a.of(value, plus(inherited, flips[0]), plus(own, flips[1]))


def _laid_out(a: Bounded, layout: Callable[[Any], Any]) -> Bounded:
    return _exact(layout(a.value), (a, layout))


RULES: Mapping[Any, Callable[..., Bounded]] = {
    np.add: _add,
    np.subtract: lambda a, b: _add(a, -b),
    np.matmul: _matmul,
    np.sum: _sum,
    np.multiply: _multiply,
    np.divide: _divide,
    np.negative: lambda a: _exact(-a.value, (a, _same)),
    np.square: _unary(np.square, lambda a: 2 * a.most, 1.0),
    np.sqrt: _sqrt,
    np.exp: _unary(np.exp, lambda a: np.exp(a.high), "exp"),
    np.expm1: _unary(np.expm1, lambda a: np.exp(a.high), "exp"),
    np.log: _unary(np.log, lambda a: 1 / np.maximum(a.low, 0), "log"),
    np.log1p: _unary(np.log1p, lambda a: 1 / np.maximum(1 + a.low, 0), "log"),
    np.tanh: _unary(np.tanh, lambda a: 1 / np.cosh(np.fmin(a.least, 300)) ** 2, "tanh"),
    np.cosh: _unary(np.cosh, lambda a: np.sinh(a.most), "cosh"),
    ERF: _unary(_special(math.erf), _normal, "erf"),
    ERFC: _unary(_special(math.erfc), _normal, "erfc"),
    np.absolute: lambda a: _exact(np.abs(a.value), (a, _same)),
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
}
