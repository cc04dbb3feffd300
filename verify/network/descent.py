"""The interval of the fall of the cost, and how rounding errors travel along a trajectory.

C is a sum over columns k of W, convex in each, with the Hessian
(1/N) X^T diag(p_k y_o (1 - y_o)) X, which lies between 0 and (1/4N) X^T diag(p_k) X.

  Taylor      C(W + d) <= C(W) + <g, d> + (1/8N) sum p (X d)^2     for every d
  convexity   C(W + d) >= C(W) + <g, d>
  L_k         the largest eigenvalue of (1/4N) X^T diag(p_k) X: a gradient step with h < 2/L_k
              lowers the cost of column k and brings no two weight vectors further apart; with a
              larger h it can stretch their distance by h L_k - 1, and no more.

Source  Y. Nesterov, Lectures on Convex Optimization, 2nd ed., theorems 2.1.5 and 2.1.14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.network.links import NK
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import Array, Off

_EIGEN_SIZE = 512  # above it, L_k is bounded by the trace instead of an eigenvalue


@dataclass(frozen=True)
class Fall:
    """The interval that C(W_next) - C(W) must lie in, and where it was found.

    `in_range` is False if the interval overflows although its inputs are finite.

    Shapes  (); of a stack of problems (B,).
    Units   nats a row. `slack` is the part of the interval that is rounding.
    """

    lowest: Any
    highest: Any
    found: Any
    slack: Any
    in_range: Any

    @property
    def holds(self) -> Any:
        return (self.lowest <= self.found) & (self.found <= self.highest)


def fall(problem: Problem, chain: Chain, after: Off, bound: Chain, moved: Off) -> Fall:
    """The two-sided descent inequality for the step that was really made, d = W_next - W.

    Valid for any d, so it needs neither h < 2/L nor a truth; `after` is C(W_next), `moved` X d.
    The slack is B_C(W) + B_C(W_next) + sum |d| B_dC_dW, and the roundings of this evaluation.

    Shapes  W, W_next, dC_dW (D, K); C, after (); X d (N, K); of a stack, each with its first axis.
    Units   nats a row.
    Source  Taylor and convexity, above.
    """
    d = np.asarray(chain.W_next, np.float64) - problem.W
    lost = gamma(**problem.sizes)
    return allowed(d, curvature(problem, moved), chain, after, bound, lost)


def curvature(problem: Problem, moved: Off) -> Any:
    """The second term of Taylor's inequality, (1/8N) sum p (X d)^2, from above.

    `moved` is X d.

    Shapes  X d (N, K) gives (); of a stack, each with its first axis.
    Units   nats a row.
    Source  Taylor, above.
    """
    change, off = moved
    most = np.abs(change) + off
    # From left to right, so that no p of 0 meets a square that overflows.
    return np.sum(problem.P * most * most, axis=NK) / (8 * problem.sizes["N"])


def gamma(N: int, D: int, K: int) -> float:
    """What the float64 sums of this module may lose, relatively."""
    return (D * K + N + 8) * 2.0**-53


def allowed(d: Any, second: Any, chain: Chain, after: Off, bound: Chain, lost: float) -> Fall:
    """The interval of a step d to C = `after`; `second`: its curvature; `lost`: what sums may lose.

    Shapes  d, dC_dW (D, K); second, C, after (); of a stack, each with its first axis.
    Units   nats a row.
    Source  Taylor and convexity, above.
    """
    g, C, C_next = (np.asarray(a, np.float64) for a in (chain.dC_dW, chain.C, after.value))
    first = np.sum(g * d, axis=NK)
    roundings = lost * (np.sum(np.abs(g * d), axis=NK) + second + np.abs(C) + np.abs(C_next))
    slack = bound.C + after.off + np.sum(np.abs(d) * bound.dC_dW, axis=NK) + roundings
    lowest, highest, found = first - slack, first + second + slack, C_next - C
    given = np.isfinite(g).all(axis=NK) & np.isfinite(found)
    return Fall(lowest, highest, found, slack, np.isfinite(highest - lowest) | ~given)


def smoothness(problem: Problem) -> Array:
    """L_k of each column, from above; infinite where it is beyond float64.

    Shapes  X (N, D), P (N, K) give (K,).
    Source  eigenvalues of the smaller Gram matrix; the trace where that is too large.
    """
    N, D, _ = problem.sizes.values()
    at_most = trace(row_lengths(problem), problem.P)
    if min(N, D) > _EIGEN_SIZE:
        return at_most
    X, P = np.asarray(problem.X, np.float64), np.asarray(problem.P, np.float64)
    L, finite = at_most.copy(), np.isfinite(at_most)
    largest = [_largest_eigenvalue(X * np.sqrt(p)[:, None]) for p in P.T[finite]]
    # eigvalsh and the product err by a modest multiple of their size in units of 2^-53.
    L[finite] = np.array(largest) / (4 * N) + at_most[finite] * (N + D) * 2.0**-50
    return L


def row_lengths(problem: Problem) -> Array:
    """The Euclidean length of each row of X.

    Shapes  X (N, D) gives (N,).
    """
    return length(np.asarray(problem.X, np.float64).T)


def trace(rows: Array, P: Array) -> Array:
    """What L_k of each column is at most: the trace of (1/4N) X^T diag(p_k) X.

    Shapes  the lengths of the rows of X (N,), P (N, K) give (K,).
    """
    lengths = length(rows[:, None] * np.sqrt(np.asarray(P, np.float64)))
    return np.asarray(lengths**2 / (4 * len(rows)))


def _largest_eigenvalue(A: Array) -> Any:
    """Of A^T A."""
    scale = _scale(A)
    a = A / scale
    gram = a.T @ a if a.shape[1] <= a.shape[0] else a @ a.T
    return np.linalg.eigvalsh(gram)[-1] * scale * scale


def length(columns: Array) -> Array:
    """The Euclidean length of each column, also where squares of its numbers leave float64.

    Shapes  (D, K) gives (K,).
    """
    plain = np.sqrt(np.einsum("dk,dk->k", columns, columns, dtype=np.float64))
    if ((plain > 2.0**-500) & (plain < 2.0**500)).all():
        return np.asarray(plain)
    scale = _scale(columns, axis=0)
    return np.asarray(np.linalg.norm(columns / scale, axis=0) * scale)


def _scale(a: Array, axis: int | None = None) -> Any:
    """A power of two by which the largest magnitude is about 1; 1 for zeros and what is no number.

    Shapes  () or, along axis 0, (K,).
    """
    largest = np.max(np.abs(a), axis=axis, initial=0).astype(np.float64)
    return 2.0 ** np.clip(np.frexp(largest)[1], -1022, 1023)


def stretch(h: Any, L: Array) -> Array:
    """By how much one step can stretch the distance of two weight vectors: max(1, h L_k - 1).

    Shapes  L (K,) gives (K,).
    Source  the eigenvalues of I - h H lie between 1 - h L_k and 1.
    """
    return np.asarray(np.maximum(1.0, float(h) * L - 1))


def drift(before: Array, factor: Array, bound_W_next: Array) -> Array:
    """How far each column of W may now be from the exact trajectory, as a Euclidean length.

    Shapes  before, factor (K,), bound_W_next (D, K) give (K,).
    Source  |W_t+1 - W*_t+1| <= factor |W_t - W*_t| + |rounding of this step|.
    """
    return np.asarray(np.where(before > 0, factor * before, 0) + length(bound_W_next))
