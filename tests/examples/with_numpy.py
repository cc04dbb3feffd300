"""A candidate in NumPy: the gradient in closed form, in two micro-batches."""

import numpy as np


def gradient(X, W, P, h):
    """dC_dW alone."""
    half = (len(X) + 1) // 2
    parts = [_sum(X[rows], W, P[rows]) for rows in (slice(None, half), slice(half, None))]
    return (parts[0] + parts[1]) / len(X)


def chain(X, W, P, h):
    """Some links, by their names."""
    y = X @ W
    dC_dW = gradient(X, W, P, h)
    C = np.sum(P * np.logaddexp(0, -y)) / len(X)
    return {"y": y, "C": C.astype(X.dtype), "dC_dW": dC_dW, "W_next": W - h * dC_dW}


def _sum(X, W, P):
    y = X @ W
    e = np.exp(-np.abs(y))
    return -np.einsum("nd,nk->dk", X, P * np.where(y >= 0, e, 1) / (1 + e))
