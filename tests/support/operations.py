"""Single operations on hostile numbers: what a model allows, taken to its limit.

Each trial draws exact numbers x, computed ones x^ and evaluations v, all within the errors that a
Bounded claims, and lets an adversary compute op(x^): it errs by the whole budget of the operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.numbers import bounded, dtypes
from verify.numbers.balls import Balls
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.number import ERF, ERFC
from verify.numbers.rounding import MODELS, Model

SIZE = 6


@dataclass(frozen=True)
class Operation:
    """A formula of one operation; what it rounds by, in u; where its inputs may lie."""

    formula: Callable[..., Any]
    inputs: int
    budget: Callable[[Model], float] = lambda m: 0.0
    low: float = -math.inf
    size: float = math.inf


def one(_m: Model) -> float:
    return 1.0


OPERATIONS: Mapping[str, Operation] = {
    "add": Operation(np.add, 2, one),
    "subtract": Operation(np.subtract, 2, one),
    "multiply": Operation(np.multiply, 2, one),
    "divide": Operation(np.divide, 2, one),
    "negative": Operation(np.negative, 1),
    "square": Operation(np.square, 1, one),
    "sqrt": Operation(np.sqrt, 1, one, low=0.0),
    "exp": Operation(np.exp, 1, lambda m: m.exp, size=20),
    "expm1": Operation(np.expm1, 1, lambda m: m.exp, size=20),
    "log": Operation(np.log, 1, lambda m: m.log, low=0.0),
    "log1p": Operation(np.log1p, 1, lambda m: m.log, low=-0.9),
    "tanh": Operation(np.tanh, 1, lambda m: m.tanh, size=20),
    "cosh": Operation(np.cosh, 1, lambda m: m.cosh, size=20),
    "erf": Operation(ERF, 1, lambda m: m.erf, size=5),
    "erfc": Operation(ERFC, 1, lambda m: m.erfc, size=5),
    "absolute": Operation(np.absolute, 1),
    "maximum": Operation(np.maximum, 2),
    "minimum": Operation(np.minimum, 2),
    "heaviside": Operation(lambda a: np.heaviside(a, 0), 1),
    "greater": Operation(np.greater, 2),
    "greater_equal": Operation(np.greater_equal, 2),
    "less": Operation(np.less, 2),
    "less_equal": Operation(np.less_equal, 2),
    "where": Operation(lambda a, b, c: np.where(a >= 0, b, c), 3),
    "max": Operation(lambda a: a.max(axis=0, keepdims=True), 1),
}


LEAST: Mapping[str, Callable[[Any], float]] = {
    "float32": lambda rng: 10.0 ** rng.uniform(-36, -30),
    "bfloat16": lambda rng: 10.0 ** rng.uniform(-36, -30),
    "float16": lambda rng: 10.0 ** rng.uniform(-5, -3),
}
"""By what numbers come near the least of their dtype."""


@dataclass(frozen=True)
class Drawn:
    """Numbers as a Bounded sees them: exact, computed in the dtype, evaluated; and their errors."""

    exact: Any
    computed: Any
    number: Bounded


def drawn(rng: Any, dtype: str, of: Operation, shape: tuple[int, ...] = (SIZE,)) -> Drawn:
    """Numbers across kinks and zeros, tiny or alike, with errors from none to larger than they."""
    x = rng.normal(size=shape) * 10.0 ** rng.uniform(-3, 3)
    kind = rng.integers(5)
    if kind == 1:
        x = np.rint(x)
    elif kind == 2:
        x = x * (rng.random(shape) < 0.5)
    elif kind == 3:
        x = x * LEAST.get(dtype, lambda _rng: 1e-300)(rng)
    elif kind == 4:
        x = np.full(shape, x.flat[0]) * (1 + rng.integers(-3, 4, size=shape) * 2.0**-22)
    x = np.clip(np.abs(x) if of.low == 0 else x, max(of.low, -of.size), of.size)
    computed = dtypes.nearest(x, dtype).astype(np.float64)
    size = np.abs(computed) if rng.random() < 0.5 else np.abs(rng.normal(size=shape))
    error = rng.choice([0.0, 1e-16, 1e-7, 1e-3, 0.3, 1.0, 3.0]) * size
    error = np.where(error < 1e-295, 0, error)  # float64 holds no three digits of smaller ones
    ends = [rng.choice([-1.0, 1.0], size=shape) * (1 - 1e-12) for _ in range(2)]
    # A corner for most: errors of one sign are where sums and products are worst.
    exact = computed + ends[0] * error
    value = exact + (ends[0] if rng.random() < 0.5 else ends[1]) * error
    exact = np.maximum(exact, of.low) if of.low > -math.inf else exact
    error = np.maximum(np.abs(computed - exact), np.abs(value - exact)) * (1 + 1e-15)
    if not error.any():
        return Drawn(exact, computed, Bounded(MODELS[dtype], value))
    part = rng.choice([0.0, 1.0, rng.random()])
    parts = error * part, error * (1 - part) * (1 + 1e-15)
    inherited, own = (p if p.any() else None for p in parts)
    return Drawn(exact, computed, Bounded(MODELS[dtype], value, inherited, own))


def ratios(name: str, dtype: str, seeds: range) -> Iterator[tuple[float, float]]:
    """error / bound of what the adversary computes and of the value, where they are bounded."""
    of = OPERATIONS[name]
    model = MODELS[dtype]
    for seed in seeds:
        rng = np.random.default_rng((seed, 5, *name.encode()))
        numbers = [drawn(rng, dtype, of) for _ in range(of.inputs)]
        with np.errstate(all="ignore"), precision(300):
            found = of.formula(*(n.number for n in numbers))
            exact = of.formula(*(Balls.of(n.exact) for n in numbers))
            at_computed = of.formula(*(Balls.of(n.computed) for n in numbers))
            k = of.budget(model)
            yield from _held(rng, found, exact, at_computed, k * model.u, dtype if k == 1 else "")


def _held(
    rng: Any, found: Bounded, exact: Balls, at: Balls, k: float, rounds_to: str
) -> Iterator[Any]:
    flat = (np.broadcast_to(a, found.shape).ravel() for a in (found.bound(), found.value))
    for bound, value, z, c in zip(*flat, exact.entries.flat, at.entries.flat, strict=True):
        if not math.isfinite(bound) or not z.is_finite() or not c.is_finite():
            continue
        is_one = rounds_to and c == float(dtypes.nearest(float(c), rounds_to))
        computed = c if is_one else c + c * float(k * rng.choice([-1, 1]))
        yield _ratio(abs(computed - z), bound), _ratio(abs(z - float(value)), bound)


def _ratio(error: Any, bound: float) -> float:
    """From below: what the balls leave open is not held against the bound."""
    least = max(float(error.mid()) - float(error.rad()), 0.0) * (1 - 1e-12)
    return 0.0 if least == 0 else least / bound if bound > 0 else math.inf


def broken(name: str, moved: float = 1.0, own: float = 1.0) -> dict[Any, Any]:
    """The table of rules with the movement and the roundings of one operation scaled."""
    found = dict(bounded.RULES)
    operation = next(op for op in found if _called(op) == name)
    right = found[operation]

    def wrong(*numbers: Bounded, **options: Any) -> Bounded:
        result = right(*numbers, **options)
        calm = [Bounded(n.model, n.value, n.inherited, None) for n in numbers]
        still = [Bounded(n.model, n.value) for n in numbers]
        rounding = right(*still, **options).own
        moves = _scaled(right(*calm, **options).inherited, moved)
        rest = None if result.own is None else result.own - (0.0 if rounding is None else rounding)
        parts = [e for e in (_scaled(rest, moved), _scaled(rounding, own)) if e is not None]
        return Bounded(result.model, result.value, moves, sum(parts) if parts else None)

    found[operation] = wrong
    return found


def _called(operation: Any) -> str:
    return {ERF: "erf", ERFC: "erfc"}.get(operation) or operation.__name__


def _scaled(error: Any, factor: float) -> Any:
    return None if error is None else np.where(np.isfinite(error), error * factor, error)
