"""Functions of shadows: each by Arb, with its error, and its slope for the tape.

An operand that may be off by e moves a function by no more than the function's own ball around the
operand's, widened by e, shows; so no rule of errors is derived by a person here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from verify.numbers.comparisons import equal, greater
from verify.numbers.kinks import ahead
from verify.numbers.run import Undecided, now, place
from verify.numbers.shadow import Shadow, Slope, arb, lifted, multiplied, negated, result

_OTHER = 9  # u, of functions without a budget of their own: twice 4 ulp, and half of one


class Function(NamedTuple):
    """A function of one number: of a ball, and its slope, of the argument and the result.

    `budget` is what Model calls its roundings.
    """

    ball: Callable[[Any], Any]
    slope: Callable[[Shadow, Shadow], Any]
    budget: str = ""


def _cube_root(x: Any) -> Any:
    return -((-x).root(3)) if x < 0 else x.root(3)


def _sigma(x: Any) -> Any:
    return 1 / (1 + (-x).exp())


FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(lambda x: x.exp(), lambda _, r: r, "exp"),
    "exp2": Function(lambda x: arb(2) ** x, lambda _, r: r * of("log", lifted(2))),
    "expm1": Function(lambda x: x.expm1(), lambda x, _: of("exp", x)),
    "log": Function(lambda x: x.log(), lambda x, _: 1 / x, "log"),
    "log1p": Function(lambda x: x.log1p(), lambda x, _: 1 / (1 + x)),
    "log2": Function(lambda x: x.log() / arb(2).log(), lambda x, _: 1 / (x * of("log", lifted(2)))),
    "log10": Function(
        lambda x: x.log() / arb(10).log(), lambda x, _: 1 / (x * of("log", lifted(10)))
    ),
    "sqrt": Function(lambda x: x.sqrt(), lambda _, r: 0.5 / r, "quotient"),
    "cbrt": Function(_cube_root, lambda x, r: r / (3 * x)),
    "square": Function(lambda x: x * x, lambda x, _: 2 * x, "subtraction"),
    "reciprocal": Function(lambda x: 1 / x, lambda _, r: -(r * r), "subtraction"),
    "sin": Function(lambda x: x.sin(), lambda x, _: of("cos", x)),
    "cos": Function(lambda x: x.cos(), lambda x, _: -of("sin", x)),
    "tan": Function(lambda x: x.tan(), lambda _, r: 1 + r * r),
    "arcsin": Function(lambda x: x.asin(), lambda x, _: 1 / of("sqrt", 1 - x * x)),
    "arccos": Function(lambda x: x.acos(), lambda x, _: -1 / of("sqrt", 1 - x * x)),
    "arctan": Function(lambda x: x.atan(), lambda x, _: 1 / (1 + x * x)),
    "sinh": Function(lambda x: x.sinh(), lambda x, _: of("cosh", x)),
    "cosh": Function(lambda x: x.cosh(), lambda x, _: of("sinh", x), "cosh"),
    "tanh": Function(lambda x: x.tanh(), lambda _, r: 1 - r * r, "tanh"),
    "arcsinh": Function(lambda x: x.asinh(), lambda x, _: 1 / of("sqrt", 1 + x * x)),
    "arccosh": Function(lambda x: x.acosh(), lambda x, _: 1 / of("sqrt", x * x - 1)),
    "arctanh": Function(lambda x: x.atanh(), lambda x, _: 1 / (1 - x * x)),
    "erf": Function(lambda x: x.erf(), lambda x, _: _two_by_root_pi() * of("exp", -(x * x)), "erf"),
    "erfc": Function(
        lambda x: x.erfc(), lambda x, _: -_two_by_root_pi() * of("exp", -(x * x)), "erfc"
    ),
    "expit": Function(_sigma, lambda x, r: r * of("expit", -x)),
    "log_expit": Function(lambda x: -((-x).exp()).log1p(), lambda x, _: of("expit", -x)),
}  # fmt: skip


def _two_by_root_pi() -> Shadow:
    return Shadow(2 / arb.pi().sqrt(), 2 * now().model.u)


def of(name: str, x: Any) -> Shadow:
    """A function of FUNCTIONS of a number."""
    f, a = FUNCTIONS[name], lifted(x)
    ball = f.ball(a.ball)
    moved = _moved(f.ball, ball, a)
    k = getattr(now().model, f.budget) if f.budget else _OTHER
    made: list[Shadow] = []
    slope: Slope = lambda: f.slope(a, made[0])  # noqa: E731
    made.append(result(f"{name} amplifies an error", ball, moved, k, (a, moved, slope)))
    return made[0]


def _moved(function: Callable[..., Any], ball: Any, *operands: Shadow) -> float:
    """How far operands that are off move a function together."""
    if not any(a.error for a in operands):
        return 0.0
    if any(a.error == math.inf for a in operands):
        return math.inf
    off = abs(function(*(a.ball + arb(0, a.error) for a in operands)) - ball)
    return float(off.upper()) if off.is_finite() else math.inf


def power(a: Shadow, b: Shadow) -> Shadow:
    """a to the b."""
    fixed = b.error == 0 and b.made_of is None
    whole = fixed and b.ball.is_exact() and b.value == int(b.value) and abs(b.value) < 2**20
    n = int(b.value) if whole else 0
    if whole and n in (0, 1, 2, -1):
        return {0: lambda: lifted(1), 1: lambda: a, 2: lambda: of("square", a),
                -1: lambda: of("reciprocal", a)}[n]()  # fmt: skip
    if fixed and b.value == 0.5:
        return of("sqrt", a)
    if whole:
        raised = _raised(a.ball, n)
        moved = _moved(lambda x: _raised(x, n), raised, a)
        slope: Slope = lambda: n * power(a, lifted(n - 1))  # noqa: E731
        return result("a power", raised, moved, max(_OTHER, 2 * abs(n)), (a, moved, slope))
    ball = a.ball**b.ball
    by_a = _moved(lambda x: x**b.ball, ball, a)
    by_b = _moved(lambda y: a.ball**y, ball, b)
    made: list[Shadow] = []
    made.append(result(
        "a power", ball, _moved(lambda x, y: x**y, ball, a, b), _OTHER,
        (a, by_a, lambda: b * power(a, b - 1)), (b, by_b, lambda: made[0] * of("log", a)),
    ))  # fmt: skip
    return made[0]


def _raised(x: Any, n: int) -> Any:
    return x**n if n >= 0 else 1 / x**-n


def absolute(a: Shadow) -> Shadow:
    """|a|; where it may be 0 its slope is anything from -1 to 1."""
    moved, ball = a.error, abs(a.ball)
    if now().recording and a.made_of is not None and a.ball == 0:
        now().ties[place()[0]] = None
        return result("a size", ball, moved, 0, (a, moved, 1 if ahead(a, lifted(0)) >= 0 else -1))
    return result("a size", ball, moved, 0, (a, moved, lambda: sign(a, arb(0, 1))))


def sign(a: Shadow, at_zero: Any = None) -> Shadow:
    """-1, 0 or 1.

    Raises  Undecided.
    """
    if at_zero is not None and not (a.ball > 0 or a.ball < 0):
        now().ties[place()[0]] = None
        return Shadow(at_zero, 1.0)
    return lifted(0) if equal(a, lifted(0)) else lifted(1 if greater(a, lifted(0)) else -1)


def larger(a: Shadow, b: Shadow) -> Shadow:
    """The larger of two; where they may be equal any share of its slope is either's."""
    return _either("a maximum", a, b, a.ball.max(b.ball), a.ball > b.ball, a.ball < b.ball)


def smaller(a: Shadow, b: Shadow) -> Shadow:
    """The smaller of two; where they may be equal any share of its slope is either's."""
    return _either("a minimum", a, b, a.ball.min(b.ball), a.ball < b.ball, a.ball > b.ball)


def _either(step: str, a: Shadow, b: Shadow, ball: Any, first: bool, second: bool) -> Shadow:
    off = a.error + b.error
    if off and not abs(a.value - b.value) > off:
        now().close[place()[0]] = None
        moved = max(a.error, b.error)
    else:
        moved = a.error if first else b.error if second else max(a.error, b.error)
    if first or second:
        one, other = (a, b) if first else (b, a)
        if moved == one.error:
            return one
        return result(step, ball, moved, 0, (one, moved, 1), (other, 0.0, 0))
    if a is b or a.made_of is None is b.made_of:
        return result(step, ball, moved, 0, (a, moved, 1))
    now().ties[place()[0]] = None
    if a.ball == b.ball:
        one = a if (ahead(a, b) >= 0) == (step == "a maximum") else b
        return one if moved == one.error else result(step, ball, moved, 0, (one, moved, 1))

    def share() -> Shadow:
        return Shadow(arb(0.5, 0.5), 0.5)

    return result(step, ball, moved, 0, (a, moved, share), (b, moved, share))


def whole(name: str, a: Shadow) -> Shadow:
    """floor, ceil, trunc or rint of a number.

    Raises  Undecided.
    """
    half = a.ball + (arb(0.5) if name == "rint" else 0)
    up = name == "ceil" or (name == "trunc" and a.ball < 0)
    found = (half.ceil() if up else half.floor()).unique_fmpz()
    if found is None:
        raise Undecided(place()[0])
    if name == "rint" and half == half.floor() and int(found) % 2:
        found -= 1
    off = a.error and _floor_of_end(a, -1) != _floor_of_end(a, 1)
    return Shadow(arb(found), 1.0 if off else 0.0)


def _floor_of_end(a: Shadow, side: int) -> int:
    """The whole number below an end of what a float may be.

    Units   side: -1 for the lower end, 1 for the upper.
    """
    return math.floor(a.value + side * a.error) if math.isfinite(a.error) else side


def log_of_sum(a: Shadow, b: Shadow) -> Any:
    """log(e^a + e^b)."""
    top = larger(a, b)
    rest = negated(absolute(a - b))
    return top + of("log1p", of("exp", rest))


def arctan2(a: Shadow, b: Shadow) -> Shadow:
    """The angle of the point (b, a)."""
    ball = arb.atan2(a.ball, b.ball)
    by_a = _moved(lambda x: arb.atan2(x, b.ball), ball, a)
    by_b = _moved(lambda x: arb.atan2(a.ball, x), ball, b)

    def by(c: Shadow) -> Any:
        return c / (a * a + b * b)

    moved = _moved(arb.atan2, ball, a, b)
    return result("an angle", ball, moved, _OTHER,
                  (a, by_a, lambda: by(b)), (b, by_b, lambda: -by(a)))  # fmt: skip


def remainder(a: Shadow, b: Shadow) -> Any:
    """a modulo b, of the sign of b."""
    return a - multiplied(whole("floor", a / b), b)


def hypotenuse(a: Shadow, b: Shadow) -> Shadow:
    """sqrt(a^2 + b^2)."""
    return of("sqrt", a * a + b * b)
