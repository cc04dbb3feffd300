"""Planted faults of the errors of units on the way back, dC_dy_o, dy_o_dy and dC_dy, a row each."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.where import Row
from verify.network.links import (
    CUBIC,
    PEAK,
    ROOT_2_BY_PI,
    ROOT_HALF,
    THREE_CUBIC,
    inner,
    stable_sigma,
    total,
)
from verify.network.norms import NORMS
from verify.numbers.number import erf

_UNITS, _ROWS = NORMS["layer-norm"], NORMS["batch-norm"]


def _counted(above: Any, P: Any) -> Any:
    """1 for each other class that counts, less their number at the label.

    Shapes  (N, K) gives (N, K).
    """
    others = np.where(P > 0, 0, above).astype(P.dtype)
    return np.where(P > 0, -total(others), others)


def _largest(y_o: Any, P: Any) -> Any:
    """The largest of each row's other classes.

    Shapes  (N, K) gives (N, 1).
    """
    return np.where(P > 0, -np.inf, y_o).max(-1, keepdims=True)


_COST: tuple[Row, ...] = (
    ("back-second-term-forgotten", "dC_dy_o", "-p / y_o alone", ("binary-cross-entropy",),
     lambda y_o, P, N: -P / y_o / N),
    ("back-second-term-sign", "dC_dy_o", "the sign of (1 - p) / (1 - y_o)",
     ("binary-cross-entropy",), lambda y_o, P, N: (-P / y_o - (1 - P) / (1 - y_o)) / N),
    ("back-two-forgotten", "dC_dy_o", "y_o - p without the 2", ("squared-error",),
     lambda y_o, P, N: (y_o - P) / N),
    ("back-two-kept", "dC_dy_o", "2 (y_o - p), the half forgotten", ("half-squared-error",),
     lambda y_o, P, N: 2 * (y_o - P) / N),
    ("back-labels-less-outputs", "dC_dy_o", "p - y_o", ("squared-error",),
     lambda y_o, P, N: 2 * (P - y_o) / N),
    ("back-not-divided", "dC_dy_o", "1/N missing", ("rows", "more than one row"),
     lambda right, N: right * N),
    ("back-divided-twice", "dC_dy_o", "1/N applied twice", ("rows", "more than one row"),
     lambda right, N: right / N),
    ("back-divided-by-classes", "dC_dy_o", "divided by N K", ("rows", "more than one unit"),
     lambda right, P: right / P.shape[-1]),
    ("back-mean-by-rows-alone", "dC_dy_o", "divided by N where it is N K",
     ("mean", "more than one unit"), lambda right, P: right * P.shape[-1]),
    ("back-sum-averaged", "dC_dy_o", "divided by the rows of a sum", ("sum", "more than one row"),
     lambda right, P: right / len(P)),
    ("back-epsilon", "dC_dy_o", "1e-8 added to the divisor", ("cross-entropy", "float64"),
     lambda y_o, P, N: -P / (y_o + 1e-8) / N),
    ("back-likelihood-divided", "dC_dy_o", "-p / y_o, as if y_o were no logarithm",
     ("negative-log-likelihood",), lambda y_o, P, N: -P / y_o / N),
    ("back-hinge-sign", "dC_dy_o", "p for -p", ("hinge", "margins beyond 0"),
     lambda right: -right),
    ("back-hinge-of-all", "dC_dy_o", "-p where the margin is kept, too", ("hinge",),
     lambda P, N: -P / N),
    ("back-hinge-of-the-wrong-side", "dC_dy_o", "the margin of 1 forgotten: p y_o < 0", ("hinge",),
     lambda y_o, P, N: np.where(P * y_o < 0, -P, 0) / N),
    ("back-hinge-overwritten", "dC_dy_o", "= for -= at the label: -1 however many count",
     ("multi-class-hinge", "margins beyond 0"),
     lambda right, P, N: np.where(P > 0, np.minimum(np.sign(right), 0) / N, right)),
    ("back-hinge-label-forgotten", "dC_dy_o", "nothing at the label",
     ("multi-class-hinge", "margins beyond 0"), lambda right, P: np.where(P > 0, 0, right)),
    ("back-hinge-margin-sign", "dC_dy_o", "counted where the label is above by 1 and more",
     ("multi-class-hinge", "more than one unit"),
     lambda y_o, P, N: _counted(total(P * y_o) - y_o - 1 >= 0, P) / N),
    ("back-hinge-of-the-largest", "dC_dy_o", "the largest margin of a row alone",
     ("multi-class-hinge", "margins beyond 0"),
     lambda y_o, right, P, N: _counted((right > 0) & (y_o == _largest(y_o, P)), P) / N),
    ("back-upstream-of-one", "dC_dy_o", "the upstream gradient taken for 1", ("upstream",),
     lambda G: np.ones_like(G)),
    ("back-upstream-of-the-first-row", "dC_dy_o", "the first row's upstream gradient for all",
     ("upstream", "more than one row"), lambda G: G[:1] + 0 * G),
)  # fmt: skip

_SLOPE: tuple[Row, ...] = (
    ("sigmoid-slope-at-y_o", "dy_o_dy", "sigma'(y_o)", ("sigmoid",),
     lambda y_o: stable_sigma(y_o) * stable_sigma(-y_o)),
    ("sigmoid-slope-at-y", "dy_o_dy", "y (1 - y)", ("sigmoid",), lambda y: y * (1 - y)),
    ("sigmoid-slope-of-tanh", "dy_o_dy", "1 - y_o^2", ("sigmoid",), lambda y_o: 1 - y_o * y_o),
    ("tanh-slope-at-y_o", "dy_o_dy", "1 - tanh(y_o)^2", ("tanh",),
     lambda y_o: 1 - np.tanh(y_o) ** 2),
    ("tanh-slope-at-y", "dy_o_dy", "1 - y^2", ("tanh",), lambda y: 1 - y * y),
    ("tanh-slope-of-sigmoid", "dy_o_dy", "y_o (1 - y_o)", ("tanh",), lambda y_o: y_o * (1 - y_o)),
    ("tanh-slope-not-squared", "dy_o_dy", "1 - y_o", ("tanh",), lambda y_o: 1 - y_o),
    ("relu-slope-of-1-at-0", "dy_o_dy", "y >= 0", ("relu", "a y of exactly 0"),
     lambda y: np.heaviside(y, 1)),
    ("relu-slope-of-a-half-at-0", "dy_o_dy", "1/2 where y is 0", ("relu", "a y of exactly 0"),
     lambda y: np.heaviside(y, y.dtype.type(0.5))),
    ("relu-mask-of-the-inputs", "dy_o_dy", "1 where x > 0", ("relu", "square weights"),
     lambda x: np.heaviside(x, 0)),
    ("relu-mask-reversed", "dy_o_dy", "1 where y < 0", ("relu",), lambda y: np.heaviside(-y, 0)),
    ("relu-slope-of-y", "dy_o_dy", "y itself where y > 0", ("relu",), lambda y_o: y_o * 1),
    ("leaky-slope-of-0", "dy_o_dy", "0 below 0, as of a relu", ("leaky-relu",),
     lambda y: np.heaviside(y, 0)),
    ("leaky-slope-of-a-tenth-back", "dy_o_dy", "0.1 for 0.01", ("leaky-relu",),
     lambda y: np.where(y > 0, 1, 0.1).astype(y.dtype)),
    ("leaky-slope-negative", "dy_o_dy", "-0.01 below 0", ("leaky-relu",),
     lambda y, leak: np.where(y > 0, 1, -leak).astype(y.dtype)),
    ("softplus-slope-of-itself", "dy_o_dy", "the softplus again", ("softplus",),
     lambda y_o: y_o * 1),
    ("softplus-slope-of-minus-y", "dy_o_dy", "sigma(-y)", ("softplus",),
     lambda y: stable_sigma(-y)),
    ("softplus-slope-at-y_o", "dy_o_dy", "sigma(y_o)", ("softplus",),
     lambda y_o: stable_sigma(y_o)),
    ("silu-second-term-forgotten", "dy_o_dy", "sigma(y) alone", ("silu",),
     lambda y: stable_sigma(y)),
    ("silu-first-term-forgotten", "dy_o_dy", "y sigma'(y) alone", ("silu",),
     lambda y: y * stable_sigma(y) * stable_sigma(-y)),
    ("silu-slope-of-sigmoid", "dy_o_dy", "y_o (1 - y_o)", ("silu",), lambda y_o: y_o * (1 - y_o)),
    ("gelu-density-forgotten", "dy_o_dy", "the normal distribution alone", ("gelu",),
     lambda y: 0.5 * (1 + erf(ROOT_HALF * y))),
    ("gelu-density-unscaled", "dy_o_dy", "e^(-y^2 / 2) without 1 / sqrt(2 pi)", ("gelu",),
     lambda y: 0.5 * (1 + erf(ROOT_HALF * y)) + y * np.exp(-0.5 * y * y)),
    ("gelu-slope-by-tanh", "dy_o_dy", "the slope of gelu's approximation", ("gelu",),
     lambda y: 0.5 * (1 + np.tanh(inner(y))) + 0.5 * y * (1 - np.tanh(inner(y)) ** 2)
     * (ROOT_2_BY_PI * (1 + THREE_CUBIC * (y * y)))),
    ("gelu-tanh-slope-by-erf", "dy_o_dy", "gelu's slope for its approximation's", ("gelu-tanh",),
     lambda y: 0.5 * (1 + erf(ROOT_HALF * y)) + y * (PEAK * np.exp(-0.5 * y * y))),
    ("gelu-tanh-inner-forgotten", "dy_o_dy", "the derivative of the inner cubic left out",
     ("gelu-tanh",),
     lambda y: 0.5 * (1 + np.tanh(inner(y))) + 0.5 * y * (1 - np.tanh(inner(y)) ** 2)),
    ("gelu-tanh-three-forgotten", "dy_o_dy", "the cubic's 3 left out", ("gelu-tanh",),
     lambda y: 0.5 * (1 + np.tanh(inner(y))) + 0.5 * y * (1 - np.tanh(inner(y)) ** 2)
     * (ROOT_2_BY_PI * (1 + CUBIC * (y * y)))),
)  # fmt: skip

_ERROR: tuple[Row, ...] = (
    ("slope-forgotten", "dC_dy", "dC_dy_o handed on", ("an element-wise activation",),
     lambda dC_dy_o: dC_dy_o * 1),
    ("slope-twice", "dC_dy", "the slope applied twice", ("an element-wise activation",),
     lambda dC_dy_o, dy_o_dy: dC_dy_o * dy_o_dy * dy_o_dy),
    ("slope-added", "dC_dy", "dC_dy_o + dy_o_dy", ("an element-wise activation",),
     lambda dC_dy_o, dy_o_dy: dC_dy_o + dy_o_dy),
    ("upstream-overwritten", "dC_dy", "= for *=", ("an element-wise activation",),
     lambda dy_o_dy: dy_o_dy * 1),
    ("outputs-for-the-slope", "dC_dy", "dC_dy_o times y_o", ("hidden",),
     lambda dC_dy_o, y_o: dC_dy_o * y_o),
    ("stale-activations", "dC_dy", "the slope of the call before", ("an element-wise activation",),
     lambda dC_dy_o, dy_o_dy_before: dC_dy_o * dy_o_dy_before),
    ("softmax-diagonal-only", "dC_dy", "y_o (1 - y_o), class by class", ("softmax",),
     lambda y_o, dC_dy_o: dC_dy_o * y_o * (1 - y_o)),
    ("softmax-jacobian-sign", "dC_dy", "+ for - between the Jacobian's terms", ("softmax",),
     lambda y_o, dC_dy_o: y_o * (dC_dy_o + total(dC_dy_o * y_o))),
    ("softmax-sum-forgotten", "dC_dy", "y_o dC_dy_o alone", ("softmax",),
     lambda y_o, dC_dy_o: y_o * dC_dy_o),
    ("softmax-sum-unweighted", "dC_dy", "the sum of dC_dy_o without y_o in it", ("softmax",),
     lambda y_o, dC_dy_o: y_o * (dC_dy_o - total(dC_dy_o))),
    ("softmax-sum-down-the-rows", "dC_dy", "summed over the wrong axis",
     ("softmax", "more than one row"),
     lambda y_o, dC_dy_o: y_o * (dC_dy_o - (y_o * dC_dy_o).sum(-2))),
    ("softmax-less-labels", "dC_dy", "(y_o - p) / N where sum p is not 1",
     ("softmax", "cross-entropy", "labels that do not sum to 1"),
     lambda y_o, P, N: (y_o - P) / N),
    ("softmax-labels-less-outputs", "dC_dy", "(p - y_o) / N", ("softmax", "cross-entropy"),
     lambda y_o, P, N: (P - y_o) / N),
    ("softmax-largest-label-only", "dC_dy", "one-hot labels where they are soft",
     ("softmax", "cross-entropy", "labels between 0 and 1"),
     lambda y_o, P, N: (y_o - np.equal(P, P.max(-1, keepdims=True))) / N),
    ("difference-with-the-slope", "dC_dy", "(y_o - p) y_o (1 - y_o), as of a squared error",
     ("sigmoid", "binary-cross-entropy"), lambda y_o, P, N: (y_o - P) * y_o * (1 - y_o) / N),
    ("likelihood-of-a-softmax", "dC_dy", "exp(y_o) - p where sum p is not 1",
     ("log-softmax", "negative-log-likelihood", "labels that do not sum to 1"),
     lambda y_o, P, N: (np.exp(y_o) - P) / N),
    ("log-softmax-sum-forgotten", "dC_dy", "dC_dy_o alone", ("log-softmax",),
     lambda dC_dy_o: dC_dy_o * 1),
    ("log-softmax-unweighted", "dC_dy", "the sum without e^y_o before it", ("log-softmax",),
     lambda dC_dy_o: dC_dy_o - total(dC_dy_o)),
    ("log-softmax-without-exp", "dC_dy", "y_o for e^y_o before the sum", ("log-softmax",),
     lambda dC_dy_o, y_o: dC_dy_o - y_o * total(dC_dy_o)),
)  # fmt: skip

_NORM: tuple[Row, ...] = (
    ("batch-norm-statistics-held", "dC_dy", "mean and variance taken for constants",
     ("batch-norm", "no gamma and beta"),
     lambda y, epsilon, dC_dy_o: dC_dy_o / _ROWS.deviation(y, epsilon)),
    ("batch-norm-mean-term-forgotten", "dC_dy", "the way through the mean left out",
     ("batch-norm", "no gamma and beta"),
     lambda right, y, epsilon, dC_dy_o: right + _ROWS.mean(dC_dy_o) / _ROWS.deviation(y, epsilon)),
    ("batch-norm-variance-term-forgotten", "dC_dy", "the way through the variance left out",
     ("batch-norm", "no gamma and beta"),
     lambda right, y, y_o, epsilon, dC_dy_o: (
         right + y_o * _ROWS.mean(dC_dy_o * y_o) / _ROWS.deviation(y, epsilon))),
    ("batch-norm-mean-divided-twice", "dC_dy", "the mean's effect divided by m twice",
     ("batch-norm", "no gamma and beta", "more than one row"),
     lambda right, y, epsilon, dC_dy_o: (
         right + _ROWS.mean(dC_dy_o) * (1 - 1 / len(y)) / _ROWS.deviation(y, epsilon))),
    ("batch-norm-term-too-many", "dC_dy", "the mean's effect through the variance, which is 0",
     ("batch-norm", "no gamma and beta", "more than one row"),
     lambda right, y, y_o, epsilon, dC_dy_o: (
         right - y_o * _ROWS.mean(dC_dy_o) / _ROWS.deviation(y, epsilon))),
    ("batch-norm-root-forgotten-back", "dC_dy", "divided by the variance",
     ("batch-norm", "no gamma and beta"),
     lambda right, y, epsilon: right / _ROWS.deviation(y, epsilon)),
    ("batch-norm-gamma-forgotten-back", "dC_dy", "dC_dy_o where gamma dC_dy_o belongs",
     ("batch-norm", "gamma and beta"),
     lambda y, epsilon, dC_dy_o: _ROWS.back[0](y, dC_dy_o, epsilon)),
    ("layer-norm-gamma-forgotten-back", "dC_dy", "dC_dy_o where gamma dC_dy_o belongs",
     ("layer-norm", "gamma and beta", "more than one unit"),
     lambda y, epsilon, dC_dy_o: _UNITS.back[0](y, dC_dy_o, epsilon)),
    ("layer-norm-mean-over-rows", "dC_dy", "shape[0] taken for the number of units",
     ("layer-norm", "no gamma and beta", "another number of rows than of units"),
     lambda y, y_o, epsilon, dC_dy_o: (
         dC_dy_o - _UNITS.sum(dC_dy_o) / len(y) - y_o * _UNITS.sum(dC_dy_o * y_o) / len(y))
     / _UNITS.deviation(y, epsilon)),
    ("layer-norm-down-the-rows-back", "dC_dy", "the sums taken over the wrong axis",
     ("layer-norm", "no gamma and beta", "more than one row"),
     lambda y, y_o, epsilon, dC_dy_o: (
         dC_dy_o - _ROWS.mean(dC_dy_o) - y_o * _ROWS.mean(dC_dy_o * y_o))
     / _UNITS.deviation(y, epsilon)),
)  # fmt: skip

SLOPES = (*_COST, *_SLOPE, *_ERROR, *_NORM)
