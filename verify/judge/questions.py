"""Further questions to a candidate: other data, other layouts, other gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from verify.judge.compare import Reference
from verify.network import manual
from verify.network.problem import Problem
from verify.numbers.rounding import MODELS

LAYOUT_WORK = 2**16  # N D K up to which other layouts are tried on every case
OTHER_WORK = 2**20  # up to which other weights and labels are tried, too

LAYOUTS = {
    "F": "in Fortran order",
    "strided": "as every second column of a wider array",
    "slice": "as a column slice of a wider array",
    "reversed": "with negative strides",
    "read-only": "read-only",
}
"""How X, W and P are laid out, one of them at a time; and how that is told."""


def others(problem: Problem) -> Iterator[tuple[str, Problem]]:
    """The problem with other inputs; then with other weights besides; then other labels."""
    half = problem.dtype.type(0.5)
    problem = replace(problem, X=np.ascontiguousarray(problem.X[::-1] * half))
    yield "other inputs, in the same arrays", problem
    if problem.work > OTHER_WORK:
        return
    problem = problem.having(W=problem.W * half)
    yield "other weights, in the same arrays", problem
    turned = (np.roll(problem.P, 1, axis=axis) for axis in (0, 1))
    other = next((P for P in turned if not np.array_equal(P, problem.P)), None)
    if other is not None:
        yield "other labels, in the same arrays", replace(problem, P=np.ascontiguousarray(other))


def gradient_by(name: str, ref: Reference) -> tuple[Any, Any]:
    """dC_dX = dC_dy W^T or dC_dP = -log(y_o) / N in float64, and how far it may be off.

    Both by the stable form in float64, whose own error the bound of a narrower or the same dtype
    has room for twice.

    Shapes  dC_dX (N, D), dC_dP (N, K).
    """
    problem, f = ref.problem, ref.bounds.forward
    m, N, K = MODELS[str(problem.dtype)], *problem.P.shape
    if name == "dC_dP":
        log = f.largest_log
        return f.log / N, 2 * (f.log_error + (m.log + 2) * m.u * log) / N + 2 * m.tiny
    X, W, P = (np.asarray(a, np.float64) for a in (problem.X, problem.W, problem.P))
    wide, size = Problem(X, W, P, np.float64(problem.h)), np.abs(W).T
    dC_dy, g = manual.stable_form(wide).dC_dy, m.gamma(K + 1)
    off = (1 + g) * (ref.bounds.dC_dy("wider") @ size) + g * (np.abs(dC_dy) @ size)
    return dC_dy @ W.T, 2 * off + 2 * K * m.tiny * (1 + size.max())
