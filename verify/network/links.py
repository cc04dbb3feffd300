"""The table of links: every formula as people write it, forward beside backward, a form a line.

A formula's parameters are the names of what it is computed from, in the vocabulary of one layer:

    x W b                          the layer's inputs and parameters
    y y_o                          x W + b, and its activation
    dC_dy_o dy_o_dy dC_dy          derivatives; dC_dx is by x
    dC_dW dC_db dC_dx
    P N h                          labels, what the cost is divided by, step size
    leak decay                     leaky-relu's slope, lambda of weight decay
    gamma beta epsilon                 of a norm: its parameters, what is added to its variance

It is plain NumPy, and runs on float arrays (the manual chain), on Balls (the truth) and on Bounded
(the bounds). Two forms of one link are two algorithms: each rounds in its own way, and a right
answer may come from any. To admit one more is to add a line.

    literal   as a textbook has it; it breaks where a number of its own overflows or cancels
    stable    holds wherever the result is a number of the dtype
    local     multiplies by a derivative that is no link; for a link judged from those given before

A `definition` is what the truth differentiates by itself: smooth but for the function's own kinks,
and precise on balls of any size. No derivative that a person derived is used there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from verify.network.norms import NORMS, Norm
from verify.numbers.bounded import alike
from verify.numbers.constant import Constant
from verify.numbers.number import erf, erfc, fixed

Formula: TypeAlias = Callable[..., Any]

NK = (-2, -1)  # the axes of the rows and the classes, in a problem and in a stack of them


class Form(NamedTuple):
    """One way to compute a link; `of` names what it is computed from."""

    formula: Formula
    of: tuple[str, ...]
    kind: str


def literal(*formulas: Formula) -> tuple[Form, ...]:
    """Forms as a textbook has them."""
    return _forms("literal", formulas)


def stable(*formulas: Formula) -> tuple[Form, ...]:
    """Forms that hold wherever the result is a number of the dtype."""
    return _forms("stable", formulas)


def other(*formulas: Formula) -> tuple[Form, ...]:
    """Forms that some programs have: a right answer may come from them, no manual chain does."""
    return _forms("other", formulas)


def _forms(kind: str, formulas: tuple[Formula, ...]) -> tuple[Form, ...]:
    return tuple(Form(f, tuple(inspect.signature(f).parameters), kind) for f in formulas)


def through(slopes: tuple[Form, ...]) -> tuple[Form, ...]:
    """dC_dy_o times a derivative taken at y or y_o, as automatic differentiation multiplies."""

    def product(slope: Formula) -> Formula:
        return lambda dC_dy_o, *at: dC_dy_o * slope(*at)

    return tuple(Form(product(f.formula), ("dC_dy_o", *f.of), "local") for f in slopes)


def local(forms: tuple[Form, ...]) -> tuple[Form, ...]:
    """The same forms, for links judged from those given before them alone."""
    return tuple(form._replace(kind="local") for form in forms)


# ---- what several links share


def total(a: Any) -> Any:
    """The sum over the classes of each row.

    Shapes  (N, K) gives (N, 1).
    """
    return a.sum(axis=-1, keepdims=True)


def shift(y: Any) -> Any:
    """The largest of each row, as a number that cancels from what is computed with it.

    Shapes  (N, K) gives (N, 1).
    """
    return fixed(y.max(axis=-1, keepdims=True))


def sigma(y: Any) -> Any:
    """The logistic sigmoid as the post writes it.

    Shapes  any; the same.
    Breaks  exp(-y) overflows for y < -709.78 in float64, -88.72 in float32.
    """
    return 1 / (1 + np.exp(-y))


def _share_of_one(y: Any) -> Any:
    e = np.exp(y)
    return e / (1 + e)


def stable_sigma(y: Any) -> Any:
    """The same, where exp sees only arguments <= 0.

    Shapes  any; the same.
    """
    E = np.exp(-np.abs(y))
    return np.where(y >= 0, 1 / (1 + E), E / (1 + E))


def log_sigma(y: Any) -> Any:
    """log sigma(y) without a sigma.

    Shapes  any; the same.
    """
    return np.minimum(y, 0) - np.log1p(np.exp(-np.abs(y)))


def _fused(y: Any) -> Any:
    return y - (np.maximum(y, 0) + np.log(1 + np.exp(-np.abs(y))))


# log sigma(y) as a logarithm of a sum of exponentials has it
fused_log_sigma = alike(_fused, log_sigma, lambda y: -np.log1p(np.exp(-y)))


def softmax(y: Any) -> Any:
    """e^y over the sum of its row's.

    Shapes  (N, K); the same.
    """
    e = np.exp(y)
    return e / total(e)


def stable_softmax(y: Any) -> Any:
    """The same, where exp sees only arguments <= 0.

    Shapes  (N, K); the same.
    """
    return softmax(y - shift(y))


def log_softmax(y: Any) -> Any:
    """y less the logarithm of the sum of its row's exponentials, shifted.

    Shapes  (N, K); the same.
    """
    z = y - shift(y)
    return z - np.log(total(np.exp(z)))


def less_log_sum_exp(y: Any) -> Any:
    """The same, by a log-sum-exp of its own.

    Shapes  (N, K); the same.
    """
    m = shift(y)
    return y - (m + np.log(total(np.exp(y - m))))


ROOT_HALF = Constant(lambda arb: arb(0.5).sqrt())
ROOT_2_BY_PI = Constant(lambda arb: (2 / arb.pi()).sqrt())
PEAK = Constant(lambda arb: (2 * arb.pi()).rsqrt())  # of the normal density
CUBIC = Constant(lambda arb: arb(44715) / 1000000)
THREE_CUBIC = Constant(lambda arb: arb(134145) / 1000000)


def inner(y: Any) -> Any:
    """What the tanh of gelu-tanh is taken of.

    Shapes  any; the same.
    """
    return ROOT_2_BY_PI * (y + CUBIC * (y * y * y))


def _inner_slope(y: Any) -> Any:
    return ROOT_2_BY_PI * (1 + THREE_CUBIC * (y * y))


def _gelu_tanh_slope(y: Any) -> Any:
    t = np.tanh(inner(y))
    return 0.5 * (1 + t) + 0.5 * y * (1 - t * t) * _inner_slope(y)


def _stable_gelu_tanh_slope(y: Any) -> Any:
    z = 2 * inner(y)
    return stable_sigma(z) + 2 * y * (stable_sigma(z) * stable_sigma(-z)) * _inner_slope(y)


CHAIN = literal(lambda dC_dy_o, dy_o_dy: dC_dy_o * dy_o_dy)


# ---- activations


@dataclass(frozen=True)
class Activation:
    """y_o = f(y), forward and back. Without dy_o_dy every class of a row has the others in it."""

    definition: Formula
    y_o: tuple[Form, ...]
    dy_o_dy: tuple[Form, ...] = ()
    dC_dy: tuple[Form, ...] = CHAIN
    gradients: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)  # by its parameters


def _norm(norm: Norm) -> Activation:
    return Activation(
        norm.quotient,
        y_o=literal(norm.quotient, norm.product)
        + other(lambda y, epsilon: norm.shifted(y, epsilon)),
        dC_dy=literal(*norm.back) + local(literal(*norm.back_from_y_o)),
    )


def _scaled(norm: Norm) -> Activation:
    return Activation(
        lambda y, epsilon, gamma, beta: gamma * norm.quotient(y, epsilon) + beta,
        y_o=literal(
            lambda y, epsilon, gamma, beta: gamma * norm.quotient(y, epsilon) + beta,
            lambda y, epsilon, gamma, beta: gamma * norm.product(y, epsilon) + beta,
        )
        + other(norm.shifted),
        dC_dy=literal(*norm.back_scaled),
        gradients={
            "dC_dgamma": literal(
                lambda y, epsilon, dC_dy_o: (dC_dy_o * norm.product(y, epsilon)).sum(axis=-2)
            )
            + other(lambda y, epsilon, dC_dy_o: (dC_dy_o * norm.shifted(y, epsilon)).sum(axis=-2)),
            "dC_dbeta": literal(lambda dC_dy_o: dC_dy_o.sum(axis=-2)),
        },
    )


SOFTMAX_BACK = (
    lambda y_o, dC_dy_o: y_o * (dC_dy_o - total(dC_dy_o * y_o)),
    lambda y_o, dC_dy_o: y_o * dC_dy_o - y_o * total(dC_dy_o * y_o),
)

ACTIVATIONS: Mapping[str, Activation] = {
    "identity": Activation(
        lambda y: y,
        y_o=literal(lambda y: y),
        dC_dy=literal(lambda dC_dy_o: dC_dy_o),
    ),
    "sigmoid": Activation(
        sigma,
        y_o=literal(sigma, _share_of_one) + stable(stable_sigma),
        dy_o_dy=literal(lambda y: sigma(y) * (1 - sigma(y)), lambda y_o: y_o * (1 - y_o))
        + stable(lambda y: stable_sigma(y) * stable_sigma(-y))
        + local(literal(lambda y_o: y_o - y_o * y_o)),
    ),
    "tanh": Activation(
        lambda y: np.tanh(y),
        y_o=literal(lambda y: np.tanh(y)),
        dy_o_dy=literal(
            lambda y_o: 1 - y_o * y_o,
            lambda y_o: (1 - y_o) * (1 + y_o),
        ) + stable(
            lambda y: 4 * (stable_sigma(2 * y) * stable_sigma(-2 * y)),
            lambda y: 1 / np.cosh(y) ** 2,
        ),
    ),
    "relu": Activation(
        lambda y: np.maximum(y, 0),
        y_o=literal(lambda y: np.maximum(y, 0)),
        dy_o_dy=literal(lambda y: np.heaviside(y, 0)),
    ),
    "leaky-relu": Activation(
        lambda y, leak: np.maximum(y, leak * y),
        y_o=literal(lambda y, leak: np.maximum(y, leak * y)),
        dy_o_dy=literal(lambda y, leak: np.where(y > 0, 1, leak)),
    ),
    "softplus": Activation(
        lambda y: np.log1p(np.exp(y)),
        y_o=literal(lambda y: np.log(1 + np.exp(y)))
        + stable(lambda y: np.maximum(y, 0) + np.log1p(np.exp(-np.abs(y)))),
        dy_o_dy=literal(sigma, _share_of_one) + stable(stable_sigma),
    ),
    "silu": Activation(
        lambda y: y / (1 + np.exp(-y)),
        y_o=literal(lambda y: y * sigma(y)) + stable(lambda y: y * stable_sigma(y)),
        dy_o_dy=literal(
            lambda y: sigma(y) * (1 + y * (1 - sigma(y))),
            lambda y: sigma(y) + y * sigma(y) * (1 - sigma(y)),
        ) + stable(lambda y: stable_sigma(y) * (1 + y * stable_sigma(-y))),
    ),
    "gelu": Activation(
        lambda y: y * erfc(-(ROOT_HALF * y)) / 2,
        y_o=literal(lambda y: 0.5 * y * (1 + erf(ROOT_HALF * y)))
        + stable(lambda y: y * (erfc(-(ROOT_HALF * y)) * 0.5)),
        dy_o_dy=literal(
            lambda y: 0.5 * (1 + erf(ROOT_HALF * y)) + y * (PEAK * np.exp(-0.5 * (y * y))),
        ) + stable(
            lambda y: erfc(-(ROOT_HALF * y)) * 0.5 + y * (PEAK * np.exp(-0.5 * (y * y))),
        ),
    ),
    "gelu-tanh": Activation(
        lambda y: y / (1 + np.exp(-2 * inner(y))),
        y_o=literal(lambda y: 0.5 * y * (1 + np.tanh(inner(y))))
        + stable(lambda y: y * stable_sigma(2 * inner(y))),
        dy_o_dy=literal(_gelu_tanh_slope) + stable(_stable_gelu_tanh_slope),
    ),
    "softmax": Activation(
        softmax,
        y_o=literal(softmax) + stable(stable_softmax, lambda y: np.exp(less_log_sum_exp(y))),
        dC_dy=literal(*SOFTMAX_BACK),
    ),
    "log-softmax": Activation(
        lambda y: y - np.log(total(np.exp(y))),
        y_o=literal(lambda y: np.log(softmax(y)))
        + stable(log_softmax, less_log_sum_exp, lambda y: np.log(stable_softmax(y))),
        dC_dy=literal(lambda y_o, dC_dy_o: dC_dy_o - np.exp(y_o) * total(dC_dy_o)),
    ),
    **{name: _norm(norm) for name, norm in NORMS.items()},
}  # fmt: skip
SCALED: Mapping[str, Activation] = {name: _scaled(norm) for name, norm in NORMS.items()}
