"""Sums and products of arrays of shadows, whose terms a program's floats may add in any order.

Source  Higham, 3.1: n terms in any order, blocked or fused, err by gamma_n times their magnitudes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flint
import numpy as np

from verify.numbers.run import now
from verify.numbers.shadow import Shadow, Slope, arb, rounded, times


def total(terms: Sequence[Shadow]) -> Shadow:
    """The sum of some numbers; of none 0.

    Shapes  ().
    """
    if len(terms) == 1:
        return terms[0]
    ball, moved, size, n = arb(0), 0.0, 0.0, 0
    for t in terms:
        ball += t.ball
        moved += t.error
        size += t.most
        n += t.value != 0 or t.error != 0
    whole = moved == 0 and size * now().model.u < 1 and all(t.value.is_integer() for t in terms)
    rounding = 0.0 if whole or n < 2 else times(now().model.gamma(n - 1), size)
    return rounded("a sum cancels", ball, moved + rounding, [(t, t.error, 1) for t in terms])


def dot(a: Sequence[Shadow], b: Sequence[Shadow], ball: Any = None) -> Shadow:
    """The inner product of two rows of numbers; `ball` is its exact value, where that is known.

    Shapes  ().
    """
    m, operands = now().model, list[tuple[Shadow, float, Slope]]()
    exact, moved, size, n = arb(0), 0.0, 0.0, 0
    whole = True
    for x, y in zip(a, b, strict=True):
        if ball is None:
            exact += x.ball * y.ball
        by_x, by_y = times(x.error, abs(y.value)), times(y.error, x.most)
        operands += ((x, by_x, y), (y, by_y, x))
        moved += by_x + by_y
        if x.most and y.most:
            n += 1
            size += x.most * y.most
            whole = whole and (x.value * y.value).is_integer()
    whole = whole and moved == 0 and size * m.u < 1
    rounding = 0.0 if whole or not n else times(m.gamma(n), size) + 2 * n * m.tiny
    step = "a sum of products cancels"
    return rounded(step, exact if ball is None else ball, moved + rounding, operands)


def matmul(a: Any, b: Any) -> Any:
    """The product of two arrays of shadows, as numpy.matmul.

    Shapes  those of numpy.matmul.
    Raises  ValueError for shapes that do not fit.
    """
    row, column = a.ndim == 1, b.ndim == 1
    a, b = (a[np.newaxis, :] if row else a), (b[:, np.newaxis] if column else b)
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(
            f"matmul: {a.shape[-1]} columns of the first operand, {b.shape[-2]} rows of the second"
        )
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    made = np.empty((*stack, a.shape[-2], b.shape[-1]), object)
    a = np.broadcast_to(a, stack + a.shape[-2:])
    b = np.broadcast_to(b, stack + b.shape[-2:])
    for at in np.ndindex(stack):
        made[at] = _product(a[at], b[at])
    if row:
        made = made[..., 0, :]
    return made[..., 0] if column else made


def _product(a: Any, b: Any) -> Any:
    made = np.empty((a.shape[0], b.shape[1]), object)
    if made.size and a.shape[1]:
        left, right = (flint.arb_mat([[s.ball for s in row] for row in c]) for c in (a, b))
        exact = left * right
    rows, columns = a.tolist(), b.T.tolist()
    for i, j in np.ndindex(made.shape):
        made[i, j] = dot(rows[i], columns[j], exact[i, j] if a.shape[1] else arb(0))
    return made


def summed(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sums over some axes, as numpy.sum.

    Shapes  those of numpy.sum.
    """
    return reduced(total, a, axis, keepdims)


def reduced(function: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """A function of a list of numbers, over some axes of an array.

    Shapes  those of NumPy's reductions.
    """
    axes = tuple(range(a.ndim)) if axis is None else np.atleast_1d(axis).tolist()
    axes = sorted({int(i) % max(a.ndim, 1) for i in axes})
    kept = [i for i in range(a.ndim) if i not in axes]
    rows = np.transpose(a, kept + axes).reshape([a.shape[i] for i in kept] + [-1])
    if not a.size:
        rows = np.empty([a.shape[i] for i in kept] + [0], object)
    made = np.empty(rows.shape[:-1], object)
    for at in np.ndindex(made.shape):
        made[at] = function(rows[at].tolist())
    if keepdims:
        made = made.reshape([1 if i in axes else n for i, n in enumerate(a.shape)])
    return made


def einsum(subscripts: str, *operands: Any) -> Any:
    """As numpy.einsum, of subscripts in letters; "..." stands for axes that are kept.

    Shapes  those of numpy.einsum.
    """
    given, _, kept = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    rest = max((a.ndim - len(t) + 3 for t, a in zip(terms, operands, strict=True) if "..." in t),
               default=0)  # fmt: skip
    spare = [c for c in map(chr, range(65, 91)) if c not in subscripts][:rest]
    named = [
        t.replace("...", "".join(spare[rest - (a.ndim - len(t) + 3) :]))
        for t, a in zip(terms, operands, strict=True)
    ]
    letters = sorted(set("".join(named)))
    if "->" not in subscripts:
        once = [c for c in letters if "".join(named).count(c) == 1 and c not in spare]
        kept = "".join(spare) + "".join(once)
    kept = kept.replace("...", "".join(spare))
    order = kept + "".join(c for c in letters if c not in kept)
    product: Any = None
    for name, a in zip(named, operands, strict=True):
        factor = _laid_out(a, name, order)
        product = factor if product is None else product * factor
    axes = tuple(range(len(kept), len(order)))
    return summed(product, axes) if axes else product


def _laid_out(a: Any, name: str, order: str) -> Any:
    """An operand with an axis for each letter of `order`; of a letter that it repeats the diagonal.

    Shapes  those that broadcast.
    """
    for letter in dict.fromkeys(name):
        while name.count(letter) > 1:
            one, other = (i for i, c in enumerate(name) if c == letter and name[:i].count(c) < 2)
            a = np.moveaxis(np.diagonal(a, axis1=one, axis2=other), -1, one)
            name = name[:other] + name[other + 1 :]
    turned = np.transpose(a, [name.index(c) for c in order if c in name])
    return turned.reshape([a.shape[name.index(c)] if c in name else 1 for c in order])


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """As numpy.tensordot.

    Shapes  those of numpy.tensordot.
    """
    if isinstance(axes, int | np.integer):
        of_a, of_b = list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes)))
    else:
        of_a, of_b = ([int(i) for i in np.atleast_1d(side)] for side in axes)
    of_a, of_b = [i % a.ndim for i in of_a], [i % b.ndim for i in of_b]
    free_a = [i for i in range(a.ndim) if i not in of_a]
    free_b = [i for i in range(b.ndim) if i not in of_b]
    n = math.prod(a.shape[i] for i in of_a)
    left = np.transpose(a, free_a + of_a).reshape(-1, n)
    right = np.transpose(b, of_b + free_b).reshape(n, -1)
    shape = [a.shape[i] for i in free_a] + [b.shape[i] for i in free_b]
    return matmul(left, right).reshape(shape)
