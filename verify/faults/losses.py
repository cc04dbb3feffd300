"""Costs with kinks, masks and pairs of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.function import Array, Function


def _hinge(scores: Array, labels: Array) -> Any:
    N = len(scores)
    margins = np.maximum(0, scores - scores[np.arange(N), labels][:, None] + 1)
    margins[np.arange(N), labels] = 0
    return margins.sum() / N


def _hinge_back(G: Array, scores: Array, labels: Array) -> tuple[Array, None]:
    N = len(scores)
    margins = np.maximum(0, scores - scores[np.arange(N), labels][:, None] + 1)
    margins[np.arange(N), labels] = 0
    d = np.zeros_like(scores)
    d[margins > 0] = 1
    d[np.arange(N), labels] -= d.sum(axis=1)
    return G * d / N, None


def _binary_cross_entropy(x: Array, p: Array) -> Any:
    return (np.maximum(x, 0) - x * p + np.log1p(np.exp(-np.abs(x)))).mean()


def _binary_cross_entropy_back(G: Array, x: Array, p: Array) -> tuple[Array, Array]:
    e = np.exp(-np.abs(x))
    s = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return G * (s - p) / x.size, -G * x / x.size


def _huber(x: Array, target: Array, delta: float = 1.5) -> Array:
    r = x - target
    return np.where(np.abs(r) <= delta, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta))


def _huber_back(G: Array, x: Array, target: Array, delta: float = 1.5) -> tuple[Array, Array]:
    r = x - target
    g = G * np.where(np.abs(r) <= delta, r, delta * np.sign(r))
    return g, -g


def _triplet(anchor: Array, same: Array, other: Array, margin: float = 1.0) -> Any:
    near = np.sum((anchor - same) ** 2, axis=1)
    far = np.sum((anchor - other) ** 2, axis=1)
    return np.mean(np.maximum(near - far + margin, 0))


def _triplet_back(
    G: Array, anchor: Array, same: Array, other: Array, margin: float = 1.0
) -> tuple[Array, ...]:
    near = np.sum((anchor - same) ** 2, axis=1)
    far = np.sum((anchor - other) ** 2, axis=1)
    active = (near - far + margin > 0)[:, None]
    g = 2 * G * active / len(anchor)
    return g * (other - same), g * (same - anchor), g * (anchor - other)


def _masked_error(x: Array, target: Array, lengths: Array) -> Any:
    mask = (np.arange(x.shape[1]) < lengths[:, None])[:, :, None]
    return np.sum((x - target) ** 2 * mask) / (int(lengths.sum()) * x.shape[2])


def _masked_error_back(
    G: Array, x: Array, target: Array, lengths: Array
) -> tuple[Array, Array, None]:
    mask = (np.arange(x.shape[1]) < lengths[:, None])[:, :, None]
    g = 2 * G * (x - target) * mask / (int(lengths.sum()) * x.shape[2])
    return g, -g, None


def _margins_of_all_sizes(rng: np.random.Generator) -> Array:
    scores = rng.normal(size=(5, 4)) * 2
    scores[0, :3] = scores[0, 3] - [0.25, 0.75, 1.5]  # of the label 3: two within 1, one beyond
    return scores


def _below_and_above(rng: np.random.Generator) -> dict[str, Array]:
    x, target = rng.normal(size=(2, 4, 3))
    x[0] -= 9
    x[1] += 9
    return {"x": x, "target": target}


def _near_and_far(rng: np.random.Generator) -> dict[str, Array]:
    anchor, same, other = rng.normal(size=(3, 5, 3))
    far = np.array([[0.3], [0.3], [1], [5], [7]])  # within the margin, and beyond it
    return {"anchor": anchor, "same": anchor + same, "other": anchor + far * other}


LOSSES = (
    Function("multi-class-hinge", _hinge, _hinge_back,
             lambda rng: {"scores": _margins_of_all_sizes(rng),
                          "labels": np.array([3, 0, 1, 0, 2])},
             (("one-for-every-label", "labels] -= d.sum(axis=1)", "labels] -= 1"),
              ("margin-forgotten", " + 1)", ")"),
              ("mean-forgotten", "G * d / N", "G * d"))),
    Function("binary-cross-entropy", _binary_cross_entropy, _binary_cross_entropy_back,
             lambda rng: {"x": rng.normal(size=(3, 2)) + np.array([[0, 20], [-20, 0], [0, 0]]),
                          "p": np.array([[0, 1], [0, 0.25], [1, 0.5]])},
             (("slope-twice", "G * (s - p)", "G * (s - p) * s * (1 - s)"),
              ("clipped", "(s - p)", "(np.clip(s, 1e-7, 1 - 1e-7) - p)"),
              ("sign-of-the-labels-gradient", "-G * x", "G * x"))),
    Function("huber", _huber, _huber_back, _below_and_above,
             (("delta-forgotten", "delta * np.sign(r)", "np.sign(r)"),
              ("upstream-ignored", "g = G * np", "g = np"),
              ("sign-below-the-kink", "np.abs(r) <= delta, r", "r <= delta, r"))),
    Function("triplet", _triplet, _triplet_back, _near_and_far,
             (("factor-2-forgotten", "2 * G", "G"),
              ("rows-beyond-the-margin", " * active", ""),
              ("sign-of-one", "(anchor - other)\n", "(other - anchor)\n"))),
    Function("masked-error", _masked_error, _masked_error_back,
             lambda rng: {"x": rng.normal(size=(3, 4, 2)), "target": rng.normal(size=(3, 4, 2)),
                          "lengths": np.array([4, 1, 2])},
             (("mask-missing", " * mask /", " /"),
              ("mean-of-all-entries", "(int(lengths.sum()) * x.shape[2])", "x.size"),
              ("one-step-too-many", "< lengths", "<= lengths"))),
)  # fmt: skip
