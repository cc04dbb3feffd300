"""Planted faults: what people get wrong in a hand-written backward pass, a variation each.

To add one: a line in the group of its link, with a name, the mistake in words, and the formula that
replaces the link's own. A formula sees everything before it as attributes of `v`: X, W, P, h, N, D,
K, the earlier links, and s = sigma(-y) = 1 - y_o; what comes after is computed from what it gives.
One that shows only at some sizes or values is a line of corners.py; one of behaviour is a line of
behaviour.py, one of a torch function's backward pass a line of backwards.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from verify.faults.arithmetic import (  # fmt: skip
    RIGHT,
    Formula,
    central_differences,
    cross_entropy_of_softmax,
    one_ulp,
    overflowing,
    rank_means,
    sigma,
    softmax,
    tf32,
    with_formulas,
    without_smallest,
)
from verify.faults.backwards import BACKWARDS
from verify.faults.behaviour import BEHAVIOUR, Function
from verify.faults.corners import SIZES, VALUES


@dataclass(frozen=True)
class Fault:
    """One mistake: its name, the link it breaks, what was done wrong, and how to make it anew."""

    name: str
    link: str
    mistake: str
    make: Callable[[], Function]
    visible: bool = True  # False for what lies inside any sound bound
    arrays: str = "numpy"  # what it takes
    formula: bool = True  # a wrong number, and nothing that other calls or layouts would show


_TABLE: tuple[tuple[str, str, str, Mapping[str, Formula]], ...] = (
    # y: what the pre-activation is made of
    ("inputs-truncated", "y", "X read as whole numbers", {"X": lambda v: np.trunc(v.X)}),
    ("weights-transposed", "y", "X times a W that was reshaped", {
        "y": lambda v: v.X @ v.W.reshape(v.K, v.D).T}),
    ("relu-after-product", "y", "a ReLU between product and sigmoid", {
        "y": lambda v: np.maximum(v.X @ v.W, 0)}),
    ("pre-activation-negated", "y", "sigma of -y", {"y": lambda v: -(v.X @ v.W)}),
    ("pre-activation-clipped", "y", "y clipped to [-30, 30] against overflow", {
        "y": lambda v: np.clip(v.X @ v.W, -30, 30)}),
    ("bias-of-one", "y", "a bias that nobody asked for", {"y": lambda v: v.X @ v.W + 1}),
    ("half-precision-product", "y", "the product in float16", {
        "y": lambda v: (v.X.astype(np.float16) @ v.W.astype(np.float16)).astype(v.X.dtype)}),
    ("single-precision-product", "y", "a float32 product inside float64 code", {
        "y": lambda v: (v.X.astype(np.float32) @ v.W.astype(np.float32)).astype(v.X.dtype)}),
    ("last-feature-forgotten", "y", "the last feature left out of the product", {
        "y": lambda v: v.X[:, :-1] @ v.W[:-1] if v.D > 1 else v.X * 0 @ v.W}),
    ("tf32-product", "y", "the product in TF32, as a GPU does where it may", {
        "y": lambda v: tf32(v.X) @ tf32(v.W)}),
    # y_o: the activation
    ("sigmoid-twice", "y_o", "the sigmoid applied twice", {"y_o": lambda v: sigma(sigma(v.y)),
        "C": lambda v: -np.sum(v.P * np.log(v.y_o)) / v.N}),
    ("softmax", "y_o", "softmax instead of the sigmoid", {
        "y_o": lambda v: softmax(v.y)}),
    ("hard-sigmoid", "y_o", "a piecewise linear sigmoid", {
        "y_o": lambda v: np.clip(v.y / 6 + v.y.dtype.type(0.5), 0, 1)}),
    ("tanh", "y_o", "tanh instead of the sigmoid", {"y_o": lambda v: np.tanh(v.y)}),
    ("activation-clipped", "y_o", "y_o clipped to [1e-3, 1 - 1e-3]", {
        "y_o": lambda v: np.clip(sigma(v.y), v.y.dtype.type(1e-3), v.y.dtype.type(1 - 1e-3))}),
    # C: the cost
    ("cost-summed", "C", "the sum over rows instead of the mean", {
        "C": lambda v: RIGHT["C"](v) * v.N, "dC_dy": lambda v: -v.P * v.s}),
    ("cost-mean-of-all", "C", ".mean() over rows and classes", {
        "C": lambda v: RIGHT["C"](v) / v.K, "dC_dy": lambda v: RIGHT["dC_dy"](v) / v.K}),
    ("cost-of-the-other-class", "C", "log(1 - y_o)", {
        "C": lambda v: np.sum(v.P * np.logaddexp(0, v.y).astype(v.y.dtype)) / v.N}),
    ("cost-epsilon", "C", "1e-8 added inside the log", {
        "C": lambda v: -np.sum(v.P * np.log(v.y_o + v.y.dtype.type(1e-8))) / v.N}),
    ("cost-arguments-swapped", "C", "-y_o log p", {
        "C": lambda v: -np.sum(v.y_o * np.log(v.P + v.y.dtype.type(1e-7))) / v.N}),
    ("cost-binary", "C", "binary cross-entropy", {
        "C": lambda v: np.sum(v.P * np.logaddexp(0, -v.y).astype(v.y.dtype)
        + (1 - v.P) * np.logaddexp(0, v.y).astype(v.y.dtype)) / v.N,
        "dC_dy": lambda v: (v.y_o - v.P) / v.N}),
    ("cost-softmax", "C", "softmax cross-entropy", {"C": cross_entropy_of_softmax,
        "dC_dy": lambda v: (softmax(v.y) * v.P.sum(1, keepdims=True) - v.P) / v.N}),
    ("cost-squared-error", "C", "squared error", {"C": lambda v: np.sum((v.P - v.y_o) ** 2) / v.N,
        "dC_dy": lambda v: 2 * (v.y_o - v.P) * v.y_o * v.s / v.N}),
    ("cost-in-bits", "C", "log2 instead of log", {
        "C": lambda v: RIGHT["C"](v) / v.y.dtype.type(np.log(2))}),
    ("cost-sign", "C", "the minus forgotten", {"C": lambda v: -RIGHT["C"](v)}),
    ("cost-of-first-row", "C", "the cost of the first row only", {
        "C": lambda v: np.sum(v.P[:1] * np.logaddexp(0, -v.y[:1]).astype(v.y.dtype))}),
    # labels, which every later link is made from
    ("labels-truncated", "C", "labels read as whole numbers", {"P": lambda v: np.trunc(v.P)}),
    ("labels-rolled", "C", "labels off by one class", {"P": lambda v: np.roll(v.P, 1, 1)}),
    ("labels-smoothed", "C", "label smoothing of 0.1 left on", {
        "P": lambda v: v.P * v.P.dtype.type(0.9) + v.P.dtype.type(0.1 / v.K)}),
    ("labels-normalised", "C", "labels scaled to sum to 1", {
        "P": lambda v: v.P / np.maximum(v.P.sum(1, keepdims=True), v.P.dtype.type(1e-30))}),
    ("labels-of-first-row", "C", "the first row's labels for all rows", {
        "P": lambda v: np.broadcast_to(v.P[:1], v.P.shape)}),
    ("labels-of-first-class", "C", "the first class's labels for all classes", {
        "P": lambda v: np.broadcast_to(v.P[:, :1], v.P.shape)}),
    ("labels-arg-max", "C", "only the largest label of a row", {
        "P": lambda v: np.eye(v.K, dtype=v.P.dtype)[v.P.argmax(1)]}),
    ("labels-as-truth-values", "C", "labels read as true or false", {
        "P": lambda v: (v.P > 0).astype(v.P.dtype)}),
    ("labels-through-uint8", "C", "labels cast to uint8, then negated", {
        "P": lambda v: -(-(v.P.astype(np.uint8))).astype(v.P.dtype)}),
    # dC_dy_o: the upstream gradient
    ("upstream-sign", "dC_dy_o", "+p / y_o", {"dC_dy_o": lambda v: v.P / v.y_o / v.N,
        "dC_dy": lambda v: v.P * v.s / v.N}),
    ("upstream-mean-forgotten", "dC_dy_o", "1/N missing", {"dC_dy_o": lambda v: -v.P / v.y_o,
        "dC_dy": lambda v: -v.P * v.s}),
    ("upstream-mean-twice", "dC_dy_o", "1/N applied twice", {
        "dC_dy_o": lambda v: -v.P / v.y_o / v.N / v.N, "dC_dy": lambda v: -v.P * v.s / v.N / v.N}),
    ("upstream-by-features", "dC_dy_o", "divided by D instead of N", {
        "dC_dy_o": lambda v: -v.P / v.y_o / v.D, "dC_dy": lambda v: -v.P * v.s / v.D}),
    ("upstream-by-classes", "dC_dy_o", "divided by N K", {
        "dC_dy_o": lambda v: -v.P / v.y_o / v.N / v.K, "dC_dy": lambda v: -v.P * v.s / v.N / v.K}),
    ("upstream-epsilon", "dC_dy_o", "1e-8 added to the divisor", {
        "dC_dy_o": lambda v: -v.P / (v.y_o + v.y.dtype.type(1e-8)) / v.N}),
    ("upstream-of-the-logarithm", "dC_dy_o", "-p log y_o differentiated as -log y_o", {
        "dC_dy_o": lambda v: np.log(v.y_o) / v.N,
        "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy}),
    # dy_o_dy: the local derivative
    ("derivative-at-the-output", "dy_o_dy", "sigma'(y_o) instead of sigma'(y)", {
        "dy_o_dy": lambda v: sigma(v.y_o) * (1 - sigma(v.y_o)),
        "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy}),
    ("derivative-of-tanh", "dy_o_dy", "1 - y_o^2", {"dy_o_dy": lambda v: 1 - v.y_o**2,
        "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy}),
    ("derivative-y_o-only", "dy_o_dy", "y_o without 1 - y_o", {"dy_o_dy": lambda v: v.y_o,
        "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy}),
    ("derivative-1-minus-y_o-only", "dy_o_dy", "1 - y_o without y_o", {"dy_o_dy": lambda v: v.s,
        "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy}),
    ("derivative-sign", "dy_o_dy", "y_o (y_o - 1)", {"dy_o_dy": lambda v: -v.y_o * v.s,
        "dC_dy": lambda v: v.P * v.s / v.N}),
    # dC_dy: the error signal
    ("sigmoid-derivative-forgotten", "dC_dy", "the upstream gradient passed on as it is", {
        "dC_dy": lambda v: v.dC_dy_o}),
    ("binary-cross-entropy", "dC_dy", "y_o - p", {"dC_dy": lambda v: (v.y_o - v.P) / v.N}),
    ("difference-reversed", "dC_dy", "p - y_o", {"dC_dy": lambda v: (v.P - v.y_o) / v.N}),
    ("softmax-minus-labels", "dC_dy", "softmax(y) - p", {
        "dC_dy": lambda v: (softmax(v.y) - v.P) / v.N}),
    ("squared-error", "dC_dy", "the gradient of a squared error", {
        "dC_dy": lambda v: 2 * (v.y_o - v.P) * v.y_o * v.s / v.N}),
    ("errors-summed-over-classes", "dC_dy", "the row's sum of errors for each class", {
        "dC_dy": lambda v: RIGHT["dC_dy"](v).sum(1, keepdims=True) + 0 * v.P}),
    ("error-saturated-to-zero", "dC_dy", "zero where |y| > 30, against overflow", {
        "dC_dy": lambda v: np.where(np.abs(v.y) > 30, 0, RIGHT["dC_dy"](v))}),
    ("one-minus-y_o", "dC_dy", "1 - y_o where sigma(-y) keeps its digits", {
        "dC_dy": lambda v: -v.P * (1 - v.y_o) / v.N}),
    ("error-added", "dC_dy", "a sum of the two factors", {
        "dC_dy": lambda v: v.dC_dy_o + v.dy_o_dy}),
    # dC_dW: the gradient
    ("gradient-sign", "dC_dW", "the gradient's sign", {"dC_dW": lambda v: -v.X.T @ v.dC_dy}),
    ("next-weights-for-gradient", "dC_dW", "W_next returned as the gradient", {
        "dC_dW": lambda v: v.W - v.h * (v.X.T @ v.dC_dy),
        "W_next": lambda v: v.W - v.h * (v.X.T @ v.dC_dy)}),
    ("inputs-forgotten", "dC_dW", "the sum of errors without the inputs", {
        "dC_dW": lambda v: v.dC_dy.sum(0, keepdims=True) + 0 * v.W}),
    ("gradient-without-transpose", "dC_dW", "X dC_dy instead of X^T dC_dy", {
        "dC_dW": lambda v: v.X @ v.dC_dy}),
    ("gradient-transposed", "dC_dW", "dC_dy^T X", {"dC_dW": lambda v: v.dC_dy.T @ v.X,
        "W_next": lambda v: v.W - v.h * v.dC_dW.T}),
    ("last-row-dropped", "dC_dW", "the last row left out", {
        "dC_dW": lambda v: v.X[:-1].T @ v.dC_dy[:-1]}),
    ("first-row-only", "dC_dW", "only the first row used", {
        "dC_dW": lambda v: v.X[:1].T @ v.dC_dy[:1]}),
    ("first-class-only", "dC_dW", "only the first class's column filled", {
        "dC_dW": lambda v: v.X.T @ (v.dC_dy * (np.arange(v.K) == 0))}),
    ("rows-shuffled", "dC_dW", "rows of X and dC_dy out of step", {
        "dC_dW": lambda v: v.X[::-1].T @ v.dC_dy}),
    ("gradient-doubled", "dC_dW", "the 2 of a squared error", {
        "dC_dW": lambda v: 2 * (v.X.T @ v.dC_dy)}),
    ("gradient-zero", "dC_dW", "a gradient of zeros", {"dC_dW": lambda v: 0 * (v.X.T @ v.dC_dy)}),
    ("gradient-of-rank-means", "dC_dW", "the mean of the mean gradients of two uneven ranks", {
        "dC_dW": rank_means}),
    ("gradient-clipped", "dC_dW", "clipped to [-1, 1]", {
        "dC_dW": lambda v: np.clip(v.X.T @ v.dC_dy, -1, 1)}),
    ("gradient-normalised", "dC_dW", "scaled to length 1", {
        "dC_dW": lambda v: v.X.T @ v.dC_dy / np.linalg.norm(v.X.T @ v.dC_dy).astype(v.X.dtype)}),
    ("gradient-a-millionth-off", "dC_dW", "times 1 + 1e-6", {
        "dC_dW": lambda v: v.X.T @ v.dC_dy * v.X.dtype.type(1 + 1e-6)}),
    ("gradient-a-trillionth-off", "dC_dW", "times 1 + 1e-12", {
        "dC_dW": lambda v: v.X.T @ v.dC_dy * v.X.dtype.type(1 + 1e-12)}),
    ("smallest-entry-zeroed", "dC_dW", "a threshold that drops small entries", {
        "dC_dW": lambda v: without_smallest(v.X.T @ v.dC_dy)}),
    ("weight-decay", "dC_dW", "weight decay of 1e-4 left on", {
        "dC_dW": lambda v: v.X.T @ v.dC_dy + v.X.dtype.type(1e-4) * v.W}),
    ("nan-to-num", "dC_dW", "nan_to_num over a post form that overflows", {
        "dC_dW": lambda v: overflowing(v)}),
    ("gradient-squeezed", "dC_dW", "squeeze() of a size-1 axis", {
        "dC_dW": lambda v: np.squeeze(v.X.T @ v.dC_dy)}),
    ("gradient-flattened", "dC_dW", "ravel() of the gradient", {
        "dC_dW": lambda v: (v.X.T @ v.dC_dy).ravel(), "W_next": lambda v: v.W * 1}),
    ("other-dtype", "dC_dW", "the result in the other dtype", {
        "dC_dW": lambda v: (v.X.T @ v.dC_dy).astype(
            np.float32 if v.X.dtype == np.float64 else np.float64)}),
    ("single-precision-inside", "dC_dW", "accumulated in float32", {
        "dC_dW": lambda v: (
            v.X.astype(np.float32).T @ v.dC_dy.astype(np.float32)).astype(v.X.dtype)}),
    ("finite-differences", "dC_dW", "central differences instead of the derivative", {
        "dC_dW": lambda v: central_differences(v)}),
    ("one-ulp", "dC_dW", "the largest entry one ulp off", {
        "dC_dW": lambda v: one_ulp(v.X.T @ v.dC_dy)}),
    # W_next: the update
    ("update-uphill", "W_next", "+= instead of -=", {"W_next": lambda v: v.W + v.h * v.dC_dW}),
    ("step-twice", "W_next", "h applied twice", {"W_next": lambda v: v.W - v.h * v.h * v.dC_dW}),
    ("step-truncated", "W_next", "h read as a whole number", {
        "W_next": lambda v: v.W - np.trunc(v.h) * v.dC_dW}),
    ("step-forgotten", "W_next", "h left out", {"W_next": lambda v: v.W - v.dC_dW}),
    ("update-of-first-class", "W_next", "only the first column updated", {
        "W_next": lambda v: v.W - v.h * v.dC_dW * (np.arange(v.K) == 0)}),
    ("update-forgotten", "W_next", "W returned as it came", {"W_next": lambda v: v.W * 1}),
    ("step-by-batch", "W_next", "h divided by N once more", {
        "W_next": lambda v: v.W - v.h / v.N * v.dC_dW}),
)  # fmt: skip


# One ulp in one entry lies inside any sound bound; 1 - y_o is what the post itself computes.
INVISIBLE = {"one-ulp", "one-minus-y_o"}

FAULTS: Mapping[str, Fault] = {
    **{name: Fault(name, link, mistake, with_formulas(**wrong), name not in INVISIBLE)
       for name, link, mistake, wrong in (*_TABLE, *VALUES, *SIZES)},
    **{name: Fault(name, link, mistake, make, formula=False)
       for name, link, mistake, make in BEHAVIOUR},
    **{name: Fault(name, link, mistake, make, arrays="torch", formula=False)
       for name, link, mistake, make in BACKWARDS},
}  # fmt: skip
