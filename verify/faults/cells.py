"""Functions with weights: products, gates, cells of recurrent networks, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.function import Array, Function


def _sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _linear(x: Array, W: Array, b: Array) -> Any:
    return x @ W + b


def _linear_back(G: Array, x: Array, W: Array, b: Array) -> tuple[Array, ...]:
    rows, g = x.reshape(-1, x.shape[-1]), G.reshape(-1, G.shape[-1])
    return G @ W.T, rows.T @ g, g.sum(axis=0)


def _quadratic_form(x: Array, mean: Array, A: Array) -> Any:
    d = x - mean
    return np.einsum("ni,ij,nj->n", d, A, d)


def _quadratic_form_back(G: Array, x: Array, mean: Array, A: Array) -> tuple[Array, ...]:
    d = x - mean
    dx = G[:, None] * (d @ (A + A.T))
    return dx, -dx.sum(axis=0), np.einsum("n,ni,nj->ij", G, d, d)


def _gelu(x: Array) -> Any:
    return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


def _gelu_back(G: Array, x: Array) -> Any:
    c = (2 / np.pi) ** 0.5
    t = np.tanh(c * (x + 0.044715 * x**3))
    slope = c * (1 + 3 * 0.044715 * x**2)
    return G * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * slope)


def _swiglu(x: Array, W1: Array, W2: Array) -> Any:
    a = x @ W1
    return a * _sigmoid(a) * (x @ W2)


def _swiglu_back(G: Array, x: Array, W1: Array, W2: Array) -> tuple[Array, ...]:
    a, b = x @ W1, x @ W2
    s = _sigmoid(a)
    da = G * b * s * (1 + a * (1 - s))
    db = G * a * s
    return da @ W1.T + db @ W2.T, x.T @ da, x.T @ db


def _gru(x: Array, h: Array, W1: Array, W2: Array, b: Array) -> Any:
    K = h.shape[1]
    u, v = x @ W1 + b, h @ W2
    r = _sigmoid(u[:, :K] + v[:, :K])
    z = _sigmoid(u[:, K : 2 * K] + v[:, K : 2 * K])
    n = np.tanh(u[:, 2 * K :] + r * v[:, 2 * K :])
    return (1 - z) * n + z * h


def _gru_back(G: Array, x: Array, h: Array, W1: Array, W2: Array, b: Array) -> tuple[Array, ...]:
    K = h.shape[1]
    u, v = x @ W1 + b, h @ W2
    r = _sigmoid(u[:, :K] + v[:, :K])
    z = _sigmoid(u[:, K : 2 * K] + v[:, K : 2 * K])
    n = np.tanh(u[:, 2 * K :] + r * v[:, 2 * K :])
    dn = G * (1 - z) * (1 - n**2)
    dz = G * (h - n) * z * (1 - z)
    dr = dn * v[:, 2 * K :] * r * (1 - r)
    du = np.concatenate([dr, dz, dn], axis=1)
    dv = np.concatenate([dr, dz, dn * r], axis=1)
    return du @ W1.T, G * z + dv @ W2.T, x.T @ du, h.T @ dv, du.sum(axis=0)


def _lstm(x: Array, h: Array, c: Array, W1: Array, W2: Array, b: Array) -> tuple[Array, Array]:
    i, f, o, g = np.split(x @ W1 + h @ W2 + b, 4, axis=1)
    c_next = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c_next), c_next


def _lstm_back(
    G: tuple[Array, Array], x: Array, h: Array, c: Array, W1: Array, W2: Array, b: Array
) -> tuple[Array, ...]:
    dh, dc = G
    i, f, o, g = np.split(x @ W1 + h @ W2 + b, 4, axis=1)
    i, f, o, g = _sigmoid(i), _sigmoid(f), _sigmoid(o), np.tanh(g)
    tanh_c = np.tanh(f * c + i * g)
    dc = dc + dh * o * (1 - tanh_c**2)
    di = dc * g * i * (1 - i)
    df = dc * c * f * (1 - f)
    do = dh * tanh_c * o * (1 - o)
    dg = dc * i * (1 - g**2)
    d = np.hstack((di, df, do, dg))
    return d @ W1.T, d @ W2.T, dc * f, x.T @ d, h.T @ d, d.sum(axis=0)


def _attention(q: Array, k: Array, v: Array) -> Any:
    scores = q @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5
    mask = np.tril(np.ones(scores.shape[-2:], dtype=bool))
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def _attention_back(G: Array, q: Array, k: Array, v: Array) -> tuple[Array, ...]:
    scale = q.shape[-1] ** -0.5
    scores = q @ k.transpose(0, 2, 1) * scale
    mask = np.tril(np.ones(scores.shape[-2:], dtype=bool))
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    w = e / e.sum(axis=-1, keepdims=True)
    dw = G @ v.transpose(0, 2, 1)
    ds = w * (dw - (dw * w).sum(axis=-1, keepdims=True)) * scale
    return ds @ k, ds.transpose(0, 2, 1) @ q, w.transpose(0, 2, 1) @ G


def _drawn(rng: np.random.Generator, **shapes: tuple[int, ...]) -> dict[str, Array]:
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


CELLS = (
    Function("linear", _linear, _linear_back,
             lambda rng: _drawn(rng, x=(2, 3, 4), W=(4, 5), b=(5,)),
             (("bias-gradient-averaged", "g.sum(axis=0)", "g.mean(axis=0)"),
              ("bias-gradient-not-summed", "g.sum(axis=0)", "g"),
              ("last-row-lost", "rows.T @ g", "rows[:-1].T @ g[:-1]"))),
    Function("quadratic-form", _quadratic_form, _quadratic_form_back,
             lambda rng: _drawn(rng, x=(4, 3), mean=(3,), A=(3, 3)),
             (("taken-for-symmetric", "(A + A.T)", "(2 * A)"),
              ("sign-of-the-mean", "-dx.sum", "dx.sum"),
              ("upstream-ignored-by-one", '"n,ni,nj->ij", G, d', '"ni,nj->ij", d'))),
    Function("gelu-tanh", _gelu, _gelu_back,
             lambda rng: {"x": rng.normal(size=(3, 4)) * 2},
             (("of-another-approximation",
               "return G * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * slope)",
               "s = _sigmoid(1.702 * x); return G * (s + 1.702 * x * s * (1 - s))"),
              ("constant-rounded", "3 * 0.044715", "3 * 0.0447"),
              ("power-of-the-slope", "x**2)", "x**3)"))),
    Function("swiglu", _swiglu, _swiglu_back,
             lambda rng: _drawn(rng, x=(2, 4), W1=(4, 3), W2=(4, 3)),
             (("slope-of-the-sigmoid", "s * (1 + a * (1 - s))", "s * (1 - s)"),
              ("one-path-lost", " + db @ W2.T", ""),
              ("gradients-swapped", "x.T @ da, x.T @ db", "x.T @ db, x.T @ da"))),
    Function("gru-cell", _gru, _gru_back,
             lambda rng: _drawn(rng, x=(2, 4), h=(2, 3), W1=(4, 9), W2=(3, 9), b=(9,)),
             (("direct-path-lost", "G * z + dv", "dv"),
              ("reset-gate-forgotten", "dn * r]", "dn]"),
              ("last-row-lost", "h.T @ dv", "h[:-1].T @ dv[:-1]"))),
    Function("lstm-cell", _lstm, _lstm_back,
             lambda rng: _drawn(rng, x=(2, 4), h=(2, 3), c=(2, 3), W1=(4, 12), W2=(3, 12), b=(12,)),
             (("upstream-of-the-cell-lost", "dc = dc + dh", "dc = dh"),
              ("tanh-twice", "(1 - tanh_c**2)", "(1 - np.tanh(tanh_c) ** 2)"),
              ("bias-gradient-averaged", "d.sum(axis=0)", "d.mean(axis=0)"))),
    Function("causal-attention", _attention, _attention_back,
             lambda rng: _drawn(rng, q=(2, 4, 3), k=(2, 4, 3), v=(2, 4, 5)),
             (("mask-missing", "np.where(mask, scores, -np.inf)", "scores"),
              ("scale-rounded", "q.shape[-1] ** -0.5", "0.5773"),
              ("diagonal-only", "w * (dw - (dw * w).sum(axis=-1, keepdims=True))",
               "w * (1 - w) * dw"))),
)  # fmt: skip
