"""The right chain as formulas, so that a fault can replace one; and what some faults do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from verify.faults.behaviour import Function
from verify.network.problem import LINKS

Formula: TypeAlias = Callable[[Any], Any]


def sigma(y: Any) -> Any:
    """The sigmoid without overflow, for faults that are about something else.

    Shapes  any; the same.
    """
    e = np.exp(-np.abs(y))
    return np.where(y >= 0, 1, e) / (1 + e)


def softmax(y: Any) -> Any:
    """The softmax of each row.

    Shapes  (N, K); the same.
    """
    e = np.exp(y - y.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def cross_entropy_of_softmax(v: Any) -> Any:
    """-(1/N) sum p log softmax(y)."""
    y = v.y - v.y.max(1, keepdims=True)
    return np.sum(v.P * (np.log(np.exp(y).sum(1, keepdims=True)) - y)) / v.N


# The right chain in the stable form; dC_dy is what every later link is made from.
RIGHT: Mapping[str, Formula] = {
    "y": lambda v: v.X @ v.W,
    "y_o": lambda v: sigma(v.y),
    "C": lambda v: np.sum(v.P * np.logaddexp(0, -v.y).astype(v.y.dtype)) / v.N,
    "dC_dy_o": lambda v: -v.P / v.y_o / v.N,
    "dy_o_dy": lambda v: v.y_o * v.s,
    "dC_dy": lambda v: -v.P * v.s / v.N,
    "dC_dW": lambda v: v.X.T @ v.dC_dy,
    "W_next": lambda v: v.W - v.h * v.dC_dW,
}


def with_formulas(**wrong: Formula) -> Callable[[], Function]:
    """The right chain with some formulas replaced.

    Shapes  the made function takes X (N, D), W (D, K), P (N, K), h () and gives every link.
    """

    def function(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
        N, D = X.shape
        v = SimpleNamespace(X=X, W=W, P=P, h=h, N=N, D=D, K=W.shape[1])
        for name, formula in wrong.items():
            if name not in LINKS and name != "s":  # an input that is read wrongly
                setattr(v, name, formula(v))
        given: dict[str, Any] = {}
        for link in LINKS:
            if link == "dy_o_dy":
                v.s = wrong.get("s", lambda v: sigma(-v.y))(v)
            given[link] = wrong.get(link, RIGHT[link])(v)
            setattr(v, link, given[link])
        return given

    return lambda: function


def without_smallest(g: Any) -> Any:
    """The smallest entry that is not 0 made 0."""
    size = np.where(g == 0, np.inf, np.abs(g))
    g[np.unravel_index(size.argmin(), g.shape)] = 0
    return g


def one_ulp(g: Any) -> Any:
    """The largest entry moved by one ulp."""
    at = np.unravel_index(np.abs(g).argmax(), g.shape)
    g[at] = np.nextafter(g[at], np.inf)
    return g


def tf32(a: Any) -> Any:
    """The 11 significant bits that TF32 keeps of a factor."""
    significand, exponent = np.frexp(a)
    return np.ldexp(np.rint(significand * 2**11), exponent - 11).astype(a.dtype)


def rank_means(v: Any) -> Any:
    """Each of two ranks takes the mean over its own rows, and the means are averaged."""
    first = (v.N + 1) // 2
    parts = [slice(0, first), slice(first, v.N)]
    means = [v.X[r].T @ (-v.P[r] * v.s[r]) / max(1, len(v.X[r])) for r in parts]
    return (means[0] + means[1]) / 2


def overflowing(v: Any) -> Any:
    """The post form's gradient with what overflowed replaced by 0."""
    with np.errstate(all="ignore"):
        y_o = 1 / (1 + np.exp(-v.y))
        return np.nan_to_num(v.X.T @ (-v.P / y_o * (y_o * (1 - y_o)) / v.N))


def central_differences(v: Any) -> Any:
    """Central differences of the cost, all columns at once: it is a sum over columns."""

    def costs(W: Any) -> Any:
        return np.sum(v.P * np.logaddexp(0, -(v.X @ W)), axis=0) / v.N

    step, g = v.X.dtype.type(2.0**-10), np.zeros_like(v.W)
    for d in range(v.D):
        W = v.W.copy()
        W[d] += step
        above = costs(W)
        W[d] -= 2 * step
        g[d] = (above - costs(W)) / (2 * step)
    return g
