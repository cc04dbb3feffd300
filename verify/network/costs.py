"""The table of costs, and of the pairs of a last activation and a cost that cancel.

As in links: a form a line, plain NumPy, parameters by name. N is what the reduction divides by: the
number of rows ("rows", the post's), 1 ("sum"), rows times classes ("mean").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from verify.network.links import (
    NK,
    SOFTMAX_BACK,
    Form,
    Formula,
    fused_log_sigma,
    less_log_sum_exp,
    literal,
    log_sigma,
    log_softmax,
    other,
    stable,
    stable_sigma,
    stable_softmax,
    total,
)
from verify.numbers.number import taken_for


@dataclass(frozen=True)
class Cost:
    """C of y_o, and its derivative there."""

    definition: Formula
    C: tuple[Form, ...]
    dC_dy_o: tuple[Form, ...]
    labels: str = "any"  # which it takes: "non-negative" where C is of a logarithm times them
    activations: tuple[str, ...] = ()  # the last ones that C is of a logarithm of; else any


def _cross_entropy(y_o: Any, P: Any, N: Any) -> Any:
    return -(P * np.log(y_o)).sum(NK) / N


def _binary(y_o: Any, P: Any, N: Any) -> Any:
    return -(P * np.log(y_o) + (1 - P) * np.log(1 - y_o)).sum(NK) / N


def _squared(y_o: Any, P: Any, N: Any) -> Any:
    return np.square(y_o - P).sum(NK) / N


def _half_squared(y_o: Any, P: Any, N: Any) -> Any:
    return 0.5 * np.square(y_o - P).sum(NK) / N


def _likelihood(y_o: Any, P: Any, N: Any) -> Any:
    return -(P * y_o).sum(NK) / N


def _hinge(y_o: Any, P: Any, N: Any) -> Any:
    return np.maximum(1 - P * y_o, 0).sum(NK) / N


def _short(y_o: Any, P: Any) -> Any:
    """By how much p y_o is less than 1; a label of -1 or 1 changes a sign, and rounds nothing."""
    return 1 - np.where(P > 0, y_o, -y_o)


def _multi_hinge(y_o: Any, P: Any, N: Any) -> Any:
    return (np.where(P > 0, 0, np.maximum(y_o - total(P * y_o) + 1, 0))).sum(NK) / N


def _labelled(y_o: Any, P: Any) -> Any:
    """The y_o of the label's class, which a program looks up: no sum of it rounds."""
    return np.where(P > 0, y_o, -np.inf).max(axis=-1, keepdims=True)


def _margins(y_o: Any, P: Any) -> tuple[Any, ...]:
    """By how much each class comes near the label's or is above it, in the orders of its sum."""
    label = _labelled(y_o, P)
    return y_o - label + 1, y_o + 1 - label, y_o + (1 - label)


def _multi_cost(order: int) -> Formula:
    return lambda y_o, P, N: np.where(P > 0, 0, np.maximum(_margins(y_o, P)[order], 0)).sum(NK) / N


def _multi_slope(order: int) -> Formula:
    def slope(y_o: Any, P: Any, N: Any) -> Any:
        above = np.where(P > 0, 0, np.heaviside(_margins(y_o, P)[order], 0))
        return np.where(P > 0, -total(above), above) / N

    return slope


def _multi_slope_divided(y_o: Any, P: Any, N: Any) -> Any:
    """The same, where each class is divided before they are counted."""
    above = np.where(P > 0, 0, np.heaviside(_margins(y_o, P)[0], 0)) / N
    return np.where(P > 0, -total(above), above)


def _upstream(y_o: Any, G: Any) -> Any:
    return (G * y_o).sum(NK)


COSTS: Mapping[str, Cost] = {
    "cross-entropy": Cost(
        _cross_entropy,
        C=literal(_cross_entropy),
        dC_dy_o=literal(lambda y_o, P, N: -P / y_o / N) + other(lambda y_o, P, N: -(P / N) / y_o),
        labels="non-negative",
        activations=("sigmoid", "softmax", "softplus"),
    ),
    "binary-cross-entropy": Cost(
        _binary,
        C=literal(_binary),
        dC_dy_o=literal(
            lambda y_o, P, N: (-P / y_o + (1 - P) / (1 - y_o)) / N,
            lambda y_o, P, N: (y_o - P) / (y_o * (1 - y_o)) / N,
        ),
        labels="probabilities",
        activations=("sigmoid",),
    ),
    "squared-error": Cost(
        _squared,
        C=literal(_squared),
        dC_dy_o=literal(lambda y_o, P, N: 2 * (y_o - P) / N),
    ),
    "half-squared-error": Cost(
        _half_squared,
        C=literal(_half_squared),
        dC_dy_o=literal(lambda y_o, P, N: (y_o - P) / N),
    ),
    "negative-log-likelihood": Cost(
        _likelihood,
        C=literal(_likelihood),
        dC_dy_o=literal(lambda P, N: -P / N),
        labels="non-negative",
        activations=("log-softmax",),
    ),
    "hinge": Cost(
        _hinge,
        C=literal(lambda y_o, P, N: np.maximum(_short(y_o, P), 0).sum(NK) / N),
        dC_dy_o=literal(lambda y_o, P, N: np.where(_short(y_o, P) > 0, -P, 0) / N),
        labels="signs",
    ),
    "multi-class-hinge": Cost(
        _multi_hinge,
        C=literal(*map(_multi_cost, range(3))),
        dC_dy_o=literal(*map(_multi_slope, range(3)), _multi_slope_divided),
        labels="one class a row",
    ),
    "upstream": Cost(_upstream, C=literal(_upstream), dC_dy_o=literal(lambda G: G)),
}


@dataclass(frozen=True)
class Pair:
    """A cost and the activation before it, where dC_dy_o dy_o_dy is a pole times a zero.

    With the same y_o in both factors the product is short: its forms are computed from y_o or y,
    and stand beside the pair's own C of y. `between` has numbers that are no links, by which forms
    are bounded more sharply than by y.
    """

    definition: Formula
    C: tuple[Form, ...]
    dC_dy: tuple[Form, ...]
    between: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)


def _softmax_cross_entropy(y: Any, P: Any, N: Any) -> Any:
    return (P * (np.log(total(np.exp(y))) - y)).sum(NK) / N


def _binary_of_y(y: Any, P: Any, N: Any) -> Any:
    return (P * np.log1p(np.exp(-y)) + (1 - P) * np.log1p(np.exp(y))).sum(NK) / N


def _quotient(e: Any, P: Any, N: Any) -> Any:
    """e / (1 + e), differentiated by itself: (g / d - g e / d^2) e, where g is dC_dy_o.

    g is taken out of the difference, because its roundings are those of both terms. Where d^2 is
    beyond the dtype this does not hold.
    """
    d = 1 + e
    g = -P / (e / d) / N
    return g * ((1 / d - e / (d * d)) * e)


PAIRS: Mapping[tuple[str, str], Pair] = {
    ("sigmoid", "cross-entropy"): Pair(
        lambda y, P, N: (P * np.log1p(np.exp(-y))).sum(NK) / N,
        C=stable(
            lambda y, P, N: -(P * log_sigma(y)).sum(NK) / N,
        ) + other(
            lambda y, P, N: -(P * fused_log_sigma(y)).sum(NK) / N,
            lambda y, P, N: (P * np.log1p(np.exp(-y))).sum(NK) / N,
        ),
        dC_dy=literal(
            lambda y_o, P, N: -P / y_o / N * (y_o * (1 - y_o)),
            lambda y_o, P, N: -P * (1 - y_o) / N,
        ) + stable(
            lambda y, P, N: -P * stable_sigma(-y) / N,
        ) + other(
            lambda y, P, N: -P * (1 - np.exp(fused_log_sigma(y))) / N,
            _quotient,
            lambda e, P, N: -P / (1 + e) / N,
        ),
        between={"e": literal(lambda y: np.exp(y))},
    ),
    ("sigmoid", "binary-cross-entropy"): Pair(
        _binary_of_y,
        C=stable(
            lambda y, P, N: -(P * log_sigma(y) + (1 - P) * log_sigma(-y)).sum(NK) / N,
            lambda y, P, N: (
                np.maximum(y, 0) - P * y + np.log1p(np.exp(-np.abs(y)))).sum(NK) / N,
            lambda y, P, N: ((1 - P) * y - log_sigma(y)).sum(NK) / N,
        ),
        dC_dy=literal(
            lambda y_o, P, N: (-P / y_o + (1 - P) / (1 - y_o)) / N * (y_o * (1 - y_o)),
            lambda y_o, P, N: (y_o - P) / N,
        ) + stable(
            lambda y, P, N: ((1 - P) * stable_sigma(y) - P * stable_sigma(-y)) / N,
            lambda y, P, N: (stable_sigma(y) - P) / N,
        ),
    ),
    ("softmax", "cross-entropy"): Pair(
        _softmax_cross_entropy,
        C=stable(
            lambda y, P, N: -(P * log_softmax(y)).sum(NK) / N,
            lambda y, P, N: -(P * less_log_sum_exp(y)).sum(NK) / N,
        ),
        dC_dy=literal(
            *(partial(lambda back, y_o, P, N: back(y_o, -P / y_o / N), b) for b in SOFTMAX_BACK),
            lambda y_o, P, N: (y_o * total(P) - P) / N,
            lambda y_o, P, N: (y_o * taken_for(total(P), 1) - P) / N,
        ) + stable(
            lambda y, P, N: (stable_softmax(y) * total(P) - P) / N,
            lambda y, P, N: (np.exp(less_log_sum_exp(y)) * total(P) - P) / N,
        ),
    ),
}  # fmt: skip
