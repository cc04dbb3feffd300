"""Before it judges a stranger, the suite tests itself, on this machine: right passes, wrong fails.

The bounds hold for kernels within their budgets; so exp, log and what is made of them are measured
against exact values first. Then manual must pass, and a handful of planted faults must be caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import flint
import numpy as np

from verify.candidate.candidate import of_function
from verify.errors import EnvironmentUnfit, VerifyError
from verify.faults.table import FAULTS, Fault
from verify.judge import compare
from verify.judge.result import Finding, Verdict
from verify.judge.trial import tried
from verify.network import manual, twin
from verify.network.problem import DTYPES, LINKS, Problem
from verify.numbers.dtypes import SIXTEEN, available, named, nearest
from verify.numbers.rounding import MODELS, Model
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


def proven(device: str = "cpu", asked: Iterable[str] = ()) -> str:
    """What was proven, in a sentence; of 16 bits too, where these dtypes are among those asked.

    Raises  EnvironmentUnfit for a kernel outside its budget; VerifyError where a planted fault is
            not seen, or a right answer is not passed: then this suite is broken here.
    """
    sixteen = sorted(filter(available, {*asked} & {*SIXTEEN}))
    worst = max([*fit(device).values(), *(fit(device, sixteen).values() if sixteen else ())])
    for dtype in (*DTYPES, *sixteen):
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
    X, W, P, h = (nearest(a, dtype)[()] for a in (X, W, P, 0.25))
    return Problem(X, W, P, h)


def _manual(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    return dict(manual.stable(Problem(X, W, P, h)))


ARGUMENTS = 2**16
# Where NumPy's float32 kernels with AVX2 were measured to be worst, of all arguments.
WORST = {"exp": (-62.02950668334961,), "log": (0.7464123964309692, 0.782856285572052)}
BUDGETS: Mapping[str, Callable[[Model], float]] = {
    "exp": lambda m: m.exp,
    "log": lambda m: m.log,
    "sigmoid": lambda m: m.exp + m.sigma,  # 1 / (1 + e^-x): the error of e^-x, and two roundings
}
Kernels: TypeAlias = Mapping[str, Callable[[Any], Any]]


def kernel_errors(kernels: Kernels, dtype: str) -> dict[str, float]:
    """The largest relative error of each kernel on a fixed set of arguments.

    Units   u of the dtype; normal results only.
    """
    u, worst = MODELS[dtype].u, {}
    for name, kernel in kernels.items():
        function = name.rpartition(".")[2]
        x, hi, lo = _exactly(function, dtype)
        with np.errstate(all="ignore"):
            found = np.asarray(kernel(x), np.float64)
            error = np.abs((found - hi) - lo) / np.abs(hi)
        normal = (np.abs(hi) >= MODELS[dtype].tiny) & (np.abs(hi) < MODELS[dtype].largest)
        worst[name] = float(np.max(error[normal])) / u
    return worst


def fit(device: str = "cpu", dtypes: Sequence[str] = DTYPES) -> dict[str, float]:
    """The measured errors of NumPy's and torch's kernels, of each dtype, by name.

    Raises  EnvironmentUnfit naming the kernel whose error exceeds its budget.
    """
    all_measured = {}
    for dtype in dtypes:
        found = kernel_errors({**NUMPY, **twin.kernels(device)}, dtype)
        for name, error in found.items():
            budget = BUDGETS[name.rpartition(".")[2]](MODELS[dtype])
            if not error <= budget:
                raise EnvironmentUnfit(
                    f"{name} in {dtype} errs by {error:.3g} u, its budget is {budget:g} u; the"
                    " bounds do not hold on this machine, and no candidate can be judged on it"
                )
            all_measured[f"{name} {dtype}"] = error
    return all_measured


NUMPY: Kernels = {"numpy.exp": np.exp, "numpy.log": np.log}


def arguments(function: str, dtype: str) -> Any:
    """A fixed set that covers the range of the kernel, with the known worst ones; of 16 bits all.

    Shapes  (ARGUMENTS + some,); of 16 bits fewer.
    """
    lowest = abs(MODELS[dtype].lowest_y)
    if dtype in SIXTEEN:
        x = np.arange(2**16, dtype=np.uint16).view(named(dtype))
        with np.errstate(invalid="ignore"):  # some are signalling NaNs
            x = x[np.isfinite(x)]
        return x[x > 0] if function == "log" else x[np.abs(x) < lowest]
    if function != "log":
        half = np.linspace(-lowest, lowest, ARGUMENTS // 2)
        small = np.geomspace(2.0**-30, 1, ARGUMENTS // 4)
        x = np.concatenate([half, small, -small])
    else:
        near = 1 + np.linspace(-0.5, 1, ARGUMENTS // 2)
        x = np.concatenate([near, np.geomspace(np.exp(-lowest), np.exp(lowest), ARGUMENTS // 2)])
    return np.concatenate([x, WORST.get(function, ())]).astype(dtype)


_EXACT: Mapping[str, Callable[[Any], Any]] = {
    "exp": lambda ball: ball.exp(),
    "log": lambda ball: ball.log(),
    "sigmoid": lambda ball: 1 / (1 + (-ball).exp()),
}


@cache
def _exactly(function: str, dtype: str) -> tuple[Any, Any, Any]:
    """The arguments and their exact values, to twice float64's digits; for every kernel alike."""
    x = arguments(function, dtype)
    before, flint.ctx.prec = flint.ctx.prec, 106
    try:
        balls = [_EXACT[function](flint.arb(float(v))) for v in x]
        hi = [float(b) for b in balls]
        lo = [float(b - h) for b, h in zip(balls, hi, strict=True)]
        return x, np.array(hi), np.array(lo)
    finally:
        flint.ctx.prec = before
