"""Exact relations, which need no bound: they hold bit for bit.

Multiplying by a power of two changes no significand. (2^k X, 2^-k W, 2^j P) has the same y, 2^j
times the cost and 2^(j + k) times the gradient, in any correct arithmetic, unless a number falls
below the smallest normal one.
"""

from __future__ import annotations

import numpy as np

from verify.network.problem import Chain, Implementation, Problem, same_layout

_K, _J = 3, 2
_ROWS = 8  # enough for the relation; more would only cost


def powers_of_two(implementation: Implementation, problem: Problem, chain: Chain) -> list[str]:
    """The links among C and dC_dW that break the relation on the first rows.

    Empty also where it does not apply.

    Shapes  as Problem and Chain.
    Source  X W = (2^k X)(2^-k W); C and dC_dW are linear in P, dC_dW in X besides.
    """
    if len(problem.X) > _ROWS:
        problem = problem.rows(slice(_ROWS))
        chain = implementation(problem)
    if not applies(problem, chain):
        return []
    scaled = Problem(
        same_layout(problem.X * 2**_K, problem.X),
        same_layout(problem.W * problem.W.dtype.type(2.0**-_K), problem.W),
        same_layout(problem.P * 2**_J, problem.P),
        problem.h,
    )
    found = implementation(scaled)
    expected = {"C": chain.C * 2**_J, "dC_dW": chain.dC_dW * 2 ** (_J + _K)}
    return [n for n, value in expected.items() if not np.array_equal(getattr(found, n), value)]


def applies(problem: Problem, chain: Chain) -> bool:
    """Whether every number of the chain is so far inside the range that scaling is exact."""
    limits = np.finfo(problem.dtype)
    dC_dy = np.abs(chain.dC_dy[(problem.P > 0) & (chain.dy_o_dy != 0)])
    if not dC_dy.size or not np.isfinite(chain.dC_dy_o).all():
        return False
    X, W = np.abs(problem.X), np.abs(problem.W)
    least = [float(a[a > 0].min(initial=np.inf)) for a in (X, W, problem.P)]
    tiny = float(limits.tiny)
    smallest = min(least[0] * least[1], least[1] / 2**_K, float(dC_dy.min()) * min(least[0], 1))
    # Of dC_dW the largest sum of magnitudes, because its terms may cancel.
    sums = len(X) * float(X.max()) * float(dC_dy.max())
    largest = max(float(X.max()), float(np.abs(chain.dC_dy_o).max()), sums)
    return bool(smallest > tiny * 2**24 and largest * 2 ** (_K + _J) < float(limits.max) / 2**8)
