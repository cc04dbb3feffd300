"""Functions that pick, move and add up entries by where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.function import Array, Function


def _columns(x: Array, size: int, stride: int) -> Array:
    steps = range(0, x.shape[2] - size + 1, stride)
    return np.stack([x[:, :, i : i + size] for i in steps], axis=1)


def _conv1d(x: Array, W: Array, b: Array, stride: int = 2, pad: int = 1) -> Any:
    units, _, size = W.shape
    columns = _columns(np.pad(x, ((0, 0), (0, 0), (pad, pad))), size, stride)
    N, steps = columns.shape[:2]
    y = columns.reshape(N, steps, -1) @ W.reshape(units, -1).T + b
    return y.transpose(0, 2, 1)


def _conv1d_back(
    G: Array, x: Array, W: Array, b: Array, stride: int = 2, pad: int = 1
) -> tuple[Array, ...]:
    size = W.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    columns = _columns(padded, size, stride)
    dw = np.einsum("nfs,nsck->fck", G, columns)
    dcolumns = np.einsum("nfs,fck->nsck", G, W)
    dx = np.zeros_like(padded)
    for s in range(G.shape[2]):
        dx[:, :, s * stride : s * stride + size] += dcolumns[:, s]
    return dx[:, :, pad:-pad], dw, G.sum(axis=(0, 2))


def _max_pool(x: Array, size: int = 3) -> Any:
    N, C, L = x.shape
    return x.reshape(N, C, L // size, size).max(axis=3)


def _max_pool_back(G: Array, x: Array, size: int = 3) -> Any:
    N, C, L = x.shape
    windows = x.reshape(N, C, L // size, size)
    mask = windows == windows.max(axis=3, keepdims=True)
    return (G[:, :, :, None] * mask).reshape(N, C, L)


def _embedding(table: Array, indices: Array) -> Any:
    return table[indices]


def _embedding_back(G: Array, table: Array, indices: Array) -> tuple[Array, None]:
    d = np.zeros_like(table)
    np.add.at(d, indices, G)
    return d, None


def _scatter_add(base: Array, rows: Array, index: Array) -> Array:
    out = base.copy()
    for i, row in zip(index, rows, strict=True):
        out[i] += row
    return out


def _scatter_add_back(G: Array, base: Array, rows: Array, index: Array) -> tuple[Any, Any, None]:
    return G, G[index], None


def _cumprod(x: Array) -> Array:
    return np.cumprod(x, axis=1)


def _cumprod_back(G: Array, x: Array) -> Any:
    y = np.cumprod(x, axis=1)
    return np.cumsum((G * y)[:, ::-1], axis=1)[:, ::-1] / x


def _windows_below_zero(rng: np.random.Generator) -> Array:
    x = rng.normal(size=(2, 4, 6))
    x[1] = -np.abs(x[1])
    return x


WINDOWS = (
    Function("conv1d", _conv1d, _conv1d_back,
             lambda rng: {"x": rng.normal(size=(2, 3, 7)), "W": rng.normal(size=(4, 3, 3)),
                          "b": rng.normal(size=4)},
             (("windows-overwrite", "size] += ", "size] = "),
              ("padding-of-one-side", "pad:-pad]", ": -2 * pad]"),
              ("last-window-lost", "range(G.shape[2])", "range(G.shape[2] - 1)"))),
    Function("max-pool", _max_pool, _max_pool_back,
             lambda rng: {"x": _windows_below_zero(rng)},
             (("spread-as-a-mean", " * mask)", " / size * np.ones_like(windows))"),
              ("zero-taken-for-the-least", "keepdims=True)", "keepdims=True, initial=0)"),
              ("upstream-ignored", "G[:, :, :, None] * mask", "1.0 * mask"))),
    Function("embedding", _embedding, _embedding_back,
             lambda rng: {"table": rng.normal(size=(5, 3)),
                          "indices": np.array([[0, 4, 4, 1], [2, 0, 4, 2]])},
             (("repeats-overwrite", "np.add.at(d, indices, G)", "d[indices] += G"),
              ("last-row-lost", "indices, G)", "indices[:-1], G[:-1])"),
              ("half-precision", "np.zeros_like(table)", "np.zeros(table.shape, np.float16)"))),
    Function("scatter-add", _scatter_add, _scatter_add_back,
             lambda rng: {"base": rng.normal(size=(4, 3)), "rows": rng.normal(size=(5, 3)),
                          "index": np.array([2, 0, 2, 3, 0])},
             (("base-taken-for-overwritten", "return G, ",
               "return np.where(np.isin(np.arange(len(G)), index)[:, None], 0 * G, G), "),
              ("order-of-the-rows", "G[index]", "G[np.sort(index)]"),
              ("upstream-ignored-by-one", "G[index]", "np.ones_like(rows)"))),
    Function("cumprod", _cumprod, _cumprod_back,
             lambda rng: {"x": rng.uniform(0.5, 2, (3, 4)) * rng.choice([-1, 1], (3, 4))},
             (("sum-from-the-wrong-end", "np.cumsum((G * y)[:, ::-1], axis=1)[:, ::-1]",
               "np.cumsum(G * y, axis=1)"),
              ("diagonal-only", "np.cumsum((G * y)[:, ::-1], axis=1)[:, ::-1]", "(G * y)"),
              ("other-axis", "[:, ::-1], axis=1)", "[:, ::-1], axis=0)"))),
)  # fmt: skip
