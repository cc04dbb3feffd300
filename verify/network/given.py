"""What a function of a problem is given, by name: which of it is what, and in which order.

X W b P G      inputs, parameters, labels or the upstream gradient
h              the step size
mW vW t        what an update keeps of each parameter, and the number of the step
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from verify.errors import UsageError
from verify.numbers.rounding import Array


def called_with(arrays: Mapping[str, Any], h: Mapping[str, Any], t: int | None) -> dict[str, Any]:
    """Arrays by name with h and t at their places: h follows the labels, t is last.

    Shapes  any.
    """
    state = {name: a for name, a in arrays.items() if is_state(name)}
    found = {name: a for name, a in arrays.items() if name not in state}
    return {**found, **h, **state, **({} if t is None else {"t": t})}


def differentiable(given: Mapping[str, Any]) -> list[str]:
    """Those of some numbers that C has a derivative by: no row numbers, h, G, or what is kept."""
    of = (n for n in given if n not in ("h", "G") and not is_state(n))
    return [n for n in of if np.asarray(given[n]).dtype.kind not in "iub"]


def other_inputs(X: Array) -> Array:
    """Inputs that differ from some, of the same kind: half of them, or other row numbers.

    Shapes  any; the same.
    """
    return X.max() - X if X.dtype.kind == "i" else X * X.dtype.type(0.5)


def is_state(name: str) -> bool:
    """Whether a number is what an update keeps from step to step, or the number of the step."""
    return bool(re.fullmatch(r"[mv](W|b|gamma|beta)\d*|t", name))


def kept(of: Mapping[str, Array], state: Mapping[str, Any], t: int) -> dict[str, Any]:
    """What an update keeps, by name, 0 where nothing is given, `of` some parameters.

    Shapes  each that of its parameter.
    Raises  UsageError for state of other names or shapes, and for a step before the first.
    """
    unfit = [n for n, a in state.items() if n not in of or np.shape(a) != np.shape(of[n])]
    if unfit or t < 1:
        what = f"{unfit[0]} {np.shape(state[unfit[0]])}" if unfit else f"t = {t}"
        raise UsageError(
            f"{what} does not fit; the update keeps {', '.join(of) or 'nothing'}, each of its"
            " parameter's shape, and t is 1 or more"
        )
    return {name: state.get(name, np.zeros_like(a)) for name, a in of.items()}


def require_rows(X: Array, parameters: Mapping[str, Array], name: str) -> None:
    """Raise unless X holds row numbers of a parameter.

    Shapes  X (N, D), the parameter (V, E).
    Raises  UsageError for numbers of another dtype than int64, and beyond its rows.
    """
    rows = parameters[name].shape[-2]
    if X.dtype != np.int64 or X.min() < 0 or X.max() >= rows:
        raise UsageError(
            f"X is {X.dtype}, {X.min()} to {X.max()}; an embedding takes int64, row numbers of"
            f" {name}: 0 to {rows - 1}"
        )
