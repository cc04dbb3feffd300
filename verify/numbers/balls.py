"""Arrays of Arb balls: the same formula, run on them, encloses its exact value.

Every operation encloses all that its operands' balls may stand for. A comparison that a ball leaves
open is the ball [0, 1]; `where` then takes both branches, `maximum` what either may be.

Source  F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
        IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, reduce
from typing import Any

import flint
import numpy as np

from verify.numbers.constant import Constant
from verify.numbers.number import ERF, ERFC, Number, gather, integers, scatter
from verify.numbers.rounding import Float64

arb = flint.arb
OPEN = arb(0.5, 0.5)  # a comparison that is not decided: anything from 0 to 1


class Balls(Number):
    """An array of balls, as objects or as a matrix of Arb's, which has products.

    Each is made of the other when it is first asked for, because both are slow to make.

    Shapes  entries: an object array of flint.arb of any shape.
    """

    def __init__(self, entries: Any) -> None:
        self._made_of: Any = np.asarray(entries)

    @cached_property
    def entries(self) -> Any:
        a = self._made_of
        if a.dtype == object:
            return a
        return np.fromiter(map(arb, a.ravel().tolist()), object, a.size).reshape(a.shape)

    @cached_property
    def matrix(self) -> Any:
        return flint.arb_mat(self.shape[0], self.shape[1], self._made_of.ravel().tolist())

    @classmethod
    def of(cls, numbers: Any) -> Balls:
        """Floats as they are, without a radius.

        Shapes  any; the same.
        """
        return cls(np.asarray(numbers, np.float64))

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._made_of.shape
        return shape

    def fixed(self) -> Balls:
        """The midpoints."""
        return Balls(_each(lambda a: a.mid(), 1)(self.entries))

    def integers(self) -> Any:
        return integers(self._made_of)

    def taken_for(self, number: float) -> Balls:  # noqa: ARG002
        """The numbers themselves: what people take them for is not exact."""
        return self

    def apply(self, operation: Any, *inputs: Any, **options: Any) -> Balls:
        balls = [a if isinstance(a, Balls) else lifted(a) for a in inputs]
        if operation is np.matmul:
            return _product(*balls)
        if operation is np.matrix_transpose:
            found = Balls(np.swapaxes(balls[0]._made_of, -1, -2))
            if "matrix" in vars(balls[0]):
                found.matrix = balls[0].matrix.transpose()
            return found
        return Balls(FUNCTIONS[operation](*(b.entries for b in balls), **options))


def lifted(number: Any) -> Balls:
    """A float, an array of them or a Constant as Balls.

    Shapes  any; the same.
    """
    return Balls(number.exactly()) if isinstance(number, Constant) else Balls.of(number)


def enclosed(balls: Balls) -> tuple[Float64, Float64, Float64]:
    """(hi, lo, rad): each ball's midpoint as hi + lo to twice float64's digits, and its radius.

    hi and lo are roundings of the midpoint; what they can lose goes into rad.

    Shapes  those of the balls.
    """
    flat = balls.entries.ravel().tolist()
    hi = [float(b) for b in flat]
    lo = [float(b - h) for b, h in zip(flat, hi, strict=True)]
    rad = np.array([float(b.rad()) for b in flat]) * (1 + 2.0**-50)
    exact = [b.is_exact() and bool(b - h == low) for b, h, low in zip(flat, hi, lo, strict=True)]
    rad += np.where(exact, 0.0, np.abs(lo) * 2.0**-52 + 2.0**-1074)
    found = tuple(np.array(a).reshape(balls.shape) for a in (hi, lo, rad))
    return found[0], found[1], found[2]


def _each(function: Callable[..., Any], arguments: int) -> Any:
    return np.frompyfunc(function, arguments, 1)


def _product(a: Balls, b: Balls) -> Balls:
    product = a.matrix * b.matrix
    found = Balls(np.array(product.entries(), object).reshape(a.shape[0], b.shape[1]))
    found.matrix = product
    return found


def _comparison(decided: Callable[[Any, Any], bool], opposite: Callable[[Any, Any], bool]) -> Any:
    def compared(a: Any, b: Any) -> Any:
        return arb(1) if decided(a, b) else arb(0) if opposite(a, b) else OPEN

    return _each(compared, 2)


def _step(a: Any, at_zero: Any) -> Any:
    if a > 0:
        return arb(1)
    if a < 0:
        return arb(0)
    return at_zero if a == 0 else OPEN.union(at_zero)


def _taken(condition: Any, a: Any, b: Any) -> Any:
    return a if condition == 1 else b if condition == 0 else a.union(b)


def _root(a: Any) -> Any:
    """Of a number that has a root, though its ball may reach below 0."""
    open_ = not a >= 0 and a.upper() >= 0
    return arb(0).union(a.upper().sqrt()) if open_ else a.sqrt()


def _sum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return a.sum(axis=axis, keepdims=keepdims)


def _mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    whole = _sum(a, axis, keepdims)
    return whole / (a.size // np.size(whole))


def _max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """An enclosure of the maximum, not the entry with the largest midpoint."""
    if axis is None:
        largest = reduce(lambda p, q: p.max(q), a.ravel().tolist())
        return np.full((1,) * a.ndim, largest, object) if keepdims else largest
    rows = np.moveaxis(a, axis, 0)
    largest = reduce(_each(lambda p, q: p.max(q), 2), rows)
    return np.expand_dims(largest, axis) if keepdims else largest


def _scattered(a: Any, index: Any, rows: int) -> Any:
    return _each(arb, 1)(scatter(a, index, rows))


FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    np.add: np.add,
    np.subtract: np.subtract,
    np.multiply: np.multiply,
    np.divide: np.divide,
    np.negative: np.negative,
    np.square: _each(lambda a: a * a, 1),
    np.sqrt: _each(_root, 1),
    np.exp: _each(lambda a: a.exp(), 1),
    np.expm1: _each(lambda a: a.expm1(), 1),
    np.log: _each(lambda a: a.log(), 1),
    np.log1p: _each(lambda a: a.log1p(), 1),
    np.tanh: _each(lambda a: a.tanh(), 1),
    np.cosh: _each(lambda a: a.cosh(), 1),
    ERF: _each(lambda a: a.erf(), 1),
    ERFC: _each(lambda a: a.erfc(), 1),
    np.absolute: _each(abs, 1),
    np.maximum: _each(lambda a, b: a.max(b), 2),
    np.minimum: _each(lambda a, b: a.min(b), 2),
    np.heaviside: _each(_step, 2),
    np.greater: _comparison(lambda a, b: a > b, lambda a, b: a <= b),
    np.greater_equal: _comparison(lambda a, b: a >= b, lambda a, b: a < b),
    np.less: _comparison(lambda a, b: a < b, lambda a, b: a >= b),
    np.less_equal: _comparison(lambda a, b: a <= b, lambda a, b: a > b),
    np.where: _each(_taken, 3),
    np.sum: _sum,
    np.mean: _mean,
    np.max: _max,
    np.expand_dims: np.expand_dims,
    np.broadcast_to: np.broadcast_to,
    gather: gather,
    scatter: _scattered,
}
