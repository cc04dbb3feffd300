"""Programs of the post's network in 16 bits: a right one, and some that are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def right(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    """Each operation in the dtype of X, products in float32 and rounded."""
    dtype = X.dtype
    y = _product(X, W)
    y_o = 1 / (1 + np.exp(-y))
    dC_dy_o = -P / y_o / dtype.type(len(X))
    dC_dy = dC_dy_o * (y_o * (1 - y_o))
    return {"y": y, "y_o": y_o, "dC_dy_o": dC_dy_o, "dC_dy": dC_dy, "dC_dW": _product(X.T, dC_dy)}


def _product(a: Any, b: Any) -> Any:
    return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)


def gradient(X: Any, W: Any, P: Any, h: Any) -> Any:
    return right(X, W, P, h)["dC_dW"]


def narrow(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    """The sum over the rows accumulates in the dtype."""
    found = right(X, W, P, h)
    total = np.zeros_like(W)
    for x, g in zip(X, found["dC_dy"], strict=True):
        total = total + x[:, None] * g
    return {**found, "dC_dW": total}


WRONG: Mapping[str, Callable[..., Any]] = {
    "negative": lambda X, W, P, h: -gradient(X, W, P, h),
    "doubled": lambda X, W, P, h: gradient(X, W, P, h) * 2,
    "not averaged": lambda X, W, P, h: gradient(X, W, P, h) * X.dtype.type(len(X)),
    "zero": lambda X, W, P, h: gradient(X, W, P, h) * 0,
    "narrow": narrow,
    "narrow, alone": lambda X, W, P, h: narrow(X, W, P, h)["dC_dW"],
}
