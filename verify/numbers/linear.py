"""Systems of linear equations in shadows: elimination with the pivots that floats choose.

Source  Higham, 9.1 and 9.3: the largest of a column is the pivot. Libraries do the same by
        blocks, in another order, so that an error here is that of n steps in any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.numbers.followed import followed, number_of, plain
from verify.numbers.shadow import Shadow, lifted


def solve(a: Any, b: Any) -> Any:
    """As numpy.linalg.solve.

    Shapes  a (..., n, n); b (n,) or (..., n, k).
    """
    a, b = plain(followed(a)), plain(followed(b))
    column = b.ndim == 1
    right = b[:, np.newaxis] if column else b
    stack = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    a = np.broadcast_to(a, stack + a.shape[-2:])
    right = np.broadcast_to(right, stack + right.shape[-2:])
    made = np.empty(right.shape, object)
    for at in np.ndindex(stack):
        made[at] = _solved(a[at], right[at])
    return number_of(made[..., 0] if column else made)


def inverse(a: Any) -> Any:
    """As numpy.linalg.inv.

    Shapes  (..., n, n); the same.
    """
    return solve(a, np.eye(np.shape(a)[-1]))


def determinant(a: Any) -> Any:
    """As numpy.linalg.det.

    Shapes  (..., n, n) gives (...).
    """
    a = plain(followed(a))
    made = np.empty(a.shape[:-2], object)
    for at in np.ndindex(made.shape):
        rows, sign = _eliminated(a[at])
        product = lifted(sign)
        for i in range(len(rows)):
            product = product * rows[i, i]
        made[at] = _in_any_order(product, len(rows))
    return number_of(made)


def log_determinant(a: Any) -> tuple[Any, Any]:
    """As numpy.linalg.slogdet: the sign of the determinant, and the logarithm of its size.

    Shapes  (..., n, n) gives (...) twice.
    """
    found = determinant(a)
    return np.sign(found), np.log(np.absolute(found))


def cholesky(a: Any) -> Any:
    """As numpy.linalg.cholesky, of the lower triangle.

    Shapes  (..., n, n); the same.
    """
    a = plain(followed(a))
    made = np.empty(a.shape, object)
    for at in np.ndindex(a.shape[:-2]):
        root, n = np.full(a.shape[-2:], lifted(0), object), a.shape[-1]
        for i in range(n):
            for j in range(i + 1):
                rest = a[at][i, j]
                for k in range(j):
                    rest = rest - root[i, k] * root[j, k]
                found = np.sqrt(rest) if i == j else rest / root[j, j]
                root[i, j] = _in_any_order(found, n)
        made[at] = root
    return number_of(made)


def power(a: Any, n: int) -> Any:
    """As numpy.linalg.matrix_power.

    Shapes  (..., n, n); the same.
    """
    found = followed(np.eye(np.shape(a)[-1])) + 0 * followed(a)
    factor = inverse(a) if n < 0 else followed(a)
    for _ in range(abs(n)):
        found = found @ factor
    return found


def _eliminated(a: Any, b: Any = None) -> tuple[Any, int]:
    """The rows of (a, b) with zeros below the diagonal of a, and the sign of their exchanges."""
    rows = a.copy() if b is None else np.concatenate([a, b], axis=1)
    n, sign = len(a), 1
    for i in range(n):
        pivot = i + int(np.argmax([abs(s.value) for s in rows[i:, i]]))
        if pivot != i:
            rows[[i, pivot]] = rows[[pivot, i]]
            sign = -sign
        for j in range(i + 1, n):
            rows[j, i:] = rows[j, i:] - (rows[j, i] / rows[i, i]) * rows[i, i:]
    return rows, sign


def _solved(a: Any, b: Any) -> Any:
    rows, n = _eliminated(a, b)[0], len(a)
    x = np.empty(b.shape, object)
    for i in range(n - 1, -1, -1):
        rest = rows[i, n:]
        for j in range(i + 1, n):
            rest = rest - rows[i, j] * x[j]
        x[i] = rest / rows[i, i]
    return np.frompyfunc(lambda s: _in_any_order(s, n), 1, 1)(x)


def _in_any_order(number: Shadow, n: int) -> Shadow:
    number.error *= n
    return number
