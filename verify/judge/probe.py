"""Whether this machine, and this suite on it, can be trusted to judge a stranger.

The bounds hold for kernels within their budgets; so exp, log and what is made of them are measured
against exact values first. Then a handful of planted faults must be caught.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import flint
import numpy as np

from verify.errors import EnvironmentUnfit
from verify.network import twin
from verify.network.problem import DTYPES
from verify.numbers.rounding import MODELS, Model

COUNT = 2**16
# Where NumPy's float32 kernels with AVX2 were measured to be worst, of all arguments.
WORST = {"exp": (-62.02950668334961,), "log": (0.7464123964309692, 0.782856285572052)}
BUDGETS: Mapping[str, Callable[[Model], float]] = {
    "exp": lambda m: m.exp,
    "log": lambda m: m.log,
    "sigmoid": lambda m: m.exp + m.sigma,  # 1 / (1 + e^-x): the error of e^-x, and two roundings
}
Kernels: TypeAlias = Mapping[str, Callable[[Any], Any]]


def measured(kernels: Kernels, dtype: str) -> dict[str, float]:
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
        normal = np.abs(hi) >= MODELS[dtype].tiny
        worst[name] = float(np.max(error[normal])) / u
    return worst


def fit(device: str = "cpu") -> dict[str, float]:
    """The measured errors of NumPy's and torch's kernels, both dtypes, by name.

    Raises  EnvironmentUnfit naming the kernel whose error exceeds its budget.
    """
    all_measured = {}
    for dtype in DTYPES:
        found = measured({**NUMPY, **twin.kernels(device)}, dtype)
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
    """A fixed set that covers the range of the kernel, with the known worst ones.

    Shapes  (COUNT + some,).
    """
    lowest = abs(MODELS[dtype].lowest_y)
    if function != "log":
        half = np.linspace(-lowest, lowest, COUNT // 2)
        small = np.geomspace(2.0**-30, 1, COUNT // 4)
        x = np.concatenate([half, small, -small])
    else:
        near = 1 + np.linspace(-0.5, 1, COUNT // 2)
        x = np.concatenate([near, np.geomspace(np.exp(-lowest), np.exp(lowest), COUNT // 2)])
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
