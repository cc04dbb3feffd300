"""Shadow: one number of a program, its exact value, and how far rounding may have moved it.

A program that was written for floats runs on shadows unchanged. Each has the exact result of the
same steps, as an Arb ball; a bound of what the program's own floats may be off, by the model of
rounding; and the step at which most digits were lost on the way. While a run records, it remembers
what it was made of, so that the tape can be differentiated.

    exact       whole numbers, and floats of few bits: 0.5, 1.0, -2.0
    constants   other floats, such as 0.1 or sqrt(2/pi): they stand for any real number within
                8 roundings of them, because the program's author meant one that has no float
    decided     a comparison of which the balls leave no doubt; else Undecided, and more bits may
                decide it; equal numbers are a tie, which the run notes

Source  F. Benz, A. Hildebrandt and S. Hack, "A dynamic program analysis to find floating-point
        accuracy problems", PLDI 2012 (shadow values); bounds: Higham, 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

import flint
import numpy as np

from verify.numbers.comparisons import equal, greater, greater_equal
from verify.numbers.rounding import MODELS
from verify.numbers.run import Loss, now, place, unfollowed

arb = flint.arb
MEANT = 8 * MODELS["float64"].u  # how far from a float the constant may be that its author meant
_SHORT = 2.0**27  # floats of so few bits are meant as they are
_EXACT = 2.0**53  # and whole ones below this
_LOSES = 32  # times the relative error that went in: from here on a step loses digits

Slope: TypeAlias = "Shadow | int | float | Callable[[], Shadow]"


def binary(operation: Callable[[Shadow, Shadow], Any], a: Any, b: Any) -> Any:
    """An operation on two numbers, one of which is a shadow.

    Shapes  (); of arrays NotImplemented, so that NumPy takes each of their entries.
    """
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return NotImplemented
    try:
        found = operation(lifted(a), lifted(b))
    except TypeError:
        return NotImplemented
    return np.bool_(found) if isinstance(found, bool) else found


def _operators(operation: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """An operation as an operator, and with its operands exchanged."""

    def operator(a: Any, b: Any) -> Any:
        return binary(operation, a, b)

    def exchanged(a: Any, b: Any) -> Any:
        return binary(operation, b, a)

    return operator, exchanged


def _whole(ufunc: Any) -> Callable[[Any], int]:
    return lambda number: int(ufunc(number))


class Shadow:
    """An exact value with the error of a float that was computed by the same steps.

    It behaves like a NumPy scalar.

    Units   error absolute, infinite where floats overflow or may be anything.
    """

    __slots__ = ("ball", "computed", "error", "loss", "made_of", "serial", "value")

    __array_priority__: ClassVar[float] = 1000.0
    shape: ClassVar[tuple[int, ...]] = ()
    ndim: ClassVar[int] = 0
    size: ClassVar[int] = 1

    def __init__(
        self, ball: Any, error: float = 0.0, loss: Loss | None = None,
        made_of: Sequence[tuple[Shadow, Slope]] | None = None,
    ) -> None:  # fmt: skip
        self.ball = ball
        self.value = float(ball)
        self.error = error
        self.loss = loss
        self.made_of = made_of
        self.serial = now().next()
        self.computed = False

    @property
    def dtype(self) -> Any:
        return _array(self).dtype

    @property
    def most(self) -> float:
        """|value| of a float that may be off by the error."""
        return abs(self.value) + self.error

    def __repr__(self) -> str:
        return f"{self.value:.17g}"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    __add__, __radd__ = _operators(lambda a, b: added(a, b))
    __sub__, __rsub__ = _operators(lambda a, b: subtracted(a, b))
    __mul__, __rmul__ = _operators(lambda a, b: multiplied(a, b))
    __truediv__, __rtruediv__ = _operators(lambda a, b: divided(a, b))
    __pow__, __rpow__ = _operators(np.power)
    __mod__, __rmod__ = _operators(np.remainder)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide)
    __gt__, __lt__ = _operators(lambda a, b: greater(a, b))
    __ge__, __le__ = _operators(lambda a, b: greater_equal(a, b))

    def __neg__(self) -> Shadow:
        return negated(self)

    def __pos__(self) -> Shadow:
        return self

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __eq__(self, other: object) -> Any:
        return binary(equal, self, other)

    def __ne__(self, other: object) -> Any:
        return binary(lambda a, b: not equal(a, b), self, other)

    def __hash__(self) -> int:
        raise unfollowed("hashes a number")

    def __bool__(self) -> bool:
        return not equal(self, lifted(0))

    def __int__(self) -> int:
        whole = (self.ball.ceil() if self.ball < 0 else self.ball.floor()).unique_fmpz()
        if whole is None:
            raise unfollowed("converts to int what may be either of two")
        return int(whole)

    def __float__(self) -> float:
        raise unfollowed("converts to a float")

    def __copy__(self) -> Shadow:
        return self

    def __deepcopy__(self, memo: Any) -> Shadow:
        return self

    def __round__(self, digits: int = 0) -> Any:
        return np.rint(self) if not digits else float(self)

    __floor__, __ceil__, __trunc__ = (_whole(u) for u in (np.floor, np.ceil, np.trunc))

    def __getitem__(self, key: Any) -> Any:
        return _array(self)[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        ufunc = getattr(np, name, None)
        if isinstance(ufunc, np.ufunc) and ufunc.nin == 1:  # as NumPy asks objects for it
            return lambda: ufunc(self)
        return getattr(_array(self), name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return _array(self).__array_ufunc__(ufunc, method, *inputs, **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return _array(self).__array_function__(function, types, inputs, options)


def _array(number: Shadow) -> Any:
    """The number as an array, which has NumPy's methods; arrays are made of numbers."""
    from verify.numbers.followed import followed

    return followed(number)


def lifted(number: Any) -> Shadow:
    """A number of a program as a shadow.

    Raises  TypeError for what is no real number.
    """
    if isinstance(number, Shadow):
        return number
    if isinstance(number, bool | int | np.bool_ | np.integer):
        return given(arb(int(number)))
    if not isinstance(number, float | np.floating):
        raise TypeError(f"{type(number).__name__} is no real number")
    value = float(number)
    if not math.isfinite(value):
        return Shadow(arb(value), math.inf if math.isnan(value) else 0.0)
    significand = math.frexp(value)[0] * _SHORT
    if significand == int(significand) or (value.is_integer() and abs(value) < _EXACT):
        return given(arb(value))
    off = MEANT * abs(value)
    if isinstance(number, np.float32 | np.float16):
        off *= MODELS["float32"].u / MODELS["float64"].u
    below = now().model.tiny if abs(value) < now().model.tiny else 0.0
    return Shadow(arb(value, off), max(now().model.u * abs(value), off) + below)


def given(ball: Any) -> Shadow:
    """A number as it is; in a dtype that cannot hold it, off by a rounding.

    Shapes  ().
    """
    made = Shadow(ball)
    if not holds(made.value, ball):
        made.error = now().model.u * abs(made.value) + now().model.tiny
    return made


def holds(value: float, ball: Any) -> bool:
    """Whether a number is one of the run's dtype."""
    if now().dtype != "float64":
        value = float(np.dtype(now().dtype).type(value))
    return bool(ball == value)


def result(
    step: str, ball: Any, moved: float, k: float, *operands: tuple[Shadow, float, Slope]
) -> Shadow:
    """What a step makes of operands, each with how far its error moves the result, and the slope.

    The step rounds by k u of what it computes, unless nothing was off and the result is a number
    of the dtype.

    Units   moved absolute: what the operands' errors come to; k in u.
    """
    m, value = now().model, float(ball)
    if k == 0 or (moved == 0 and k == 1 and holds(value, ball)):
        return rounded(step, ball, moved, operands)
    return rounded(step, ball, moved + k * m.u * (abs(value) + moved) + m.tiny, operands)


def rounded(
    step: str, ball: Any, error: float, operands: Sequence[tuple[Shadow, float, Slope]]
) -> Shadow:
    """The same, of which the error is known; infinite where a float may overflow.

    Units   error absolute.
    """
    made = Shadow(ball, error)
    made.computed = True
    if math.isinf(made.value) and any(math.isinf(a.value) and not a.error for a, _, _ in operands):
        made.error = 0.0  # an infinity that is given goes on as it does in floats
    elif not abs(made.value) + error < now().model.largest:
        made.error = math.inf
    if made.error:
        made.loss = _loss(step, made, operands)
    if now().recording:
        varying = [(a, slope) for a, _, slope in operands if a.made_of is not None]
        made.made_of = varying or None
    return made


def _loss(step: str, made: Shadow, operands: Sequence[tuple[Shadow, float, Slope]]) -> Loss | None:
    """The worst step on the way: this one, or that of the operand whose error weighs most."""
    if not operands:
        return None
    heaviest = max(operands, key=lambda o: o[1])[0]
    before = max(relative(a) for a, _, _ in operands)
    factor = relative(made) / max(before, now().model.u)
    if factor > _LOSES and (heaviest.loss is None or factor > heaviest.loss.factor):
        where, text = place()
        if not abs(made.value) < now().model.largest:
            step = "it overflows"
        return Loss(factor, f"{text or step}: {step}" if text else step, where)
    return heaviest.loss


def relative(a: Shadow) -> float:
    """The error by the value.

    Units   1 at most: then nothing is known.
    """
    if a.error == 0:
        return 0.0
    return a.error / abs(a.value) if a.error < abs(a.value) < math.inf else 1.0


def added(a: Shadow, b: Shadow) -> Shadow:
    """a + b."""
    moved = a.error + b.error
    return result("a sum cancels", a.ball + b.ball, moved, 1, (a, a.error, 1), (b, b.error, 1))


def subtracted(a: Shadow, b: Shadow) -> Shadow:
    """a - b."""
    moved, ball = a.error + b.error, a.ball - b.ball
    return result("a difference cancels", ball, moved, 1, (a, a.error, 1), (b, b.error, -1))


def negated(a: Shadow) -> Shadow:
    """-a."""
    return result("a sign", -a.ball, a.error, 0, (a, a.error, -1))


def multiplied(a: Shadow, b: Shadow) -> Shadow:
    """a b; by a power of two nothing is rounded."""
    by_a, by_b = times(a.error, abs(b.value)), times(b.error, a.most)
    exact = any(c.error == 0 and abs(math.frexp(c.value)[0]) == 0.5 for c in (a, b))
    ball = a.ball * b.ball
    k = 0 if exact and not abs(float(ball)) < now().model.tiny else 1
    return result("a product", ball, by_a + by_b, k, (a, by_a, b), (b, by_b, a))


def times(error: float, size: float) -> float:
    """How far a product is moved; nothing times anything is nothing."""
    return error * size if error else 0.0


def divided(a: Shadow, b: Shadow) -> Shadow:
    """a / b; of a divisor beyond the largest float 0 comes out."""
    quotient = a.ball / b.ball
    least, size = abs(b.value) - b.error, abs(float(quotient))
    by_a = a.error / least if least > 0 else math.inf * bool(a.error)
    by_b = times(b.error, size) / least if least > 0 else math.inf * bool(b.error)
    if b.error == math.inf and a.most < now().model.largest / 4 <= abs(b.value):
        by_a, by_b = times(a.error, 1.0), size
    return result(
        "a quotient", quotient, by_a + by_b, 1,
        (a, by_a, lambda: 1 / b), (b, by_b, lambda: -(a / b) / b),
    )  # fmt: skip
