"""Kinds of cases that planted faults need to be seen, computed from the data of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from verify.network.problem import Problem
from verify.scenario.cases import Case

KINDS: Mapping[str, Callable[[Problem, Case], Any]] = {
    "more than one row": lambda p, c: len(p.X) > 1,
    "one row": lambda p, c: len(p.X) == 1,
    "more than one class": lambda p, c: p.W.shape[1] > 1,
    "one class": lambda p, c: p.W.shape[1] == 1,
    "one feature": lambda p, c: p.X.shape[1] == 1,
    "three distinct sizes above 1": lambda p, c: len({*p.sizes.values(), 1}) == 4,
    "soft labels": lambda p, c: ((p.P > 0) & (p.P < 1)).any(),
    "several labels in a row": lambda p, c: (p.P.sum(axis=1) > 1.5).any(),
    "labels above 1": lambda p, c: (p.P > 1).any(),
    "rows without a label": lambda p, c: (p.P.sum(axis=1) == 0).any(),
    "inputs with fractions": lambda p, c: (np.trunc(p.X) != p.X).any(),
    "large gradients": lambda p, c: _steepest(p) > 1,
    "y below -30": lambda p, c: (p.X @ p.W).min() < -30,
    "y above 7 at a label": lambda p, c: ((p.X @ p.W)[p.P > 0] > 7).any(),
    "beyond the post form": lambda p, c: c.expect.post_form == "nonfinite",
    "y below -1000 at a label": lambda p, c: (p.X @ p.W)[p.P > 0].min() < -1000,
    "y of -36 to -20 at a label, float64": lambda p, c: (
        c.dtype == "float64" and _between(-36, p.X @ p.W, -20)[p.P > 0].any()
    ),
    "y of 64 to 500 at a label": lambda p, c: _between(64, p.X @ p.W, 500)[p.P > 0].any(),
    "y above 500 at a label": lambda p, c: ((p.X @ p.W)[p.P > 0] > 500).any(),
    "weights of 0": lambda p, c: not p.W.any(),
    "rows of zeros": lambda p, c: not p.X.any(axis=1).all(),
    "inputs mostly 0": lambda p, c: 10 * np.count_nonzero(p.X) <= p.X.size,
    "an input of -0": lambda p, c: (np.signbit(p.X) & (p.X == 0)).any(),
    "inputs below 1e-12": lambda p, c: np.abs(p.X[p.X != 0]).min(initial=1) < 1e-12,
    "inputs above 1e8": lambda p, c: np.abs(p.X).max() > 1e8,
    "labels below 1e-5": lambda p, c: p.P[p.P > 0].min(initial=1) < 1e-5,
    "labels above 100": lambda p, c: p.P.max() > 100,
    "gradients below 1e-12": lambda p, c: _steepest(p) < 1e-12,
    "gradients above 1e8": lambda p, c: _steepest(p) > 1e8,
    "rows that are no blocks of 2,048": lambda p, c: len(p.X) > 2048 and len(p.X) % 2048,
    "rows that are no chunks of 5,000": lambda p, c: len(p.X) > 5000 and len(p.X) % 5000,
    "more than 65,535 rows": lambda p, c: len(p.X) > 65535,
    "features that leave 7 of 8": lambda p, c: p.X.shape[1] > 8 and p.X.shape[1] % 8 == 7,
    "features by a power of two": lambda p, c: p.X.shape[1] in (16, 32, 64, 128, 256, 512),
    "more than 1,024 features": lambda p, c: p.X.shape[1] > 1024,
    "more than 50 features a row": lambda p, c: p.X.shape[1] > 50 * len(p.X),
    "eight classes": lambda p, c: p.W.shape[1] == 8,
    "11 to 63 classes, no blocks of 8": lambda p, c: 10 < p.W.shape[1] < 64 and p.W.shape[1] % 8,
    "more than 128 classes": lambda p, c: p.W.shape[1] > 128,
    "blind for the post form": lambda p, c: c.expect.post_form == "blind",
    "strided inputs": lambda p, c: c.layout == "strided",
    "Fortran order": lambda p, c: c.layout == "F",
    "several steps": lambda p, c: c.steps > 1,
    "uneven batches": lambda p, c: c.sizes.N % c.sizes.batch != 0,
    "a step of 1 or more": lambda p, c: p.h >= 1,
    "float32": lambda p, c: c.dtype == "float32",
    "float64": lambda p, c: c.dtype == "float64",
}


def kinds_of(problem: Problem, case: Case) -> frozenset[str]:
    """What a case is, computed from its data.

    Shapes  as Problem.
    """
    return frozenset(kind for kind, holds in KINDS.items() if holds(problem, case))


def _between(low: float, y: Any, high: float) -> Any:
    return (low < y) & (y < high)


def _steepest(problem: Problem) -> float:
    dC_dy = problem.P / (1 + np.exp(np.minimum(problem.X @ problem.W, 80))) / len(problem.X)
    return float(np.abs(problem.X.T @ dC_dy).max())
