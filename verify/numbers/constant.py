"""Real numbers that formulas name, such as the root of one half; and the precision of Arb.

A Constant stands in a formula for the number itself: float arrays take the nearest number of their
dtype, balls an enclosure, bounded numbers the nearest float64 with the rounding of a dtype's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flint
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Arb computes with that many bits inside."""
    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before


class Constant(NDArrayOperatorsMixin):
    """A real number; `exactly` encloses it in Arb's current precision."""

    def __init__(self, exactly: Callable[[], Any]) -> None:
        self.exactly = exactly
        with precision(128):
            self.nearest = float(exactly())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        others = [a for a in inputs if not isinstance(a, Constant)]
        if not others or not all(isinstance(a, np.ndarray | np.generic) for a in others):
            return NotImplemented
        dtype = np.result_type(*others)
        floats = (dtype.type(a.nearest) if isinstance(a, Constant) else a for a in inputs)
        return getattr(ufunc, method)(*floats, **options)
