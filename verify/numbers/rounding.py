"""The model of rounding: what correct arithmetic may do; products of magnitudes, from above.

The model (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.2 and 3.1)

  u is half the gap after 1, tiny the smallest normal number, gamma_n = n u / (1 - n u).
  + - * / round to nearest: fl(a op b) = (a op b)(1 + d), |d| <= u, plus at most tiny on underflow.
  An inner product of length n, in any order, blocked or fused: error <= gamma_n |x|.|w| + n tiny.
  exp and log err by at most `exp` u and `log` u, relatively (Model has the budgets).
  Outside the model: TF32 and other reduced products, Strassen-like products, fast-math.

Of 16 bits (bfloat16, float16) every operation is computed in float32 and its result rounded once;
an inner product or a sum accumulates in float32, too, and is rounded at its end: error
<= gamma_n |x|.|w| with float32's u, and u of the result besides. A program that keeps float32 from
one operation to the next rounds less often, and is within the same bounds. float16 underflows
gradually, and often: a result loses half of the least number, and half for a factor that has lost
it before, as programs take factors in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
Float64: TypeAlias = npt.NDArray[np.float64]


class Off(NamedTuple):
    """A value with how far it may be off.

    Units   off those of the value; both of one shape.
    """

    value: Any
    off: Any


@dataclass(frozen=True)
class Model:
    """What correct arithmetic may do: every constant of the bound, and nothing else.

    `sums` is the model in which inner products and sums accumulate, where that is another; `lost`
    what a result may lose where it underflows.

    Units   u, tiny, lost, largest, lowest_y absolute; exp, log in u; the rest counts of roundings,
            where the four sums are multiples of gamma_n.
    Source  exp, log: twice NumPy's own limits in ulp, plus half an ulp (measured: 3.6 u and 4.6 u
            in float32, 1.1 u and 1.3 u in float64). Of 16 bits: float32's budget, and the rounding
            of the result (measured of all arguments, in NumPy, ml_dtypes and torch: 0.995 u in
            bfloat16, 0.9994 u in float16, but torch.erf, which errs near 0).
    """

    u: float
    tiny: float
    lost: float
    largest: float
    lowest_y: float
    exp: float
    log: float
    tanh: float
    cosh: float
    erf: float
    erfc: float
    sums: Model | None = None
    sum_y: float = 1
    sum_C: float = 1
    sum_dC_dW: float = 1
    sigma: float = 2
    one_minus_sigma: float = 1
    stable: float = 5
    product: float = 5
    quotient: float = 4
    step: float = 2
    subtraction: float = 1

    def gamma(self, n: int, weight: float = 1) -> float:
        """Higham's gamma_n; infinite where n roundings can lose every digit."""
        nu = n * self.u
        return weight * (nu / (1 - nu)) if nu < 1 else np.inf

    @property
    def second_order(self) -> float:
        """What `settled` adds to an error, relatively: a formula has 4,096 roundings at most.

        Of 16 bits that would be many times the error: there each rounding is taken of the largest
        that may be computed, and what is left is float64's own.
        """
        return 2.0**-30 if self.sums else 4096 * self.u


_FLOAT32 = Model(
    u=2.0**-24,
    tiny=2.0**-126,
    lost=2.0**-126,
    largest=2.0**128,
    lowest_y=-87,
    exp=7,
    log=9,
    tanh=5,
    cosh=9,
    erf=5,
    erfc=9,
)


def _of_16_bits(u: float, **constants: float) -> Model:
    """float32's kernels, with one rounding to u of their results."""
    names = ("exp", "log", "tanh", "cosh", "erf", "erfc")
    kernels = {n: 1 + (1 + u) * getattr(_FLOAT32, n) * _FLOAT32.u / u for n in names}
    return Model(u=u, sums=_FLOAT32, **constants, **kernels)


MODELS: Mapping[str, Model] = {
    "float32": _FLOAT32,
    "bfloat16": _of_16_bits(
        2.0**-8, tiny=2.0**-126, lost=2.0**-126, largest=2.0**128 * (1 - 2.0**-8), lowest_y=-87
    ),
    "float16": _of_16_bits(2.0**-11, tiny=2.0**-14, lost=2.0**-24, largest=65504.0, lowest_y=-9),
    "float64": Model(
        u=2.0**-53,
        tiny=2.0**-1022,
        lost=2.0**-1022,
        largest=float(np.finfo(np.float64).max),
        lowest_y=-708,
        exp=4,
        log=4,
        tanh=5,
        cosh=6,
        erf=5,
        erfc=11,
    ),
}

EVALUATION = 1 + 1e-9  # covers the rounding with which a bound itself is evaluated
_HALF_WORK = 2**20  # N D K from which a pass over X costs more than a call
_HALF_SIZE = 2**20  # of N and D up to which a float32 sum keeps a digit


def absolute(X: Array, K: int) -> Array:
    """|X|, rounded to float32 where products with K columns are worth halving and X allows it.

    Shapes  X (N, D).
    """
    N, D = X.shape[-2:]
    if N * D * K >= _HALF_WORK and max(N, D) <= _HALF_SIZE:
        rounded = X.astype(np.float32)
        np.abs(rounded, out=rounded)
        largest = rounded.max(axis=-2)
        if ((largest == 0) | ((largest > 2.0**-20) & (largest < 2.0**20))).all():
            return rounded
    return np.abs(np.asarray(X, np.float64))


def magnitudes(A: Array, B: Array) -> Float64:
    """An upper bound of the product of two non-negative matrices; one of them may be |X|.

    A bound needs three digits, so that where |X| is float32 the product is, too, at half the cost.
    Its terms have lost n + 2 roundings, those of A and B with them, so that 1 + gamma_(n+2) of
    float32 makes up for it; a number below 2^-126 may have been flushed to 0, times 2^20 at most.

    Shapes  A (n, m), B (m, k) give (n, k).
    """
    if A.dtype == B.dtype:
        return np.asarray(A @ B)
    other, n = (B if A.dtype == np.float32 else A), A.shape[-1]
    if not 2.0**-60 <= other.max() < 2.0**20:
        return np.asarray((A @ B.astype(np.float64)) * (1 + 2.0**-23))
    product = (A.astype(np.float32) @ B.astype(np.float32)).astype(np.float64)
    return np.asarray(product * (1 + MODELS["float32"].gamma(n + 2)) + n * 2.0**-104)


def product(A: Float64, B: Float64) -> Float64:
    """An upper bound of the product of two matrices of what is not negative.

    A bound needs three digits: large products are taken in float32, at half the cost, where no
    number of it may overflow. Its terms have lost n + 2 roundings, and 1 + gamma_(n+2) makes up for
    it; what is below 2^-126 may have been flushed to 0, times 2^20 at most.

    Shapes  A (n, m), B (m, k) give (n, k); of stacks, each.
    """
    n, m, k = *A.shape[-2:], B.shape[-1]
    if n * m * k < _HALF_WORK or m > _HALF_SIZE or not (_is_middling(A) and _is_middling(B)):
        return np.asarray(A @ B)
    half = (A.astype(np.float32) @ B.astype(np.float32)).astype(np.float64)
    return np.asarray(half * (1 + MODELS["float32"].gamma(m + 2)) + m * 2.0**-104)


def _is_middling(A: Float64) -> bool:
    return bool(2.0**-60 <= A.max(initial=0) < 2.0**20)


def widened(links: Mapping[str, Any]) -> dict[str, Float64]:
    """Bounds by their links, with what their own evaluation may have lost."""
    return {link: np.asarray(bound * EVALUATION) for link, bound in links.items()}
