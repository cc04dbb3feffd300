"""The product of a layer with its weights, or of their rows, its gradients, and gradient descent.

As in links: a form a line, plain NumPy, parameters by name.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from verify.network.links import Form, Formula, literal, other
from verify.numbers.number import gather, scatter

LINEAR: Mapping[str, tuple[Form, ...]] = {
    "y": literal(lambda x, W: x @ W),
    "dC_dW": literal(lambda x, dC_dy: x.mT @ dC_dy),
    "dC_dx": literal(lambda dC_dy, W: dC_dy @ W.mT),
    "W_next": literal(lambda W, h, dC_dW: W - h * dC_dW),
    "gamma_next": literal(lambda gamma, h, dC_dgamma: gamma - h * dC_dgamma),
    "beta_next": literal(lambda beta, h, dC_dbeta: beta - h * dC_dbeta),
}
BIAS: Mapping[str, tuple[Form, ...]] = {
    "y": literal(lambda x, W, b: x @ W + b),
    "dC_db": literal(lambda dC_dy: dC_dy.sum(axis=-2)),
    "b_next": literal(lambda b, h, dC_db: b - h * dC_db),
}
DECAY: Mapping[str, tuple[Form, ...]] = {
    "dC_dW": literal(lambda x, dC_dy, decay, W: x.mT @ dC_dy + decay * W),
    "W_next": LINEAR["W_next"] + other(
        lambda W, h, decay, x, dC_dy: W * (1 - h * decay) - h * (x.mT @ dC_dy),
        lambda W, h, decay, x, dC_dy: W - h * (x.mT @ dC_dy) - h * decay * W,
    ),
}  # fmt: skip
# Of a layer whose y are rows of W, by their numbers in x; a row that is taken twice adds twice.
EMBEDDING: Mapping[str, tuple[Form, ...]] = {
    "y": literal(lambda x, W: gather(W, x)),
    "dC_dW": literal(lambda x, dC_dy, W: scatter(dC_dy, x, len(W))),
}
EMBEDDING_BIAS: Mapping[str, tuple[Form, ...]] = {
    "y": literal(lambda x, W, b: gather(W, x) + b),
}
EMBEDDING_DECAY: Mapping[str, tuple[Form, ...]] = {
    "dC_dW": literal(lambda x, dC_dy, decay, W: scatter(dC_dy, x, len(W)) + decay * W),
    "W_next": LINEAR["W_next"] + other(
        lambda W, h, decay, x, dC_dy: W * (1 - h * decay) - h * scatter(dC_dy, x, len(W)),
        lambda W, h, decay, x, dC_dy: W - h * scatter(dC_dy, x, len(W)) - h * decay * W,
    ),
}  # fmt: skip


def affine(embedding: bool, bias: bool, decays: bool) -> Mapping[str, tuple[Form, ...]]:
    """The forms of a layer's product with its weights, or of their rows, and of its update."""
    found = {**LINEAR, **(BIAS if bias else {}), **(DECAY if decays else {})}
    if embedding:
        found |= {**EMBEDDING, **(EMBEDDING_BIAS if bias else {})}
        found |= EMBEDDING_DECAY if decays else {}
    return found


def decay(factor: Any, W: Any) -> Any:
    """What weight decay adds to C for the weights of one layer.

    Shapes  W (D, K) gives ().
    """
    return 0.5 * factor * np.square(W).sum()


def decaying(form: Form) -> Formula:
    """A form of C with the decay of all weights, which follow what it is computed from."""
    n = len(form.of)

    def decayed(*inputs: Any) -> Any:
        factor, *weights = inputs[n:]
        return reduce(operator.add, (decay(factor, W) for W in weights), form.formula(*inputs[:n]))

    return decayed
