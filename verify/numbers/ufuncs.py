"""NumPy's ufuncs entry by entry: each as a function of shadows.

Those of TRUTHS give truths of Python's; all others shadows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from verify.numbers import elementary
from verify.numbers.comparisons import equal, greater, greater_equal
from verify.numbers.run import unfollowed
from verify.numbers.shadow import added, divided, lifted, multiplied, negated, subtracted


def entries(ufunc: Any) -> Any:
    """A ufunc of arrays of shadows as Python objects.

    Raises  Unfollowed where it has no exact rule.
    """
    if set("".join(ufunc.types)) <= set("O->"):  # made of a function of Python's
        return ufunc
    if ufunc in UFUNCS:
        return UFUNCS[ufunc]
    if ufunc.__name__ in elementary.FUNCTIONS:  # SciPy's
        return _unary(ufunc.__name__)
    raise unfollowed(f"calls numpy.{ufunc.__name__}, which has no exact rule here")


def _ufunc(function: Callable[..., Any], arguments: int = 2) -> Any:
    return np.frompyfunc(function, arguments, 1, identity=None)


def _unary(name: str) -> Any:
    return np.frompyfunc(lambda a: elementary.of(name, a), 1, 1)


def _whole_by(name: str) -> Any:
    return np.frompyfunc(lambda a: elementary.whole(name, a), 1, 1)


TRUTHS: Mapping[Any, Any] = {
    np.greater: _ufunc(greater),
    np.greater_equal: _ufunc(greater_equal),
    np.less: _ufunc(lambda a, b: greater(b, a)),
    np.less_equal: _ufunc(lambda a, b: greater_equal(b, a)),
    np.equal: _ufunc(equal),
    np.not_equal: _ufunc(lambda a, b: not equal(a, b)),
    np.logical_not: _ufunc(lambda a: not a, 1),
    np.logical_and: _ufunc(lambda a, b: bool(a) and bool(b)),
    np.logical_or: _ufunc(lambda a, b: bool(a) or bool(b)),
    np.logical_xor: _ufunc(lambda a, b: bool(a) != bool(b)),
    np.isfinite: _ufunc(lambda a: a.ball.is_finite(), 1),
    np.isnan: _ufunc(lambda a: a.ball.is_nan(), 1),
    np.isinf: _ufunc(lambda a: not (a.ball.is_finite() or a.ball.is_nan()), 1),
    np.signbit: _ufunc(lambda a: greater(lifted(0), a), 1),
}  # fmt: skip

UFUNCS: Mapping[Any, Any] = {
    np.add: _ufunc(added),
    np.subtract: _ufunc(subtracted),
    np.multiply: _ufunc(multiplied),
    np.divide: _ufunc(divided),
    np.negative: _ufunc(negated, 1),
    np.positive: _ufunc(lambda a: a, 1),
    np.conjugate: _ufunc(lambda a: a, 1),
    np.power: _ufunc(elementary.power),
    np.float_power: _ufunc(elementary.power),
    np.remainder: _ufunc(elementary.remainder),
    np.floor_divide: _ufunc(lambda a, b: elementary.whole("floor", divided(a, b))),
    np.hypot: _ufunc(elementary.hypotenuse),
    np.arctan2: _ufunc(elementary.arctan2),
    np.logaddexp: _ufunc(elementary.log_of_sum),
    np.absolute: _ufunc(elementary.absolute, 1),
    np.fabs: _ufunc(elementary.absolute, 1),
    np.sign: _ufunc(elementary.sign, 1),
    np.maximum: _ufunc(elementary.larger),
    np.fmax: _ufunc(elementary.larger),
    np.minimum: _ufunc(elementary.smaller),
    np.fmin: _ufunc(elementary.smaller),
    np.heaviside: _ufunc(
        lambda a, b: lifted(1) if greater(a, lifted(0)) else b if equal(a, lifted(0)) else lifted(0)
    ),
    np.copysign: _ufunc(
        lambda a, b: negated(elementary.absolute(a))
        if greater(lifted(0), b)
        else elementary.absolute(a)
    ),
    **{
        getattr(np, name): _unary(name)
        for name in elementary.FUNCTIONS
        if hasattr(np, name)
    },
    **{getattr(np, name): _whole_by(name) for name in ("floor", "ceil", "trunc", "rint")},
    **TRUTHS,
}  # fmt: skip
