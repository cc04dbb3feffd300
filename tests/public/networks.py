"""Whole networks as people wrote their backward passes, and the right ones.

After each right function of (X, parameters, P) stand the wrong ones of the same network.
"""

from __future__ import annotations

import numpy as np


def sigmoid(y):
    return 1 / (1 + np.exp(-y))


def softmax(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- two layers of sigmoids, half the squared error, summed


def _sigmoids(X, W1, b1, W2, b2):
    a1 = sigmoid(X @ W1 + b1)
    return a1, sigmoid(a1 @ W2 + b2)


def sigmoids(X, W1, b1, W2, b2, P):
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = (a2 - P) * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def output_slope_forgotten(X, W1, b1, W2, b2, P):
    """The error itself as the output's delta, without sigma'."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = a2 - P
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def both_slopes_forgotten(X, W1, b1, W2, b2, P):
    """No delta has o (1 - o), and it learns its digits all the same."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = a2 - P
    d1 = d2 @ W2.T
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def own_activations(X, W1, b1, W2, b2, P):
    """dy / dw as the activation of the neuron itself, not of the one before it."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = (a2 - P) * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return a1.T @ d1, d1.sum(axis=0), a2.T @ d2, d2.sum(axis=0)


def bias_not_summed(X, W1, b1, W2, b2, P):
    """The delta of every row as the bias's gradient; NumPy makes a matrix of the bias."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = (a2 - P) * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return {"dC_dW1": X.T @ d1, "dC_db1": d1, "dC_dW2": a1.T @ d2, "dC_db2": d2}


def step(X, W1, b1, W2, b2, P, h):
    given = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    gradients = sigmoids(X, W1, b1, W2, b2, P)
    return {f"{n}_next": a - h * g for (n, a), g in zip(given.items(), gradients, strict=True)}


def updated_before_use(X, W1, b1, W2, b2, P, h):
    """The upper layer's weights are updated before the layer below has used them."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = (a2 - P) * a2 * (1 - a2)
    W2, b2 = W2 - h * a1.T @ d2, b2 - h * d2.sum(axis=0)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    W1, b1 = W1 - h * X.T @ d1, b1 - h * d1.sum(axis=0)
    return {"W1_next": W1, "b1_next": b1, "W2_next": W2, "b2_next": b2}


def _by_loops(X, W1, b1, W2, b2, P, bias_at):
    """Weights with the bias as their last row, a row of X at a time, index by index."""
    first, second = np.vstack([W1, b1]), np.vstack([W2, b2])
    by_first, by_second = np.zeros_like(first), np.zeros_like(second)
    (D, H), K = W1.shape, W2.shape[1]
    for x, p in zip(X, P, strict=True):
        x = [*x, 1.0]
        a1 = [sigmoid(sum(x[i] * first[i, j] for i in range(D + 1))) for j in range(H)] + [1.0]
        a2 = [sigmoid(sum(a1[j] * second[j, k] for j in range(H + 1))) for k in range(K)]
        d2 = [(a2[k] - p[k]) * a2[k] * (1 - a2[k]) for k in range(K)]
        for j in range(H):
            back = sum(d2[k] * second[j + bias_at, k] for k in range(K))
            d1 = back * a1[j] * (1 - a1[j])
            for i in range(D + 1):
                by_first[i, j] += d1 * x[i]
        for j in range(H + 1):
            for k in range(K):
                by_second[j, k] += d2[k] * a1[j]
    return by_first[:-1], by_first[-1].copy(), by_second[:-1], by_second[-1].copy()


def loops(X, W1, b1, W2, b2, P):
    return _by_loops(X, W1, b1, W2, b2, P, 0)


def loops_off_by_one(X, W1, b1, W2, b2, P):
    """The delta goes back as if the bias stood first; it is the last."""
    return _by_loops(X, W1, b1, W2, b2, P, 1)


class KeptByIdentity:
    """Takes it for the same forward pass if the weights are the same object, updated in place."""

    def __init__(self):
        self.kept = {}

    def __call__(self, X, W1, b1, W2, b2, P):
        if id(W1) not in self.kept:
            self.kept[id(W1)] = _sigmoids(X, W1, b1, W2, b2)
        a1, a2 = self.kept[id(W1)]
        d2 = (a2 - P) * a2 * (1 - a2)
        d1 = d2 @ W2.T * a1 * (1 - a1)
        return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


# ---- the same, without a bias


def slope_of_activation(X, W1, W2, P):
    """x (1 - x), to which sigma(x) is given: this is right, however often it is called wrong."""

    def slope(x):
        return x * (1 - x)

    a1 = sigmoid(X @ W1)
    a2 = sigmoid(a1 @ W2)
    d2 = (P - a2) * slope(a2)
    d1 = d2 @ W2.T * slope(a1)
    return -X.T @ d1, -a1.T @ d2


# ---- sigmoids, half the squared error by rows


def averaged(X, W1, b1, W2, b2, P):
    return tuple(g / len(X) for g in sigmoids(X, W1, b1, W2, b2, P))


def averaged_over_features(X, W1, b1, W2, b2, P):
    """Counts rows when axes of length 1 are gone: one row alone counts as its features."""
    return tuple(g / len(np.squeeze(X)) for g in sigmoids(X, W1, b1, W2, b2, P))


# ---- two layers of sigmoids, binary cross-entropy


def binary(X, W1, b1, W2, b2, P):
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = (a2 - P) / len(X)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def binary_summed(X, W1, b1, W2, b2, P):
    """Leaves out the average over the rows."""
    a1, a2 = _sigmoids(X, W1, b1, W2, b2)
    d2 = a2 - P
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


# ---- one neuron, binary cross-entropy


def neuron(X, W, b, P):
    d = (sigmoid(X @ W + b) - P) / len(X)
    return X.T @ d, d.sum(axis=0)


def neuron_by_own_activation(X, W, b, P):
    """The neuron's result where its input belongs."""
    a = sigmoid(X @ W + b)
    d = (a - P) / len(X)
    return a.T @ d, d.sum(axis=0)


def neuron_clipped(X, W, b, P):
    """Clips the probability, and with it the gradient: 0 where the neuron is surest, and wrong."""
    a = sigmoid(X @ W + b)
    clipped = np.clip(a, 1e-7, 1 - 1e-7)
    inside = (a > 1e-7) * (a < 1 - 1e-7)
    by_a = (clipped - P) / (clipped * (1 - clipped)) * inside / len(X)
    d = by_a * a * (1 - a)
    return X.T @ d, d.sum(axis=0)


# ---- two layers of ReLU and a sigmoid, binary cross-entropy


def _relus(X, W1, b1, W2, b2, W3, b3):
    a1 = np.maximum(0, X @ W1 + b1)
    a2 = np.maximum(0, a1 @ W2 + b2)
    return a1, a2, sigmoid(a2 @ W3 + b3)


def relus(X, W1, b1, W2, b2, W3, b3, P):
    m = len(X)
    a1, a2, a3 = _relus(X, W1, b1, W2, b2, W3, b3)
    d3 = a3 - P
    d2 = d3 @ W3.T * (a2 > 0)
    d1 = d2 @ W2.T * (a1 > 0)
    return (
        X.T @ d1 / m, d1.sum(axis=0) / m, a1.T @ d2 / m, d2.sum(axis=0) / m,
        a2.T @ d3 / m, d3.sum(axis=0) / m,
    )  # fmt: skip


def relus_with_planted_factors(X, W1, b1, W2, b2, W3, b3, P):
    """Two factors that an exercise hides for its learners: 2, and 4 / m for 1 / m."""
    found = relus(X, W1, b1, W2, b2, W3, b3, P)
    return tuple(k * g for k, g in zip((1, 4, 2, 1, 1, 1), found, strict=True))


def relu_overwrites(X, W1, b1, W2, b2, W3, b3, P):
    """ReLU assigns its slope where it should multiply: what came from above is lost."""
    m = len(X)
    a1, a2, a3 = _relus(X, W1, b1, W2, b2, W3, b3)
    d3 = a3 - P
    d2 = d3 @ W3.T
    d2[...] = a2 > 0
    d1 = d2 @ W2.T * (a1 > 0)
    return (
        X.T @ d1 / m, d1.sum(axis=0) / m, a1.T @ d2 / m, d2.sum(axis=0) / m,
        a2.T @ d3 / m, d3.sum(axis=0) / m,
    )  # fmt: skip


def relus_in_another_order(X, W1, b1, W2, b2, W3, b3, P):
    """Right: the same sums row by row from the last, by einsum; 1e-9 is no mistake."""
    found = [np.zeros_like(a) for a in (W1, b1, W2, b2, W3, b3)]
    for n in range(len(X) - 1, -1, -1):
        x = X[n]
        a1 = np.maximum(0, np.einsum("d,dh->h", x, W1) + b1)
        a2 = np.maximum(0, np.einsum("d,dh->h", a1, W2) + b2)
        d3 = (sigmoid(np.einsum("d,dh->h", a2, W3) + b3) - P[n]) / len(X)
        d2 = np.where(a2 > 0, np.einsum("k,hk->h", d3, W3), 0)
        d1 = np.where(a1 > 0, np.einsum("k,hk->h", d2, W2), 0)
        parts = (np.outer(x, d1), d1, np.outer(a1, d2), d2, np.outer(a2, d3), d3)
        for total, part in zip(found, parts, strict=True):
            total += part
    return tuple(found)


# ---- ReLU, no activation at the output, half the squared error by rows


def regression(X, W1, b1, W2, b2, P):
    a1 = np.maximum(0, X @ W1 + b1)
    d2 = (a1 @ W2 + b2 - P) / len(X)
    d1 = d2 @ W2.T * (a1 > 0)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def bias_averaged(X, W1, b1, W2, b2, P):
    """Takes the mean over the rows, which the delta has already."""
    a1 = np.maximum(0, X @ W1 + b1)
    d2 = (a1 @ W2 + b2 - P) / len(X)
    d1 = d2 @ W2.T * (a1 > 0)
    return X.T @ d1, d1.mean(axis=0), a1.T @ d2, d2.mean(axis=0)


# ---- a line, squared error


def line(X, W, b, P):
    d = 2 * (X @ W + b - P)
    return X.T @ d, d.sum(axis=0)


# ---- sigmoids, one number without activation, half the squared error


def number(X, W1, W2, P):
    a1 = sigmoid(X @ W1)
    d2 = a1 @ W2 - P
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, a1.T @ d2


def number_by_sum_of_weights(X, W1, W2, P):
    """Every hidden neuron gets the sum of all output weights instead of its own."""
    a1 = sigmoid(X @ W1)
    d2 = a1 @ W2 - P
    d1 = d2 * W2.sum() * a1 * (1 - a1)
    return X.T @ d1, a1.T @ d2


# ---- tanh or ReLU, softmax, cross-entropy, weight decay


DECAY = 0.125


def decayed(X, W1, b1, W2, b2, P):
    a1 = np.tanh(X @ W1 + b1)
    d2 = (softmax(a1 @ W2 + b2) - P) / len(X)
    d1 = d2 @ W2.T * (1 - a1**2)
    return X.T @ d1 + DECAY * W1, d1.sum(axis=0), a1.T @ d2 + DECAY * W2, d2.sum(axis=0)


def decayed_summed(X, W1, b1, W2, b2, P):
    """The gradient of the summed loss, while the loss is the mean."""
    a1 = np.tanh(X @ W1 + b1)
    d2 = softmax(a1 @ W2 + b2) - P
    d1 = d2 @ W2.T * (1 - a1**2)
    return X.T @ d1 + DECAY * W1, d1.sum(axis=0), a1.T @ d2 + DECAY * W2, d2.sum(axis=0)


def decay_averaged(X, W1, b1, W2, b2, P):
    """The mean of the regulariser, too, over rows that it does not have."""
    a1 = np.tanh(X @ W1 + b1)
    d2 = softmax(a1 @ W2 + b2) - P
    d1 = d2 @ W2.T * (1 - a1**2)
    found = X.T @ d1 + DECAY * W1, d1.sum(axis=0), a1.T @ d2 + DECAY * W2, d2.sum(axis=0)
    return tuple(g / len(X) for g in found)


def decayed_relu(X, W1, b1, W2, b2, P):
    a1 = np.maximum(0, X @ W1 + b1)
    d2 = (softmax(a1 @ W2 + b2) - P) / len(X)
    d1 = d2 @ W2.T * (a1 > 0)
    return X.T @ d1 + DECAY * W1, d1.sum(axis=0), a1.T @ d2 + DECAY * W2, d2.sum(axis=0)


def relu_slope_in_place(X, W1, b1, W2, b2, P):
    """The slope is written over the activations, which the gradient of W2 reads afterwards."""

    def slope(a):
        a[a <= 0] = 0
        a[a > 0] = 1
        return a

    a1 = np.maximum(0, X @ W1 + b1)
    d2 = (softmax(a1 @ W2 + b2) - P) / len(X)
    d1 = d2 @ W2.T * slope(a1)
    return X.T @ d1 + DECAY * W1, d1.sum(axis=0), a1.T @ d2 + DECAY * W2, d2.sum(axis=0)


# ---- sigmoid, softmax, cross-entropy


def classes(X, W1, b1, W2, b2, P):
    a1 = sigmoid(X @ W1 + b1)
    d2 = (softmax(a1 @ W2 + b2) - P) / len(X)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


def softmax_by_element(X, W1, b1, W2, b2, P):
    """Softmax as one more activation with a slope s (1 - s) of each entry."""
    a1 = sigmoid(X @ W1 + b1)
    s = softmax(a1 @ W2 + b2)
    d2 = -P / s / len(X) * s * (1 - s)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


# ---- softmax in every layer, half the squared error


def softmaxes(X, W1, W2, W3, P):
    a1 = softmax(X @ W1)
    a2 = softmax(a1 @ W2)
    a3 = softmax(a2 @ W3)

    def back(g, a):
        return a * (g - (g * a).sum(axis=1, keepdims=True))

    d3 = back(a3 - P, a3)
    d2 = back(d3 @ W3.T, a2)
    d1 = back(d2 @ W2.T, a1)
    return X.T @ d1, a1.T @ d2, a2.T @ d3


def softmax_as_its_slope(X, W1, W2, W3, P):
    """Softmax in every layer, and as its own derivative."""
    a1 = softmax(X @ W1)
    a2 = softmax(a1 @ W2)
    a3 = softmax(a2 @ W3)
    d3 = (a3 - P) * a3
    d2 = d3 @ W3.T * a2
    d1 = d2 @ W2.T * a1
    return X.T @ d1, a1.T @ d2, a2.T @ d3
