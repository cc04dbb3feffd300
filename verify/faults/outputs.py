"""Planted faults on the way forward in a network: of y, of y_o and of C, a row each."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.where import Row
from verify.network.links import (
    NK,
    ROOT_2_BY_PI,
    inner,
    log_softmax,
    softmax,
    stable_sigma,
    stable_softmax,
    total,
)
from verify.network.norms import NORMS
from verify.numbers.number import erf


def _kept(a: np.ndarray) -> np.ndarray:
    """A mask that drops every second number, scaled as dropout of a half scales it.

    Shapes  any; the same.
    """
    return (2 * (np.arange(a.size) % 2)).reshape(a.shape).astype(a.dtype)


_Y: tuple[Row, ...] = (
    ("bias-forgotten", "y", "x W without b", ("a bias",), lambda x, W: x @ W),
    ("bias-subtracted", "y", "x W - b", (), lambda x, W, b: x @ W - b),
    ("bias-of-the-first-unit", "y", "one bias for all units", ("more than one unit",),
     lambda x, W, b: x @ W + b[0]),
    ("bias-along-the-rows", "y", "the bias added down the rows", ("as many rows as units",),
     lambda x, W, b: x @ W + b[:, None]),
    ("square-weights-transposed", "y", "x W^T", ("square weights",),
     lambda x, W, right: right + x @ (W.mT - W)),
    ("layer-with-inputs-added", "y", "a path around the weights", ("square weights",),
     lambda x, right: right + x),
    ("layer-in-single-precision", "y", "a float32 product inside float64 code", ("float64",),
     lambda x, W, right: right - x @ W + x.astype("f4") @ W.astype("f4")),
    ("stale-product", "y", "the weights of the call before", (),
     lambda x, W, W_before, right: right + x @ (W_before - W)),
)  # fmt: skip

_Y_O: tuple[Row, ...] = (
    ("activation-forgotten", "y_o", "y handed on as it is",
     ("hidden", "an element-wise activation"), lambda y: y * 1),
    ("dropout-left-on", "y_o", "half of the units dropped, the others doubled", ("hidden",),
     lambda right: right * _kept(right)),
    ("activations-in-half-precision", "y_o", "kept as float16", ("hidden",),
     lambda right: right.astype("f2").astype(right.dtype)),
    ("tanh-twice", "y_o", "tanh(tanh(y))", ("tanh",), lambda y: np.tanh(np.tanh(y))),
    ("tanh-of-half", "y_o", "sigma scaled to [-1, 1], without the 2 in it", ("tanh",),
     lambda y: 2 * stable_sigma(y) - 1),
    ("relu-of-the-size", "y_o", "|y| for max(y, 0)", ("relu",), lambda y: np.abs(y)),
    ("relu-of-minus-y", "y_o", "min(y, 0) for max(y, 0)", ("relu",), lambda y: np.minimum(y, 0)),
    ("leaky-slope-of-a-tenth", "y_o", "a slope of 0.1 for 0.01", ("leaky-relu",),
     lambda y: np.maximum(y, 0.1 * y)),
    ("leaky-slope-added", "y_o", "0.01 below 0, and not 0.01 y", ("leaky-relu",),
     lambda y, leak: np.where(y > 0, y, leak)),
    ("softplus-without-its-one", "y_o", "log e^y where y > 0, as if the 1 were nothing",
     ("softplus",), lambda y, right: np.where(y > 0, y, right)),
    ("silu-by-a-quicker-sigmoid", "y_o", "y sigma(1.702 y), which is near gelu", ("silu",),
     lambda y: y * stable_sigma(1.702 * y)),
    ("gelu-by-a-sigmoid", "y_o", "y sigma(1.702 y)", ("gelu",),
     lambda y: y * stable_sigma(1.702 * y)),
    ("gelu-by-tanh", "y_o", "gelu's approximation by a tanh", ("gelu",),
     lambda y: y * stable_sigma(2 * inner(y))),
    ("gelu-without-the-root", "y_o", "erf(y) for erf(y / sqrt 2)", ("gelu",),
     lambda y: 0.5 * y * (1 + erf(y))),
    ("gelu-tanh-by-erf", "y_o", "gelu itself for its approximation", ("gelu-tanh",),
     lambda y: 0.5 * y * (1 + erf(y * y.dtype.type(0.5) ** 0.5))),
    ("gelu-tanh-cubic-of-ten", "y_o", "0.44715 for 0.044715", ("gelu-tanh",),
     lambda y: 0.5 * y * (1 + np.tanh(ROOT_2_BY_PI * (y + 0.44715 * y * y * y)))),
    ("softmax-down-the-rows", "y_o", "the softmax of each column", ("softmax", "more than one row"),
     lambda y: stable_softmax(y.mT).mT),
    ("softmax-over-all", "y_o", "divided by the sum of all rows",
     ("softmax", "more than one row"), lambda y: np.exp(y - y.max()) / np.exp(y - y.max()).sum()),
    ("softmax-unshifted", "y_o", "e^y where it overflows",
     ("softmax", "an exp(y) beyond the dtype"), lambda y: softmax(y)),
    ("softmax-epsilon", "y_o", "1e-8 added to the sum", ("softmax", "float64"),
     lambda y: np.exp(y - y.max(-1, keepdims=True))
     / (total(np.exp(y - y.max(-1, keepdims=True))) + 1e-8)),
    ("softmax-clipped", "y_o", "clipped to [1e-7, 1 - 1e-7]",
     ("softmax", "a label at a y_o below 1e-8"), lambda right: np.clip(right, 1e-7, 1 - 1e-7)),
    ("log-softmax-epsilon", "y_o", "log(softmax + 1e-8)", ("log-softmax", "float64"),
     lambda y: np.log(stable_softmax(y) + 1e-8)),
    ("log-softmax-down-the-rows", "y_o", "the log-softmax of each column",
     ("log-softmax", "more than one row"), lambda y: log_softmax(y.mT).mT),
    ("log-softmax-shift-added-twice", "y_o", "y - max - log sum e^y", ("log-softmax",),
     lambda y: y - y.max(-1, keepdims=True) - np.log(total(np.exp(y)))),
)  # fmt: skip

_UNITS, _ROWS = NORMS["layer-norm"], NORMS["batch-norm"]


def _in_one_pass(y: Any, epsilon: Any) -> Any:
    """Layer norm with the mean of squares less the square of the mean, taken for positive.

    Shapes  (N, K) gives (N, K).
    """
    mean = _UNITS.mean(y)
    return (y - mean) / np.sqrt(np.abs(_UNITS.mean(y * y) - mean * mean) + epsilon)


_NORM: tuple[Row, ...] = (
    ("layer-norm-unbiased", "y_o", "the variance divided by n - 1",
     ("layer-norm", "no gamma and beta", "more than one unit"),
     lambda y, epsilon: _UNITS.centred(y) / np.sqrt(y.var(-1, ddof=1, keepdims=True) + epsilon)),
    ("layer-norm-epsilon-forgotten", "y_o", "epsilon left out",
     ("layer-norm", "no gamma and beta", "more than one unit", "float64"),
     lambda y: _UNITS.centred(y) / y.std(-1, keepdims=True)),
    ("layer-norm-epsilon-beside-the-root", "y_o", "epsilon added to the deviation",
     ("layer-norm", "no gamma and beta", "float64"),
     lambda y, epsilon: _UNITS.centred(y) / (y.std(-1, keepdims=True) + epsilon)),
    ("layer-norm-by-the-variance", "y_o", "the root forgotten",
     ("layer-norm", "no gamma and beta"),
     lambda y, epsilon: _UNITS.centred(y) / (y.var(-1, keepdims=True) + epsilon)),
    ("layer-norm-down-the-rows", "y_o", "normalised over the wrong axis",
     ("layer-norm", "no gamma and beta", "more than one row"),
     lambda y, epsilon: _ROWS.quotient(y, epsilon)),
    ("layer-norm-not-centred", "y_o", "y over the deviation",
     ("layer-norm", "no gamma and beta"), lambda y, epsilon: y / _UNITS.deviation(y, epsilon)),
    ("layer-norm-in-one-pass", "y_o", "mean(y^2) - mean(y)^2 for the variance",
     ("layer-norm", "no gamma and beta", "a mean beyond 100 deviations"), _in_one_pass),
    ("batch-norm-unbiased", "y_o", "the variance divided by n - 1",
     ("batch-norm", "no gamma and beta", "more than one row"),
     lambda y, epsilon: _ROWS.centred(y) / np.sqrt(y.var(-2, ddof=1, keepdims=True) + epsilon)),
    ("batch-norm-over-all", "y_o", "one mean and variance for all units",
     ("batch-norm", "no gamma and beta", "more than one unit"),
     lambda y, epsilon: (y - y.mean()) / np.sqrt(y.var() + epsilon)),
    ("norm-beta-before-gamma", "y_o", "gamma (x + beta)", ("gamma and beta",),
     lambda right, gamma, beta: right + (gamma - 1) * beta),
    ("norm-beta-forgotten", "y_o", "gamma x alone", ("gamma and beta",),
     lambda right, beta: right - beta),
)  # fmt: skip

_C: tuple[Row, ...] = (
    ("cost-not-divided", "C", "the sum, where a mean is asked for", ("rows", "more than one row"),
     lambda right, N: right * N),
    ("cost-divided-by-classes", "C", "a mean over rows and classes", ("rows", "more than one unit"),
     lambda right, P: right / P.shape[-1]),
    ("cost-divided-by-rows", "C", "a mean, where the sum is asked for",
     ("sum", "more than one row"), lambda right, P: right / len(P)),
    ("cost-mean-by-rows-alone", "C", "divided by N where it is N K", ("mean", "more than one unit"),
     lambda right, P: right * P.shape[-1]),
    ("cost-of-labels-alone", "C", "the term of 1 - p forgotten", ("binary-cross-entropy",),
     lambda y_o, P, N: -(P * np.log(y_o)).sum(NK) / N),
    ("cost-of-one-minus-p-subtracted", "C", "the sign of the term of 1 - p",
     ("binary-cross-entropy",),
     lambda y_o, P, N: -(P * np.log(y_o) - (1 - P) * np.log(1 - y_o)).sum(NK) / N),
    ("cost-of-two-sides", "C", "binary cross-entropy of a softmax", ("softmax", "cross-entropy"),
     lambda y_o, P, N: -(P * np.log(y_o) + (1 - P) * np.log(1 - y_o)).sum(NK) / N),
    ("squares-halved", "C", "half of the squared error", ("squared-error",),
     lambda right: right / 2),
    ("squares-whole", "C", "the half forgotten", ("half-squared-error",), lambda right: right * 2),
    ("absolute-error", "C", "|y_o - p| for its square", ("squared-error",),
     lambda y_o, P, N: np.abs(y_o - P).sum(NK) / N),
    ("root-of-squares", "C", "the root of the squared error", ("squared-error",),
     lambda right: np.sqrt(right)),
    ("likelihood-of-probabilities", "C", "the logarithm taken twice", ("negative-log-likelihood",),
     lambda y_o, P, N: -(P * np.log(-y_o)).sum(NK) / N),
    ("likelihood-of-the-largest", "C", "the largest label alone",
     ("negative-log-likelihood", "labels between 0 and 1"),
     lambda y_o, P, N: -np.take_along_axis(y_o, P.argmax(-1)[:, None], -1).sum() / N),
    ("logarithm-epsilon-1e-8", "C", "1e-8 added inside the logarithm",
     ("cross-entropy", "float64"), lambda y_o, P, N: -(P * np.log(y_o + 1e-8)).sum(NK) / N),
    ("logarithm-epsilon-1e-12", "C", "1e-12 added inside the logarithm",
     ("cross-entropy", "float64"), lambda y_o, P, N: -(P * np.log(y_o + 1e-12)).sum(NK) / N),
    ("logarithm-epsilon-1e-30", "C", "1e-30 added inside the logarithm", ("cross-entropy",),
     lambda y_o, P, N: -(P * np.log(y_o + 1e-30)).sum(NK) / N),
    ("logarithm-clipped", "C", "y_o clipped to [1e-7, 1 - 1e-7]",
     ("cross-entropy", "a label at a y_o below 1e-8"),
     lambda y_o, P, N: -(P * np.log(np.clip(y_o, 1e-7, 1 - 1e-7))).sum(NK) / N),
    ("logarithm-to-base-2", "C", "log2 for log", ("cross-entropy",),
     lambda right: right / right.dtype.type(np.log(2))),
    ("hinge-not-cut", "C", "margins beyond 1 taken off", ("hinge",),
     lambda y_o, P, N: (1 - P * y_o).sum(NK) / N),
    ("hinge-squared", "C", "the squares of the margins", ("hinge",),
     lambda y_o, P, N: np.square(np.maximum(1 - P * y_o, 0)).sum(NK) / N),
    ("hinge-of-the-label-counted", "C", "the label's own margin of 1 added in each row",
     ("multi-class-hinge",), lambda right, P, N: right + P.sum() / N),
    ("hinge-of-the-largest", "C", "the largest margin of a row alone",
     ("multi-class-hinge", "more than one unit"),
     lambda y_o, P, N: np.where(P > 0, 0, np.maximum(y_o - total(P * y_o) + 1, 0)).max(-1).sum()
     / N),
    ("decay-not-in-the-cost", "C", "(lambda / 2) sum W^2 left out", ("weight decay",),
     lambda right, penalty: right - penalty),
    ("decay-whole", "C", "lambda sum W^2, without the half", ("weight decay",),
     lambda right, penalty: right + penalty),
    ("decay-averaged-in-the-cost", "C", "the weights' term divided by the rows",
     ("weight decay", "more than one row"),
     lambda right, penalty, P: right - penalty + penalty / len(P)),
    ("decay-of-biases-in-the-cost", "C", "the squares of the biases added",
     ("weight decay", "biases"), lambda right, penalty_of_biases: right + penalty_of_biases),
)  # fmt: skip

OUTPUTS = (*_Y, *_Y_O, *_NORM, *_C)
