"""Exact derivatives of a formula on any kind of number: reverse mode, by the operations' own rules.

A formula is run on Recorded numbers, which remember what they were made of; going back once gives
the derivative by every input. Each rule is an identity of calculus for one operation. Run on balls
it encloses the derivative, because every operand is a ball; at a kink it encloses every slope that
lies between those on its sides.

Source  A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., chapter 3; at kinks F. Clarke,
        Optimization and Nonsmooth Analysis, 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from verify.numbers import number
from verify.numbers.constant import Constant
from verify.numbers.number import ERF, ERFC, Number, gather, scatter

Back: TypeAlias = Callable[[Any], Any]  # the derivative by a result -> that by one of its inputs


class Recorded(Number):
    """A number of any kind, with what it was made of; computed when it is asked for.

    What only a derivative is taken of, as the product X W is by W, is never computed.

    Shapes  those of `number`.
    """

    rank = 1

    def __init__(
        self,
        number: Any,
        made_of: Sequence[tuple[Recorded, Back]] = (),
        varies: bool = True,
        later: Callable[[], Any] | None = None,
    ) -> None:
        self._number = number
        self._later = later
        self.made_of = made_of
        self.varies = varies

    @property
    def number(self) -> Any:
        if self._later is not None:
            self._number, self._later = self._later(), None
        return self._number

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.number)

    def fixed(self) -> Recorded:
        return Recorded(number.fixed(self.number), varies=False)

    def integers(self) -> Any:
        return number.integers(self.number)

    def taken_for(self, known: float) -> Recorded:
        return Recorded(number.taken_for(self.number, known), varies=False)

    def apply(self, operation: Any, *inputs: Any, **options: Any) -> Recorded:
        recorded = [a if isinstance(a, Recorded) else Recorded(a, varies=False) for a in inputs]

        def later() -> Any:
            return operation(*(a.number for a in recorded), **options)

        if not any(a.varies for a in recorded) or operation in STEPS:
            return Recorded(None, varies=False, later=later)
        result = Recorded(None, later=later)
        back = BACK[operation](result, *(a.number for a in recorded), **options)
        result.made_of = [(a, b) for a, b in zip(recorded, back, strict=True) if a.varies]
        return result


def derivatives(result: Recorded, by: Sequence[Recorded], upstream: Any = 1.0) -> list[Any]:
    """The derivative of sum(upstream * result) by each of some numbers that it was made of.

    None for a number that it does not depend on.

    Shapes  upstream () or that of result; each derivative that of its number.
    Source  reverse mode: the derivative by a number is the sum over what it went into.
    """
    found: dict[int, Any] = {id(result): _like(upstream, result)}
    for made in _backwards(result):
        of_made = found[id(made)]
        for a, back in made.made_of:
            part = _gathered(back(of_made), a.shape)
            found[id(a)] = found[id(a)] + part if id(a) in found else part
    return [found.get(id(a)) for a in by]


def _backwards(result: Recorded) -> list[Recorded]:
    """Everything that a result was made of, each after all that it went into."""
    order: list[Recorded] = []
    seen: set[int] = set()
    to_do: list[tuple[Recorded, bool]] = [(result, False)]
    while to_do:
        made, done = to_do.pop()
        if done:
            order.append(made)
        elif id(made) not in seen:
            seen.add(id(made))
            to_do.append((made, True))
            to_do += [(a, False) for a, _ in made.made_of]
    return order[::-1]


def _like(upstream: Any, result: Recorded) -> Any:
    """An upstream derivative of the kind and the shape of the result."""
    return upstream if np.ndim(upstream) else upstream + 0 * result.number


def _gathered(derivative: Any, shape: tuple[int, ...]) -> Any:
    """The derivative by what was broadcast: the sum over its copies."""
    more = len(np.shape(derivative)) - len(shape)
    if more > 0:
        derivative = np.sum(derivative, axis=tuple(range(more)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and np.shape(derivative)[i] != 1)
    return np.sum(derivative, axis=stretched, keepdims=True) if stretched else derivative


def _sum_back(_y: Any, a: Any, axis: Any = None, keepdims: bool = False) -> tuple[Back, ...]:
    def back(g: Any) -> Any:
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.broadcast_to(g, np.shape(a))

    return (back,)


def _mean_back(y: Any, a: Any, axis: Any = None, keepdims: bool = False) -> tuple[Back, ...]:
    shape, (back,) = np.shape(a), _sum_back(y, a, axis, keepdims)
    n = math.prod(shape if axis is None else (shape[int(i)] for i in np.atleast_1d(axis)))
    return (lambda g: back(g) / n,)


def _no_derivative(_g: Any) -> Any:
    raise TypeError("max has no derivative here; hold it by `fixed` where it cancels")


def _no_slope(_g: Any) -> Any:
    raise TypeError("a result has no derivative by the numbers of rows")


def _normal(a: Any) -> Any:
    return TWO_BY_ROOT_PI * np.exp(-np.square(a))


TWO_BY_ROOT_PI = Constant(lambda arb: 2 / arb.pi().sqrt())

# What is constant between its steps.
STEPS = (np.heaviside, np.greater, np.greater_equal, np.less, np.less_equal)

# operation -> (recorded result, numbers of the inputs) -> for each input, from the derivative g by
# the result to its own.
BACK: Mapping[Any, Callable[..., tuple[Back, ...]]] = {
    np.add: lambda y, a, b: (lambda g: g, lambda g: g),
    np.subtract: lambda y, a, b: (lambda g: g, lambda g: -g),
    np.multiply: lambda y, a, b: (lambda g: g * b, lambda g: g * a),
    np.divide: lambda y, a, b: (lambda g: g / b, lambda g: -g * y.number / b),
    np.negative: lambda y, a: (lambda g: -g,),
    np.matmul: lambda y, a, b: (
        lambda g: g @ np.matrix_transpose(b), lambda g: np.matrix_transpose(a) @ g),
    np.square: lambda y, a: (lambda g: 2 * g * a,),
    np.sqrt: lambda y, a: (lambda g: g / (2 * y.number),),
    np.exp: lambda y, a: (lambda g: g * y.number,),
    np.expm1: lambda y, a: (lambda g: g * (1 + y.number),),
    np.log: lambda y, a: (lambda g: g / a,),
    np.log1p: lambda y, a: (lambda g: g / (1 + a),),
    np.tanh: lambda y, a: (lambda g: g / np.square(np.cosh(a)),),
    np.cosh: lambda y, a: (lambda g: g * (np.exp(a) - np.exp(-a)) / 2,),
    ERF: lambda y, a: (lambda g: g * _normal(a),),
    ERFC: lambda y, a: (lambda g: -g * _normal(a),),
    np.absolute: lambda y, a: (lambda g: g * (2 * np.heaviside(a, 0.5) - 1),),
    # At an exact tie the second operand has it all: ReLU's slope at 0 is 0, as max(y, 0).
    np.maximum: lambda y, a, b: (lambda g: g * (a > b), lambda g: g * (1 - (a > b))),
    np.minimum: lambda y, a, b: (lambda g: g * (a < b), lambda g: g * (1 - (a < b))),
    np.where: lambda y, c, a, b: (
        lambda g: 0 * g, lambda g: np.where(c, g, 0 * g), lambda g: np.where(c, 0 * g, g)),
    np.sum: _sum_back,
    np.mean: _mean_back,
    np.max: lambda y, a, **options: (_no_derivative,),
    np.expand_dims: lambda y, a, axis: (lambda g: np.sum(g, axis=axis),),
    np.broadcast_to: lambda y, a, shape: (lambda g: _gathered(g, np.shape(a)),),
    np.matrix_transpose: lambda y, a: (np.matrix_transpose,),
    gather: lambda y, a, index: (lambda g: scatter(g, index, len(a)), _no_slope),
    scatter: lambda y, a, index, rows: (lambda g: gather(g, index), _no_slope),
}  # fmt: skip
