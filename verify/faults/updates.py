"""Planted faults of embeddings, and of steps with momentum or Adam's."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.where import Row
from verify.numbers.number import gather, scatter


def _last(dC_dy: Any, x: Any, W: Any) -> Any:
    """What an assignment leaves: of a row that is taken twice the part that came last."""
    found = np.zeros_like(W)
    found[x] = dC_dy.reshape(*x.shape, -1)
    return found


def _count(x: Any, W: Any) -> Any:
    """How often each row is taken."""
    return np.bincount(x.ravel(), minlength=len(W))[:, None]


_EMBEDDING: tuple[Row, ...] = (
    ("embedding-assigned-for-added", "dC_dW", "of a row taken twice the last part alone, by g[X] =",
     ("embedding", "a row taken twice"),
     lambda right, x, dC_dy, W: right - scatter(dC_dy, x, len(W)) + _last(dC_dy, x, W)),
    ("embedding-averaged", "dC_dW", "divided by how often the row is taken",
     ("embedding", "a row taken twice"),
     lambda right, x, W: right / np.maximum(_count(x, W), 1).astype(W.dtype)),
    ("embedding-last-row-left-out", "dC_dW", "the last row of X left out", ("embedding",),
     lambda right, x, dC_dy, W: right - scatter(dC_dy[-1:], x[-1:], len(W))),
    ("embedding-padded", "dC_dW", "row 0 taken for padding, without a gradient",
     ("embedding", "row 0 taken"),
     lambda right, W: right * (np.arange(len(W)) > 0)[:, None]),
    ("embedding-of-the-next-row", "y", "row numbers counted from 1",
     ("embedding", "more than one row of W"),
     lambda right, x, W: right + gather(W, (x + 1) % len(W)) - gather(W, x)),
    ("embedding-of-the-first-feature", "y", "its row for every feature",
     ("embedding", "features that differ"),
     lambda right, x, W: right + gather(W, 0 * x + x[:, :1]) - gather(W, x)),
)  # fmt: skip

_MOMENTUM: tuple[Row, ...] = (
    ("velocity-not-kept", "vW_next", "the gradient alone", ("momentum", "a velocity"),
     lambda dC_dW: dC_dW * 1),
    ("velocity-damped", "vW_next", "momentum v + (1 - momentum) dC_dW", ("momentum",),
     lambda momentum, vW, dC_dW: momentum * vW + (1 - momentum) * dC_dW),
    ("velocity-sign", "vW_next", "momentum v - dC_dW", ("momentum",),
     lambda momentum, vW, dC_dW: momentum * vW - dC_dW),
    ("velocity-with-the-step", "vW_next", "momentum v + h dC_dW", ("momentum",),
     lambda momentum, vW, h, dC_dW: momentum * vW + h * dC_dW),
    ("velocity-ahead", "W_next", "Nesterov's step, that nobody asked for", ("momentum",),
     lambda W, h, momentum, vW_next, dC_dW: W - h * (dC_dW + momentum * vW_next)),
    ("velocity-of-before", "W_next", "the velocity before this step", ("momentum",),
     lambda W, h, vW: W - h * vW),
    ("velocity-unused", "W_next", "W - h dC_dW", ("momentum", "a velocity"),
     lambda W, h, dC_dW: W - h * dC_dW),
    ("velocity-of-bias-not-kept", "vb_next", "the gradient alone", ("momentum", "a velocity"),
     lambda dC_db: dC_db * 1),
)  # fmt: skip


_ADAM: tuple[Row, ...] = (
    ("mean-not-kept", "mW_next", "(1 - share1) dC_dW alone", ("adam", "a velocity"),
     lambda share1, dC_dW: (1 - share1) * dC_dW),
    ("mean-summed", "mW_next", "1 - share1 left out", ("adam",),
     lambda share1, mW, dC_dW: share1 * mW + dC_dW),
    ("mean-by-the-other-beta", "mW_next", "share2 in place of share1", ("adam",),
     lambda share2, mW, dC_dW: share2 * mW + (1 - share2) * dC_dW),
    ("squares-by-the-other-beta", "vW_next", "share1 in place of share2", ("adam",),
     lambda share1, vW, dC_dW: share1 * vW + (1 - share1) * dC_dW**2),
    ("squares-forgotten", "vW_next", "the gradient's size in place of its square", ("adam",),
     lambda share2, vW, dC_dW: share2 * vW + (1 - share2) * np.abs(dC_dW)),
    ("squares-of-the-mean", "vW_next", "the square of mW_next", ("adam",),
     lambda share2, vW, mW_next: share2 * vW + (1 - share2) * mW_next**2),
    ("corrections-forgotten", "W_next", "the means as they are", ("adam", "corrections that count"),
     lambda W, h, mW_next, vW_next, eps: W - h * mW_next / (np.sqrt(vW_next) + eps)),
    ("corrections-multiplied", "W_next", "the means times 1 - beta^t",
     ("adam", "corrections that count"),
     lambda W, h, mW_next, vW_next, eps, correction1, correction2: (
         W - h * (mW_next * correction1) / (np.sqrt(vW_next * correction2) + eps))),
    ("correction-of-squares-forgotten", "W_next", "vW_next as it is",
     ("adam", "corrections that count"),
     lambda W, h, mW_next, vW_next, eps, correction1: (
         W - h * (mW_next / correction1) / (np.sqrt(vW_next) + eps))),
    ("corrections-of-the-next-step", "W_next", "1 - beta^(t + 1)",
     ("adam", "corrections that count"),
     lambda W, h, mW_next, vW_next, eps, share1, share2, t: (
         W - h * (mW_next / (1 - share1 ** (t + 1)))
         / (np.sqrt(vW_next / (1 - share2 ** (t + 1))) + eps))),
    ("eps-inside-the-root", "W_next", "sqrt(v + eps)", ("adam",),
     lambda W, h, mW_next, vW_next, eps, correction1, correction2: (
         W - h * (mW_next / correction1) / np.sqrt(vW_next / correction2 + eps))),
    ("root-forgotten", "W_next", "divided by v + eps", ("adam",),
     lambda W, h, mW_next, vW_next, eps, correction1, correction2: (
         W - h * (mW_next / correction1) / (vW_next / correction2 + eps))),
    ("corrections-of-bias-forgotten", "b_next", "the means as they are",
     ("adam", "corrections that count"),
     lambda b, h, mb_next, vb_next, eps: b - h * mb_next / (np.sqrt(vb_next) + eps)),
)  # fmt: skip

UPDATES = (*_EMBEDDING, *_MOMENTUM, *_ADAM)
