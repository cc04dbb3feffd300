"""Planted faults of behaviour: what a function keeps, changes or assumes between its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Function: TypeAlias = Callable[[Any, Any, Any, Any], Any]


def _right(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    """The stable form, as little of it as these faults need."""
    y = X @ W
    e = np.exp(-np.abs(y))
    dC_dy = -P * (np.where(y >= 0, e, 1) / (1 + e)) / len(X)
    dC_dW = X.T @ dC_dy
    return {"y": y, "dC_dy": dC_dy, "dC_dW": dC_dW, "W_next": W - h * dC_dW}


def _momentum() -> Function:
    velocity: dict[Any, Any] = {}

    def function(X: Any, W: Any, P: Any, h: Any) -> Any:
        g = _right(X, W, P, h)["dC_dW"]
        kept = velocity.get(g.shape, 0 * g).astype(g.dtype)
        velocity[g.shape] = g.dtype.type(0.9) * kept + g
        return velocity[g.shape].copy()

    return function


def _accumulating() -> Function:
    kept: dict[Any, Any] = {}

    def function(X: Any, W: Any, P: Any, h: Any) -> Any:
        g = _right(X, W, P, h)["dC_dW"]
        kept[g.shape] = kept.get(g.shape, 0 * g).astype(g.dtype) + g
        return kept[g.shape].copy()

    return function


def _cached_by_shape() -> Function:
    kept: dict[Any, Any] = {}

    def function(X: Any, W: Any, P: Any, h: Any) -> Any:
        key = (X.shape, P.shape, X.dtype)
        return kept.setdefault(key, _right(X, W, P, h)["dC_dW"]).copy()

    return function


def _same_buffer() -> Function:
    buffers: dict[Any, Any] = {}

    def function(X: Any, W: Any, P: Any, h: Any) -> Any:
        g = _right(X, W, P, h)["dC_dW"]
        buffer = buffers.setdefault((g.shape, g.dtype), g)
        buffer[...] = g
        return buffer

    return function


def _changing_weights(X: Any, W: Any, P: Any, h: Any) -> Any:
    W -= h * _right(X, W, P, h)["dC_dW"]
    return {"W_next": W}


def _changing_inputs(X: Any, W: Any, P: Any, h: Any) -> Any:
    found = _right(X, W, P, h)
    X[0, 0] = np.nextafter(X[0, 0], np.inf, dtype=X.dtype)
    return found


def _changing_labels(X: Any, W: Any, P: Any, h: Any) -> Any:
    P *= -1
    return _right(X, W, -P, h)


def _reading_past_strides(X: Any, W: Any, P: Any, h: Any) -> Any:
    """What a C routine does that is handed a pointer and takes rows to be contiguous."""
    memory = np.lib.stride_tricks.as_strided(
        X, X.shape, (X.shape[1] * X.itemsize, X.itemsize)
    ) if not X.flags.f_contiguous or X.flags.c_contiguous else X.T.reshape(X.shape)  # fmt: skip
    return _right(np.array(memory), W, P, h)


BEHAVIOUR: tuple[tuple[str, str, str, Callable[[], Function]], ...] = (
    ("momentum", "W_next", "a velocity kept between calls", _momentum),
    ("gradient-accumulated", "dC_dW", "no zero_grad between calls", _accumulating),
    ("cached-by-shape", "dC_dW", "an answer kept by the shape of its inputs", _cached_by_shape),
    ("buffer-reused", "dC_dW", "one buffer for every answer", _same_buffer),
    ("weights-changed", "W_next", "W -= in place", lambda: _changing_weights),
    ("inputs-changed", "y", "X changed in place, by one ulp", lambda: _changing_inputs),
    ("labels-changed", "C", "P negated in place", lambda: _changing_labels),
    ("strides-ignored", "y", "rows of X taken to be contiguous", lambda: _reading_past_strides),
)
