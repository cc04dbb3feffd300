"""Further questions to a candidate: other data, other layouts, other gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from verify.judge.compare import Reference
from verify.network.bounds import Bounds
from verify.network.composed import Composed
from verify.network.given import other_inputs
from verify.network.network import POST
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
    """The problem with other inputs; then each of the parameters besides; then other labels."""
    half = problem.dtype.type(0.5)
    problem = replace(problem, X=np.ascontiguousarray(other_inputs(problem.X[::-1])))
    yield "other inputs, in the same arrays", problem
    if problem.work > OTHER_WORK:
        return
    for name, a in {**problem.parameters, **problem.state}.items():
        problem = problem.having(**{name: a * half})
        told = "other weights" if problem.network == POST else f"another {name}"
        yield f"{told}, in the same arrays", problem
    if problem.network.cost == "upstream":
        yield "an upstream gradient of 0, in the same array", replace(problem, P=0 * problem.P)
    turned = (np.roll(problem.P, 1, axis=axis) for axis in (0, 1))
    other = next((P for P in turned if not np.array_equal(P, problem.P)), None)
    if other is not None:
        yield "other labels, in the same arrays", replace(problem, P=np.ascontiguousarray(other))


def gradient_by(name: str, ref: Reference) -> tuple[Any, Any]:
    """dC_dX or, of the post's network, dC_dP = -log(y_o) / N, and how far it may be off.

    Both in float64 by the stable form, whose own error the bound of the dtype has room for twice.

    Shapes  dC_dX (N, D), dC_dP (N, K).
    """
    problem, bound = ref.problem, ref.bounds
    m, N = MODELS[str(problem.dtype)], len(problem.P)
    if name == "dC_dP" and isinstance(bound, Bounds):
        f = bound.forward
        log = f.largest_log
        return f.log / N, 2 * (f.log_error + (m.log + 2) * m.u * log) / N + 2 * m.tiny
    composed = bound if isinstance(bound, Composed) else Composed(problem, m)
    found = composed.links("wider")[name]
    return found.value, 2 * found.bound()
