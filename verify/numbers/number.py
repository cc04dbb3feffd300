"""What every kind of number shares: NumPy's operators, functions and methods, by one closed table.

A formula is written once, as plain NumPy, and run on float arrays or on a kind of number. A kind is
a subclass of Number with an `apply`, which looks an operation up in the kind's own table. What is
not in the table raises TypeError with its name: nothing passes in silence.

    operators            + - * / @ ** 2, comparisons
    ufuncs               those of OPERATIONS; erf and erfc of this module, which NumPy lacks
    functions, methods   sum, mean, max, where, matrix_transpose; .sum .mean .max .mT .shape .ndim
    rows by number       gather and scatter of this module, for a[index] and numpy.add.at
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

ERF = np.frompyfunc(math.erf, 1, 1)
ERFC = np.frompyfunc(math.erfc, 1, 1)


def gather(a: Any, index: Any) -> Any:
    """Rows of a matrix by their numbers; those of one row of the index side by side.

    Shapes  a (V, E), index (N, D) give (N, D E).
    """
    if isinstance(a, Number):
        return a.apply(gather, a, index)
    rows = integers(index)
    return np.reshape(a[rows], (len(rows), -1))


def scatter(a: Any, index: Any, rows: int) -> Any:
    """The other way: each part of a row is added to the row of the result that the index names.

    Shapes  a (N, D E), index (N, D) give (rows, E).
    """
    if isinstance(a, Number):
        return a.apply(scatter, a, index, rows=rows)
    to = integers(index)
    found = np.zeros((rows, a.shape[-1] // to.shape[-1]), a.dtype)
    np.add.at(found, to, np.reshape(a, (*to.shape, -1)))
    return found


# What a formula may ask of a number; each kind has a rule for every one of them.
OPERATIONS = frozenset((
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.matmul,
    np.square, np.sqrt, np.exp, np.expm1, np.log, np.log1p, np.tanh, np.cosh, ERF, ERFC,
    np.absolute, np.maximum, np.minimum, np.heaviside,
    np.greater, np.greater_equal, np.less, np.less_equal,
    np.where, np.sum, np.mean, np.max, np.matrix_transpose, np.expand_dims, np.broadcast_to,
    gather, scatter,
))  # fmt: skip


# What follows the number in a call by places.
_PLACES = {
    np.sum: ("axis",), np.mean: ("axis",), np.max: ("axis",), np.expand_dims: ("axis",),
    np.broadcast_to: ("shape",),
}  # fmt: skip


def name(operation: Any) -> str:
    """What NumPy calls an operation."""
    return {ERF: "erf", ERFC: "erfc"}.get(operation) or operation.__name__


class Number(NDArrayOperatorsMixin):
    """An array of a kind of number, to which NumPy's own operators and functions apply."""

    rank: ClassVar[int] = 0  # a kind that holds numbers of other kinds is above them

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    def fixed(self) -> Any:
        """The same numbers, held: what a formula does not depend on, though it computes with it."""
        raise NotImplementedError

    def integers(self) -> Any:
        """The same numbers as plain whole ones, where they say which row, or how often.

        Shapes  those of the number.
        """
        raise NotImplementedError

    def taken_for(self, number: float) -> Any:
        """Where people take what is `number` but for the rounding of its terms for the number.

        Shapes  those of the number.
        """
        raise NotImplementedError

    def apply(self, operation: Any, *inputs: Any, **options: Any) -> Any:
        """The result of an operation of OPERATIONS on numbers of this kind, floats and constants.

        Shapes  those of NumPy's operation.
        """
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if self._is_below(inputs):
            return NotImplemented
        if ufunc is np.power and np.ndim(inputs[1]) == 0 and inputs[1] == 2:
            ufunc, inputs = np.square, inputs[:1]
        if options or method != "__call__" or ufunc not in OPERATIONS:
            called = name(ufunc) + ("" if method == "__call__" else f".{method}")
            raise self.not_one(called + (f" with {', '.join(options)}=" if options else ""))
        return self.apply(ufunc, *inputs)

    def __array_function__(
        self, function: Any, types: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if self._is_below(inputs):
            return NotImplemented
        if function in (np.shape, np.ndim):
            return getattr(inputs[0], function.__name__)
        if function not in OPERATIONS:
            raise self.not_one(f"numpy.{function.__name__}")
        numbers = inputs if function is np.where else inputs[:1]
        named = zip(_PLACES.get(function, ()), inputs[len(numbers) :], strict=False)
        return self.apply(function, *numbers, **dict(named), **options)

    def _is_below(self, inputs: tuple[Any, ...]) -> bool:
        return any(isinstance(a, Number) and a.rank > self.rank for a in inputs)

    def __bool__(self) -> bool:
        raise self.not_one("the truth of an array, as `if` and `and` ask for it")

    def not_one(self, what: str) -> TypeError:
        """What to raise for an operation that this kind of number does not have."""
        known = ", ".join(sorted(name(operation) for operation in OPERATIONS))
        return TypeError(f"{type(self).__name__} has no rule for {what}; it has {known}")

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def mT(self) -> Any:
        return self.apply(np.matrix_transpose, self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As ndarray.sum.

        Shapes  those of ndarray.sum.
        """
        return self.apply(np.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As ndarray.mean.

        Shapes  those of ndarray.mean.
        """
        return self.apply(np.mean, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As ndarray.max.

        Shapes  those of ndarray.max.
        """
        return self.apply(np.max, self, axis=axis, keepdims=keepdims)


def erf(a: Any) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of e^-t^2 from 0 to a.

    Shapes  any; the same.
    """
    return _special(ERF, a)


def erfc(a: Any) -> Any:
    """1 - erf(a), without its cancellation.

    Shapes  any; the same.
    """
    return _special(ERFC, a)


def fixed(a: Any) -> Any:
    """Numbers that cancel from a formula, such as the shift of a softmax: held, without an error.

    Shapes  any; the same.
    """
    return a.fixed() if isinstance(a, Number) else a


def taken_for(a: Any, number: float) -> Any:
    """Where people take what is `number` but for the rounding of its terms for the number itself.

    Shapes  any; the same.
    """
    return a.taken_for(number) if isinstance(a, Number) else number


def integers(a: Any) -> Any:
    """Numbers of any kind that say which row, or how often, as plain whole numbers.

    Shapes  any; the same.
    """
    return a.integers() if isinstance(a, Number) else np.asarray(a, np.float64).astype(np.int64)


def power(a: Any, count: Any) -> Any:
    """a times itself, `count` times in all, 1 or more.

    Shapes  a any, count (); the same as a.
    """
    found = a
    for bit in f"{int(integers(count)):b}"[1:]:
        found = found * found
        found = found * a if bit == "1" else found
    return found


def _special(ufunc: Any, a: Any) -> Any:
    if isinstance(a, Number):
        return ufunc(a)
    return np.asarray(ufunc(a), np.result_type(a))[()]
