"""Planted faults of a network's gradients, of what is passed below, and of the update."""

from __future__ import annotations

import numpy as np

from verify.faults.where import Row
from verify.network.links import total

_WEIGHTS: tuple[Row, ...] = (
    ("weights-outputs-for-inputs", "dC_dW", "the layer's own y_o in place of x",
     ("square weights",), lambda y_o, dC_dy, right, x: right + (y_o - x).mT @ dC_dy),
    ("weights-inputs-unactivated", "dC_dW", "the y of the layer below in place of its y_o", (),
     lambda x, y_below, dC_dy, right: right + (y_below - x).mT @ dC_dy),
    ("weights-stale-inputs", "dC_dW", "the x of the call before", (),
     lambda x, x_before, dC_dy, right: right + (x_before - x).mT @ dC_dy),
    ("weights-error-before-the-slope", "dC_dW", "X^T dC_dy_o", ("an element-wise activation",),
     lambda x, dC_dy, dC_dy_o, right: right + x.mT @ (dC_dy_o - dC_dy)),
    ("weights-averaged-once-more", "dC_dW", "divided by the rows again", ("more than one row",),
     lambda x, dC_dy, right: right + x.mT @ (dC_dy / len(x) - dC_dy)),
    ("weights-of-the-first-row", "dC_dW", "the outer product of one row", ("more than one row",),
     lambda x, dC_dy, right: right - x[1:].mT @ dC_dy[1:]),
    ("weights-gradient-transposed", "dC_dW", "dC_dy^T x", ("square weights",),
     lambda right: right.mT.copy()),
    ("weights-in-single-precision", "dC_dW", "accumulated in float32", ("float64",),
     lambda x, dC_dy, right: right - x.mT @ dC_dy + x.astype("f4").mT @ dC_dy.astype("f4")),
    ("weights-over-layers", "dC_dW", "the gradient of the layer above added",
     ("weights of the shape above",), lambda right, dC_dW_above: right + dC_dW_above),
    ("decay-forgotten-back", "dC_dW", "lambda W left out", ("weight decay",),
     lambda x, dC_dy: x.mT @ dC_dy),
    ("decay-doubled", "dC_dW", "2 lambda W", ("weight decay",),
     lambda right, decay, W: right + decay * W),
    ("decay-sign", "dC_dW", "- lambda W", ("weight decay",),
     lambda right, decay, W: right - 2 * decay * W),
    ("decay-averaged", "dC_dW", "lambda W divided by the rows",
     ("weight decay", "more than one row"),
     lambda x, dC_dy, decay, W: x.mT @ dC_dy + decay * W / len(x)),
    ("decay-of-sizes", "dC_dW", "lambda sign(W), as of L1", ("weight decay",),
     lambda x, dC_dy, decay, W: x.mT @ dC_dy + decay * np.sign(W)),
    ("decay-left-on", "dC_dW", "1e-4 W that nobody asked for", ("no weight decay",),
     lambda right, W: right + W.dtype.type(1e-4) * W),
)  # fmt: skip

_BIAS: tuple[Row, ...] = (
    ("bias-not-summed", "dC_db", "dC_dy itself", ("more than one row",),
     lambda dC_dy: dC_dy * 1),
    ("bias-as-a-row", "dC_db", "keepdims=True", (),
     lambda dC_dy: dC_dy.sum(-2, keepdims=True)),
    ("bias-summed-over-units", "dC_db", "summed over the wrong axis", ("as many rows as units",),
     lambda dC_dy: dC_dy.sum(-1)),
    ("bias-averaged", "dC_db", "the mean over rows where the error has its 1/N",
     ("more than one row",), lambda right, dC_dy: right / len(dC_dy)),
    ("bias-of-the-first-row", "dC_db", "the first row's error", ("more than one row",),
     lambda dC_dy: dC_dy[0] * 1),
    ("bias-of-all-units", "dC_db", "one sum for all units", ("more than one unit",),
     lambda dC_dy, b: dC_dy.sum() + 0 * b),
    ("bias-not-divided", "dC_db", "1/N left out", ("rows", "more than one row"),
     lambda right, N: right * N),
    ("bias-error-before-the-slope", "dC_db", "the sum of dC_dy_o", ("an element-wise activation",),
     lambda dC_dy_o: dC_dy_o.sum(-2)),
    ("bias-with-an-input", "dC_db", "weighted by the first input", (),
     lambda x, dC_dy: (x[:, :1] * dC_dy).sum(-2)),
    ("decay-of-biases", "dC_db", "lambda b added", ("weight decay",),
     lambda right, decay, b: right + decay * b),
    ("bias-forgotten-back", "dC_db", "zeros", (), lambda right: 0 * right),
)  # fmt: skip

_PASSED: tuple[Row, ...] = (
    ("passed-by-weights-untransposed", "dC_dx", "dC_dy W", ("square weights",),
     lambda dC_dy, W: dC_dy @ W),
    ("passed-by-weights-above", "dC_dx", "the next layer's W",
     ("square weights", "weights of the shape above"),
     lambda dC_dy, W_above: dC_dy @ W_above.mT),
    ("passed-by-weights-updated", "dC_dx", "W updated before it is used", (),
     lambda dC_dy, W, h, dC_dW: dC_dy @ (W - h * dC_dW).mT),
    ("passed-by-stale-weights", "dC_dx", "the W of the call before", (),
     lambda dC_dy, W_before: dC_dy @ W_before.mT),
    ("passed-by-sums-of-weights", "dC_dx", "the sum of a unit's weights for each of them",
     ("more than one unit",), lambda dC_dy, W: total(dC_dy) * W.sum(-1)),
    ("passed-by-signs-of-weights", "dC_dx", "sign(W)^T", (),
     lambda dC_dy, W: dC_dy @ np.sign(W).mT),
    ("passed-with-the-bias", "dC_dx", "W + b in place of W", (),
     lambda dC_dy, W, b: dC_dy @ (W + b).mT),
    ("passed-without-the-slope", "dC_dx", "dC_dy_o W^T", ("an element-wise activation",),
     lambda dC_dy_o, W: dC_dy_o @ W.mT),
    ("passed-twice", "dC_dx", "sent twice by a node that is used twice", (),
     lambda dC_dy, W: 2 * (dC_dy @ W.mT)),
    ("passed-averaged", "dC_dx", "divided by the rows again", ("more than one row",),
     lambda dC_dy, W: dC_dy @ W.mT / len(dC_dy)),
    ("layer-skipped", "dC_dx", "dC_dy_o handed on below the layer", ("square weights",),
     lambda dC_dy_o: dC_dy_o * 1),
)  # fmt: skip

_SCALE: tuple[Row, ...] = (
    ("gamma-of-inputs", "dC_dgamma", "weighted by y and not by what gamma scales", (),
     lambda dC_dy_o, y, gamma: (dC_dy_o * y).sum(-2) + 0 * gamma),
    ("gamma-of-outputs", "dC_dgamma", "weighted by y_o, in which gamma and beta are", (),
     lambda dC_dy_o, y_o: (dC_dy_o * y_o).sum(-2)),
    ("gamma-averaged", "dC_dgamma", "the mean over rows", ("more than one row",),
     lambda right, dC_dy_o: right / len(dC_dy_o)),
    ("beta-averaged", "dC_dbeta", "the mean over rows where the error has its 1/N",
     ("more than one row",), lambda right, dC_dy_o: right / len(dC_dy_o)),
    ("beta-not-summed", "dC_dbeta", "dC_dy_o itself", ("more than one row",),
     lambda dC_dy_o: dC_dy_o * 1),
    ("beta-scaled", "dC_dbeta", "gamma in it", (), lambda right, gamma: right * gamma),
)  # fmt: skip

_UPDATE: tuple[Row, ...] = (
    ("gamma-never-updated", "gamma_next", "gamma as it was", (), lambda gamma: gamma * 1),
    ("beta-uphill", "beta_next", "+= for -=", (), lambda beta, h, dC_dbeta: beta + h * dC_dbeta),

    ("bias-never-updated", "b_next", "b as it was", (), lambda b: b * 1),
    ("bias-step-twice", "b_next", "h applied twice", (), lambda b, h, dC_db: b - h * h * dC_db),
    ("bias-uphill", "b_next", "+= for -=", (), lambda b, h, dC_db: b + h * dC_db),
    ("hidden-weights-never-updated", "W_next", "W as it was", ("hidden",), lambda W: W * 1),
    ("weights-step-forgotten", "W_next", "h left out", (), lambda W, dC_dW: W - dC_dW),
    ("weights-decayed-twice", "W_next", "lambda W taken off once more", ("weight decay",),
     lambda right, h, decay, W: right - h * decay * W),
    ("weights-by-the-gradient-above", "W_next", "the gradient of the layer above",
     ("weights of the shape above",), lambda W, h, dC_dW_above: W - h * dC_dW_above),
)  # fmt: skip

GRADIENTS = (*_WEIGHTS, *_BIAS, *_PASSED, *_SCALE, *_UPDATE)
