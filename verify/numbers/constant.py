"""Real numbers that formulas name, such as the root of one half; and the precision of Arb.

A Constant stands in a formula for the number itself: float arrays take the nearest number of their
dtype, balls an enclosure, bounded numbers the nearest float64 with the rounding of a dtype's.

Arb is imported when it is first needed: who only reads a formula, as a candidate's process does,
has no truth at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Arb computes with that many bits inside."""
    import flint

    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before


class Constant(NDArrayOperatorsMixin):
    """A real number, as a formula of Arb's type `arb`."""

    def __init__(self, formula: Callable[[Any], Any]) -> None:
        self._formula = formula

    def exactly(self) -> Any:
        """An enclosure in Arb's current precision."""
        from flint import arb

        return self._formula(arb)

    @cached_property
    def nearest(self) -> float:
        """The float64 nearest to it."""
        with precision(128):
            return float(self.exactly())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        others = [a for a in inputs if not isinstance(a, Constant)]
        if not others or not all(isinstance(a, np.ndarray | np.generic) for a in others):
            return NotImplemented
        dtype = np.result_type(*others)
        floats = (dtype.type(a.nearest) if isinstance(a, Constant) else a for a in inputs)
        return getattr(ufunc, method)(*floats, **options)
