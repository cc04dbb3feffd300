"""Numbers of 16 bits whose sums accumulate in 16 bits: what a link is if that mistake is made.

Every operation is computed in float32 and rounded, as the model has it; but of a sum or an inner
product each partial sum is rounded, too, from the first term to the last; and so may be each
product before it is added.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.numbers import dtypes
from verify.numbers.constant import Constant
from verify.numbers.number import Number


class Narrow(Number):
    """An array of such numbers, kept in float32.

    Shapes  any.
    """

    def __init__(self, numbers: Any, dtype: str, products: bool = False) -> None:
        self.dtype, self.products = dtype, products
        self.numbers = dtypes.widened(dtypes.nearest(numbers, dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.numbers)

    def fixed(self) -> Narrow:
        return self

    def taken_for(self, number: float) -> Narrow:
        return self._of(np.full(self.shape, number, np.float32))

    def apply(self, operation: Any, *inputs: Any, **options: Any) -> Narrow:
        plain = [a.numbers if isinstance(a, Narrow) else _single(a) for a in inputs]
        if operation is np.matmul:
            a, b = plain
            terms = np.moveaxis(a, -1, 0)[..., None] * np.moveaxis(b, -2, 0)[..., None, :]
            return self._accumulated(self._of(terms).numbers if self.products else terms)
        if operation is np.sum:
            return self._summed(plain[0], **options)
        return self._of(operation(*plain, **options))

    def _of(self, numbers: Any) -> Narrow:
        return Narrow(numbers, self.dtype, self.products)

    def _accumulated(self, terms: Any) -> Narrow:
        """The sum over the first axis."""
        total = self._of(terms[0])
        for term in terms[1:]:
            total = self._of(total.numbers + term)
        return total

    def _summed(self, a: Any, axis: Any = None, keepdims: bool = False) -> Narrow:
        axes = tuple(range(a.ndim)) if axis is None else tuple(np.atleast_1d(axis) % a.ndim)
        first = np.moveaxis(a, axes, range(len(axes)))
        total = self._accumulated(first.reshape(-1, *first.shape[len(axes) :]))
        return self._of(np.expand_dims(total.numbers, axes)) if keepdims else total


def _single(a: Any) -> Any:
    """A constant or a Python number, as float32."""
    return np.float32(a.nearest if isinstance(a, Constant) else a)
