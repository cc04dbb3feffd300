"""Numbers that carry how far rounding may have moved them: a formula that runs on them is bounded.

Let z be an exact number and z^ what correct arithmetic of the model computes for it. A Bounded has
a `value`, a float64 evaluation of z, and an `error` such that |z - value| <= error and
|z^ - z| <= error. Everything between them lies within `reach` = 2 error of value.

error = inherited + own. For a formula f with inputs x, |f^(x^) - f(x)| <= |f(x^) - f(x)| +
|f^(x^) - f(x^)|: the exact formula moves with the errors of its inputs, and its own operations
round. Both go through every operation by the same partial derivatives, taken as the largest within
reach, so that errors stay linear; each operation adds its rounding to `own` alone. What f inherits
belongs to the function and not to the way in which it is computed: of several forms of one function
the least holds for all (`together`). `settled` ends a formula: all of its error is inherited by the
next.

An operation rounds by k u |op(x^)|, and by tiny where that may underflow. Where it may come near
the largest number of the dtype nothing is claimed: own is infinite. The value itself is rounded by
float64, a correct arithmetic of every model here.

A sum stays open: more terms may join it, because they may be added in any order. `x @ W + b` is one
sum of n + 1 terms, of which b may be the first. A term divided by its sum moves less than a
quotient of two numbers: of q = a / (a + r), |dq| <= (r |da| + a |dr|) / (a + r)^2.

Source  N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2.2, 3.1, 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from typing import Any

import numpy as np

from verify.numbers.constant import Constant
from verify.numbers.moves import plus
from verify.numbers.number import Number, integers
from verify.numbers.rounding import EVALUATION, Float64, Model
from verify.numbers.rules import RULES
from verify.numbers.sums import Sum

_SLACK = 1e-12  # of the ends of what is within reach: float64 rounds them, and their parts cancel


class Bounded(Number):
    """An array of numbers with their errors, entry by entry; None is an error of exactly 0.

    Shapes  value any; inherited, own those of value.
    """

    def __init__(self, model: Model, value: Any, inherited: Any = None, own: Any = None) -> None:
        self.model = model
        self.value: Float64 = np.asarray(value, np.float64)
        self.inherited = self._fitted(inherited)
        self.own = self._fitted(own)
        self.open: Sum | None = None  # of a sum that more terms may join
        self.terms: tuple[Bounded, ...] = ()  # of any sum; `whole` where none is negative
        self.whole: Any = True
        self._known: dict[Any, tuple[Any, Bounded]] = {}

    def _fitted(self, error: Any) -> Any:
        if error is None or getattr(error, "shape", ()) == self.value.shape:
            return error
        return np.broadcast_to(error, self.value.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def fixed(self) -> Bounded:
        return self.of(self.value)

    def integers(self) -> Any:
        return integers(self.value)

    def taken_for(self, number: float) -> Bounded:
        off = np.abs(self.value - number) + self.error
        near = off <= 3 * self.error + self.model.u
        return self.of(np.full_like(self.value, number), None, np.where(near, off, np.inf))

    @property
    def is_exact(self) -> bool:
        return self.inherited is None and self.own is None

    @cached_property
    def magnitude(self) -> Float64:
        return np.abs(self.value)

    @cached_property
    def error(self) -> Any:
        """How far the exact number and the computed one may be from value, and from each other."""
        error = plus(self.inherited, self.own)
        return np.zeros(self.value.shape) if error is None else error

    @cached_property
    def reach(self) -> Any:
        return 2 * self.error + _SLACK * self.magnitude

    @cached_property
    def most(self) -> Any:
        """The largest magnitude within reach."""
        return self.magnitude if self.is_exact else self.magnitude + self.reach

    @cached_property
    def least(self) -> Any:
        """The smallest magnitude within reach."""
        return self.magnitude if self.is_exact else np.maximum(self.magnitude - self.reach, 0)

    @property
    def high(self) -> Any:
        return self.value if self.is_exact else self.value + self.reach

    @property
    def low(self) -> Any:
        return self.value if self.is_exact else self.value - self.reach

    def settled(self) -> Bounded:
        """The same numbers as inputs of the next formula, which inherits all of their error.

        With it goes what is of second order in its roundings; where the error is no number, or may
        be beyond the dtype, nothing is claimed.
        """
        if self.is_exact:
            return self
        with np.errstate(all="ignore"):
            error = self.error * (1 + self.model.second_order)
        if not error.max(initial=0) < self.model.largest / 64:
            error = np.where(error < self.model.largest / 64, error, np.inf)
        return self.of(self.value, error)

    def bound(self) -> Float64:
        """The error, with what evaluating it has lost; below 2^-1022 that is no part of it."""
        error = self.settled().error * EVALUATION
        return np.asarray(np.where(error > 0, error + 2.0**-1060, error))

    def of(self, value: Any, inherited: Any = None, own: Any = None) -> Bounded:
        """Other numbers of the same model."""
        return Bounded(self.model, value, inherited, own)

    def apply(self, operation: Any, *inputs: Any, **options: Any) -> Bounded:
        """The result; of the same operation on the same objects, the same result."""
        key = (operation, *map(_identity, inputs), *options.items())
        if key not in self._known:
            numbers = [a if isinstance(a, Bounded) else lifted(self.model, a) for a in inputs]
            with np.errstate(all="ignore"):
                self._known[key] = inputs, RULES[operation](*numbers, **options)
        return self._known[key][1]


def _identity(number: Any) -> Any:
    """What tells a number from another: a plain one its value, an array that it is this one."""
    return (type(number), number) if isinstance(number, int | float) else id(number)


def lifted(model: Model, number: Any) -> Bounded:
    """A float, an array of them or a Constant as Bounded.

    Shapes  any; the same.
    """
    if isinstance(number, Constant):
        return Bounded(model, number.nearest, None, model.u * abs(number.nearest))
    return Bounded(model, number)


def together(forms: Sequence[Bounded]) -> list[Bounded]:
    """Forms of one function of the same inputs, each with the least that any of them inherits.

    Shapes  all the same.
    """
    inherited = [f.inherited for f in forms]
    least = None if any(e is None for e in inherited) else reduce(np.fmin, inherited)
    return [f.of(f.value, least, f.own) for f in forms]


def alike(function: Callable[[Any], Any], *others: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that others equal: computed as it stands, and as sharp as the sharpest of them.

    Shapes  those of the function.
    """

    def shared(a: Any) -> Any:
        if not isinstance(a, Bounded):
            return function(a)
        return together([function(a), *(other(a) for other in others)])[0]

    return shared


def widest(forms: Sequence[Bounded]) -> Bounded:
    """What any of several forms may give, entry by entry, among those that hold there; settled.

    The value is that of the sharpest. Infinite where none holds.

    Shapes  all the same.
    """
    found = [form.settled() for form in forms]
    if len(found) == 1:
        return found[0]
    errors = np.stack([f.error for f in found])
    best = np.argmin(errors, axis=0)[None]
    value = np.take_along_axis(np.stack([f.value for f in found]), best, 0)[0]
    holds = np.where(np.isfinite(errors), errors, -np.inf).max(axis=0)
    return found[0].of(value, np.where(holds < 0, np.inf, holds))
