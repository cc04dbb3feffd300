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


def _cached_by(key: Callable[[Any, Any, Any], Any]) -> Callable[[], Function]:
    """An answer that is kept by some of what it depends on."""

    def make() -> Function:
        kept: dict[Any, Any] = {}

        def function(X: Any, W: Any, P: Any, h: Any) -> Any:
            at = key(X, W, P), W.shape, W.dtype
            if at not in kept:
                kept.clear()
                # The arrays are kept, too, so that no other gets their identity.
                kept[at] = _right(X, W, P, h)["dC_dW"], X, W, P
            return kept[at][0].copy()

        return function

    return make


def _changed_later() -> Function:
    given: list[Any] = []

    def function(X: Any, W: Any, P: Any, h: Any) -> Any:
        given.append(_right(X, W, P, h)["dC_dW"])
        if len(given) > 2:
            given.pop(0)[...] *= 2
        return given[-1]

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


def _past_strides(A: Any) -> Any:
    """What a C routine reads that is handed a pointer and takes rows to be contiguous."""
    return np.array(
        np.lib.stride_tricks.as_strided(A, A.shape, (A.shape[1] * A.itemsize, A.itemsize))
    )


def _forwards(A: Any) -> Any:
    """What is read from an array's first number in memory on, whatever the signs of its strides."""
    return np.array(A[:: -1 if A.strides[0] < 0 else 1, :: -1 if A.strides[1] < 0 else 1])


def _scratch(A: Any) -> Any:
    """The array, used for something else meanwhile and put back."""
    A *= 2
    A /= 2
    return A


def _reading(**ways: Callable[[Any], Any]) -> Callable[[], Function]:
    """The right chain, of arrays that are read in some way."""

    def make() -> Function:
        def function(X: Any, W: Any, P: Any, h: Any) -> Any:
            given = {"X": X, "W": W, "P": P}
            return _right(**{n: ways[n](a) if n in ways else a for n, a in given.items()}, h=h)

        return function

    return make


BEHAVIOUR: tuple[tuple[str, str, str, Callable[[], Function]], ...] = (
    ("momentum", "W_next", "a velocity kept between calls", _momentum),
    ("gradient-accumulated", "dC_dW", "no zero_grad between calls", _accumulating),
    ("cached-by-shape", "dC_dW", "an answer kept by the shape of its inputs", _cached_by_shape),
    ("cached-by-inputs", "dC_dW", "an answer kept by the numbers of X",
     _cached_by(lambda X, W, P: X.tobytes())),
    ("cached-by-inputs-and-weights", "dC_dW", "an answer kept by the numbers of X and W",
     _cached_by(lambda X, W, P: X.tobytes() + W.tobytes())),
    ("cached-by-identity", "dC_dW", "an answer kept by which arrays X and W are",
     _cached_by(lambda X, W, P: (id(X), id(W)))),
    ("answer-changed-later", "dC_dW", "an answer that is changed two calls later", _changed_later),
    ("buffer-reused", "dC_dW", "one buffer for every answer", _same_buffer),
    ("weights-changed", "W_next", "W -= in place", lambda: _changing_weights),
    ("inputs-changed", "y", "X changed in place, by one ulp", lambda: _changing_inputs),
    ("labels-changed", "C", "P negated in place", lambda: _changing_labels),
    ("strides-ignored", "y", "rows of X taken to be contiguous", _reading(X=_past_strides)),
    ("weights-strides-ignored", "y", "rows of W taken to be contiguous", _reading(W=_past_strides)),
    ("labels-strides-ignored", "C", "rows of P taken to be contiguous", _reading(P=_past_strides)),
    ("negative-strides-ignored", "y", "rows of X read upwards in memory", _reading(X=_forwards)),
    ("read-only-labels-skipped", "C", "labels that cannot be written taken for 0",
     _reading(P=lambda P: P if P.flags.writeable else 0 * P)),
    ("inputs-as-scratch", "y", "X used as scratch, and put back", _reading(X=_scratch)),
    ("weights-as-scratch", "y", "W used as scratch, and put back", _reading(W=_scratch)),
    ("labels-as-scratch", "C", "P used as scratch, and put back", _reading(P=_scratch)),
)  # fmt: skip
