"""Before it judges a stranger, the suite proves itself: right passes here, and wrong fails."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.candidate.candidate import of_function
from verify.errors import VerifyError
from verify.faults.table import FAULTS, Fault
from verify.judge import compare, probe
from verify.judge.result import Finding, Verdict
from verify.judge.trial import tried
from verify.network import manual
from verify.network.problem import DTYPES, LINKS, Problem
from verify.scenario import draw

PLANTED = (
    "pre-activation-negated",
    "cost-mean-of-all",
    "sigmoid-derivative-forgotten",
    "gradient-zero",
    "single-precision-inside",
    "step-forgotten",
    "momentum",
)
_SIZES = {"N": 11, "D": 5, "K": 3}


def proven(device: str = "cpu") -> str:
    """What was proven, in a sentence.

    Raises  EnvironmentUnfit for a kernel outside its budget; VerifyError where a planted fault is
            not seen, or a right answer is not passed: then this suite is broken here.
    """
    worst = max(probe.fit(device).values())
    for dtype in DTYPES:
        with np.errstate(all="ignore"):
            ref = compare.reference(_problem(dtype), budget=2.0**20)
            right = tried(of_function(_manual, "manual"), ref)
            unseen = [name for name in PLANTED if dtype == "float64"
                      and caught_by(FAULTS[name], ref) is None]  # fmt: skip
        if right.findings or unseen:
            what = right.findings[0].message if right.findings else f"{unseen[0]} is not seen"
            raise VerifyError(f"the suite does not judge rightly here: {what} ({dtype})")
    return (
        f"proven first: kernels within budget (worst {worst:.2g} u), manual passes,"
        f" {len(PLANTED)} planted faults fail"
    )


def caught_by(fault: Fault, ref: compare.Reference) -> Finding | None:
    """What gives a fault away on one problem: the first failure, in the post's order."""
    planted = of_function(fault.make(), fault.name, fault.arrays)
    trial = tried(planted, ref, in_full=not fault.formula, explained=False)
    failed = [f for f in trial.findings if f.verdict is not Verdict.PASS]
    order = {link: i for i, link in enumerate(LINKS)}
    return min(failed, key=lambda f: order.get(f.link or "", -1), default=None)


def _problem(dtype: str) -> Problem:
    N, D, K = _SIZES.values()
    X = draw.values("normal", "X", 0, (N, D), 1.0)
    W = draw.values("normal", "W", 0, (D, K), 1.0)
    P = draw.labels("soft", "P", 0, (N, K))
    X, W, P = (a.astype(dtype) for a in (X, W, P))
    return Problem(X, W, P, np.dtype(dtype).type(0.25))


def _manual(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    return dict(manual.stable_form(Problem(X, W, P, h)))
