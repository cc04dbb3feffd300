"""The worst execution that the rounding model of the bounds admits, in high precision.

Random cases cannot reach most terms of a bound: real errors cancel. Here every operation errs by
all that its budget allows, in the direction that hurts: y_o is pushed down, everything else away
from 0. The problems put all weight on the first row, feature and class, where gamma_n is attained.
"""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from verify.network.problem import Problem
from verify.numbers.rounding import Model


def errors(problem: Problem, m: Model, form: str) -> dict[str, float]:
    """By how much each link's first entry is off in the worst execution of `form`."""
    with flint.ctx.workprec(400):
        exact = _chain(problem, m, form, worst=False)
        worst = _chain(problem, m, form, worst=True)
        return {link: abs(float(worst[link] - exact[link])) for link in exact}


def _chain(problem: Problem, m: Model, form: str, worst: bool) -> dict[str, Any]:
    N, D, K = problem.sizes.values()
    x, w, p = (flint.arb(float(a[0, 0])) for a in (problem.X, problem.W, problem.P))
    h = flint.arb(float(problem.h))
    u = flint.arb(m.u if worst else 0)

    def err(value: Any, count: float) -> Any:
        return value * (1 + u) ** round(count)

    product = x * w
    y = product - abs(product) * ((1 + u) ** D - 1)
    E = (-y).exp() * (1 + m.exp * u)
    y_o = 1 / (1 + E) / (1 + u) ** round(m.sigma)
    if form == "post":
        q = err(1 - y_o, m.one_minus_sigma)
        log_y_o = y_o.log() * (1 + m.log * u)
    else:
        q = err((1 / (1 + y.exp())) * (1 + m.exp * u), m.stable)
        log_y_o = -((1 + (-y).exp()).log()) * (1 + (m.exp + m.log + 3) * u) * (1 + m.log * u)
    dC_dy = -err(p * q / N, m.product)
    dC_dW = err(x * dC_dy, N)
    step = err(h * dC_dW, m.step)
    return {
        "y": y,
        "y_o": y_o,
        "C": -err(p * log_y_o / N, N * K + 4),
        "dC_dy_o": -err(p / y_o / N, m.quotient),
        "dC_dy": dC_dy,
        "dC_dW": dC_dW,
        "W_next": err(w - step, m.subtraction),
    }


def first_row(y: float, p: float, h: float, sizes: tuple[int, int, int], dtype: str,
              x: float = 1.0) -> Problem:  # fmt: skip
    """All weight on entry [0, 0] of X, W and P."""
    N, D, K = sizes
    X, W, P = np.zeros((N, D)), np.zeros((D, K)), np.zeros((N, K))
    X[0, 0], W[0, 0], P[0, 0] = x, y / x, p
    t = np.dtype(dtype).type
    return Problem(X.astype(dtype), W.astype(dtype), P.astype(dtype), t(h))
