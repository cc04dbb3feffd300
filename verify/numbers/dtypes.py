"""The dtypes of numbers, by name: NumPy's own, and bfloat16 where ml_dtypes is there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from verify.errors import EnvironmentUnfit

SIXTEEN = ("bfloat16", "float16")  # whose sums accumulate in float32


ABSENT = "bfloat16 needs ml_dtypes, which is not installed here: pip install 'ml_dtypes>=0.4'"


def available(name: str) -> bool:
    """Whether there is such a dtype here."""
    if name == "bfloat16":
        try:
            import_module("ml_dtypes")  # NumPy knows the name from then on
        except ImportError:
            return False
    return True


def named(name: str) -> np.dtype[Any]:
    """The dtype of a name.

    Raises  EnvironmentUnfit for bfloat16 without ml_dtypes.
    """
    if not available(name):
        raise EnvironmentUnfit(ABSENT)
    return np.dtype(name)


def is_of_numbers(dtype: np.dtype[Any]) -> bool:
    """Whether an array of it is one of numbers: NumPy takes bfloat16 for bytes."""
    return dtype.kind in "fiub" or dtype.name in SIXTEEN


def nearest(numbers: Any, name: str) -> Any:
    """Each number's nearest in a dtype, ties to even.

    ml_dtypes goes from float64 to bfloat16 by way of float32, which rounds twice; rounded to odd on
    the way, a number stays on its side of a tie.

    Shapes  any; the same.
    Source  S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved
            algorithms using rounding to odd", IEEE Transactions on Computers 57 (2008).
    """
    a, dtype = np.asarray(numbers), named(name)
    if name == "bfloat16" and a.dtype == np.float64:
        with np.errstate(over="ignore"):
            single = a.astype(np.float32)
        bits = single.view(np.uint32)
        inexact = np.isfinite(single) & (single != a)
        toward_zero = bits - (np.abs(single) > np.abs(a))
        a = np.where(inexact, toward_zero | 1, bits).astype(np.uint32).view(np.float32)
    with np.errstate(over="ignore"):
        return a.astype(dtype)


def widened(a: Any) -> Any:
    """Numbers of 16 bits in float32, in which they are computed with; others as they are.

    Shapes  any; the same.
    """
    is_sixteen = getattr(getattr(a, "dtype", None), "name", "") in SIXTEEN
    return np.asarray(a, np.float32)[()] if is_sixteen else a
