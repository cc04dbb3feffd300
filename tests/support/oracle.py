"""A second oracle from the standard library alone: exact fractions, and decimal's exp and ln.

It shares no code and no library with verify.network.truth, and writes the post's formulas another
way.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from verify.network.problem import LINKS, Problem

DIGITS = 80


def chain(problem: Problem) -> dict[str, Any]:
    """Every link as an object array of Decimals with about 80 digits."""
    X, W, P = (exactly(a) for a in (problem.X, problem.W, problem.P))
    h, N = Fraction(float(problem.h)), len(X)
    y = X @ W
    with localcontext(prec=DIGITS):
        e = np.vectorize(lambda v: _decimal(-v).exp(), otypes=[object])(y)
        y_o = 1 / (1 + e)
        p = np.vectorize(_decimal, otypes=[object])(P)
        C = sum((p * np.vectorize(lambda v: (1 + v).ln(), otypes=[object])(e)).ravel()) / N
        dC_dy_o = -p / y_o / N
        dy_o_dy = e * y_o * y_o
        dC_dy = -p * e * y_o / N
        dC_dW = np.vectorize(_decimal, otypes=[object])(X).T @ dC_dy
        W_next = np.vectorize(_decimal, otypes=[object])(W) - _decimal(h) * dC_dW
        y = np.vectorize(_decimal, otypes=[object])(y)
        links = (y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)
        return dict(zip(LINKS, links, strict=True))


def exactly(a: Any) -> Any:
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(a)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def distance(found: Any, exact: Any) -> Any:
    """|found - exact|, entry by entry, as floats."""
    with localcontext(prec=DIGITS):
        gap = np.vectorize(lambda a, b: float(abs(Decimal(float(a)) - b)), otypes=[float])
        return gap(found, exact)
