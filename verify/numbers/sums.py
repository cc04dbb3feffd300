"""Sums of bounded numbers: they stay open, because their terms may be added in any order.

Of 16 bits a sum accumulates in float32 and is rounded to the dtype at its end. n terms err by
gamma_n of float32 times the sum of magnitudes, and the result by u of itself. Where such a sum is a
term of another, as x @ W of x @ W + b, each is rounded at its own end, or the whole at one: of k
ends a term goes through k roundings at most, gamma_k of the dtype times the sum of what is joined.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from verify.numbers.moves import computed, moved, plus, rounded, same, with_roundings
from verify.numbers.number import scatter
from verify.numbers.rounding import Float64, product

if TYPE_CHECKING:
    from verify.numbers.bounded import Bounded


class Sum(NamedTuple):
    """What an open sum remembers: how often it is rounded, and in all its terms.

    `ends` of 16 bits: how often it may be rounded to the dtype, in all that is `joined`.

    Units   size: of the sum of magnitudes; lost: what all its parts may underflow by; unit: every
            term is a multiple of it, 0 where that is not known; joined: a sum of magnitudes, too.
    """

    roundings: int
    size: Any
    own: Any
    lost: Any
    unit: float
    ends: int = 0
    joined: Any = None


def add(a: Bounded, b: Bounded) -> Bounded:
    """a + b: one term more of a sum that is open, or that is exact.

    Shapes  those of NumPy's add.
    Source  Higham, 3.1: n additions in any order err by gamma_n times the sum of magnitudes.
    """
    value = a.value + b.value
    if a.open or b.open or (a.is_exact and b.is_exact):
        one, other = (s.open or _single(s) for s in (a, b))
        unit = min(one.unit, other.unit)
        size = one.size + other.size
        # A sum of what is exactly 0 is exactly 0.
        lost = one.lost + other.lost
        lost = lost + np.where((size > 0) | (lost > 0), a.model.lost, 0.0)
        own, joined = plus(one.own, other.own), plus(one.joined, other.joined)
        roundings, ends = one.roundings + other.roundings + 1, one.ends + other.ends + 1
        sum_ = Sum(roundings, size, own, lost, unit, ends, joined)
        found = _summed(a, value, moved((a, same), (b, same))[0], sum_)
    else:
        found = rounded(value, (a, same), (b, same))
    found.terms, found.whole = (a, b), (a.low >= 0) & (b.low >= 0)
    return found


def _single(a: Bounded) -> Sum:
    unit = _grid(a.model.u * float(a.most.max(initial=0)), a.value) if a.is_exact else 0.0
    return Sum(0, a.most, a.own, 0, unit, 0, a.most if a.model.sums else None)


def _summed(a: Bounded, value: Any, inherited: Any, open_: Sum) -> Bounded:
    """An open sum; exact where all of its terms lie on one grid, and so far below 2^p of it that
    no partial sum rounds, in any order."""
    m, own = a.model, open_.own
    rounds = not (open_.unit >= m.tiny and np.max(open_.size, initial=0) * m.u < open_.unit)
    if rounds:
        open_ = open_._replace(unit=0.0)
        inner = m.sums or m
        k = inner.gamma(open_.roundings) / inner.u
        own = with_roundings(inner, own, k, open_.size, open_.lost)
    if m.sums and open_.joined is None:
        open_ = open_._replace(joined=computed(np.abs(value), inherited, own))
    if m.sums and rounds:
        own = own + m.gamma(open_.ends) * open_.joined
        own = np.where(open_.joined < m.largest / 2, own, np.inf)
    found = a.of(value, inherited, own)
    found.open = open_
    return found


def _grid(least: float, *factors: Float64) -> float:
    """The product of the largest powers of two, at most 1, of which each factor is a multiple.

    0 where that is not above `least`; mostly, a few numbers show it.
    """
    unit = 0.0
    for some in (_FEW, None):
        unit = math.prod(_unit(a.ravel()[:some]) for a in factors)
        if not unit > least:
            return 0.0
    return unit


_FEW = 64


def _unit(a: Float64) -> float:
    significand, exponent = np.frexp(a[a != 0])
    whole = (significand * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return float(2.0 ** int(np.min(lowest + exponent - 53, initial=0)))


def matmul(a: Bounded, b: Bounded) -> Bounded:
    """Inner products of length n: any order, blocked or fused.

    Shapes  those of NumPy's matmul.
    Source  Higham, 3.1.
    """
    m, n = a.model, a.shape[-1]
    size = product(a.most, b.most)
    inherited, own = moved((a, lambda e: product(e, b.most)), (b, lambda f: product(a.most, f)))
    least = m.u * float(size.max(initial=0))
    unit = _grid(least, a.value, b.value) if a.is_exact and b.is_exact else 0.0
    lost = 2 * n * (m.sums or m).tiny + (m.lost if m.sums else 0)
    lost = lost if size.all() else lost * _some(a, b)
    return _summed(a, a.value @ b.value, inherited, Sum(n, size, own, lost, unit, 1))


def _some(a: Bounded, b: Bounded) -> Any:
    """1 where a product of two rows has a term that is not exactly 0, which may underflow."""
    terms = (a.most > 0).astype(np.float64) @ (b.most > 0).astype(np.float64)
    return np.where(terms > 0, 1.0, 0.0)


def total(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    """The sum over some axes; of 16 bits, at once or an axis after the other.

    Shapes  those of NumPy's sum.
    Source  Higham, 3.1.
    """

    def summed(e: Any) -> Any:
        return np.sum(e, axis=axis, keepdims=keepdims)

    axes = range(a.ndim) if axis is None else np.atleast_1d(axis)
    lengths = [a.shape[int(i)] for i in axes]
    n, ends = math.prod(lengths), sum(length > 1 for length in lengths)
    inherited, own = moved((a, summed))
    size = summed(a.most)
    unit = _grid(a.model.u * float(np.max(size, initial=0)), a.value) if a.is_exact else 0.0
    m = a.model
    lost = n * (m.sums or m).tiny + (ends * m.lost if m.sums else 0)
    sum_ = Sum(n - 1, size, own, lost, unit, ends, size if ends > 1 else None)
    found = _summed(a, summed(a.value), inherited, sum_)
    if keepdims or axis is None:  # so that each term meets the sum that it is a part of
        found.terms, found.whole = (a,), np.all(a.low >= 0, axis=axis, keepdims=keepdims)
    return found


def mean(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    """The sum of n terms over n: in any order, each term or their sum divided, or times 1/n.

    Every term is rounded n - 1 times in the sum and twice besides, by 1/n and by the product with
    it. That has room for a mean that is taken as the terms come, which is never exact, so that
    none is here but that of one term.

    Shapes  those of NumPy's mean.
    Source  Higham, 3.1.
    """
    whole = total(a, axis, keepdims)
    n = a.value.size // whole.value.size
    if n == 1:
        return whole

    def averaged(e: Any) -> Any:
        return np.mean(e, axis=axis, keepdims=keepdims)

    inherited, own = moved((a, averaged))
    k, lost = a.model.gamma(n + 1) / a.model.u, (n + 1) * a.model.tiny
    own = with_roundings(a.model, own, k, averaged(a.most), lost)
    return a.of(whole.value / n, inherited, own)


def scattered(a: Bounded, index: Bounded, rows: int) -> Bounded:
    """The sums of those parts of rows that an index sends to one place.

    Shapes  those of number.scatter.
    Source  Higham, 3.1; a sum of one term does not round.
    """

    def summed(e: Any) -> Any:
        return scatter(e, index, rows)

    inherited, own = moved((a, summed))
    terms = np.bincount(index.integers().ravel(), minlength=rows)
    lost = np.where(terms > 1, terms * a.model.tiny, 0.0)[:, None]
    sum_ = Sum(max(int(terms.max()) - 1, 0), summed(a.most), own, lost, 0.0)
    return _summed(a, summed(a.value), inherited, sum_)
