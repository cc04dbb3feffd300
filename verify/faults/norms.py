"""Functions with norms, means and variances of rows or columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.function import Array, Function


def _l2_norm(x: Array) -> Any:
    return np.sqrt(np.sum(x**2, axis=1))


def _l2_norm_back(G: Array, x: Array) -> Any:
    norm = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
    return G[:, None] * x / norm


def _p_norm(x: Array, p: int = 3) -> Any:
    return np.sum(np.abs(x) ** p, axis=1) ** (1 / p)


def _p_norm_back(G: Array, x: Array, p: int = 3) -> Any:
    norm = _p_norm(x, p)[:, None]
    return G[:, None] * np.sign(x) * (np.abs(x) / norm) ** (p - 1)


def _renorm(x: Array, most: float = 1.5) -> Array:
    norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return np.where(norm > most, x * (most / norm), x)


def _renorm_back(G: Array, x: Array, most: float = 1.5) -> Array:
    norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
    along = (G * x).sum(axis=1, keepdims=True)
    clipped = most / norm * (G - x * along / norm**2)
    return np.where(norm > most, clipped, G)


def _cosine(a: Array, b: Array) -> Any:
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def _cosine_back(G: Array, a: Array, b: Array) -> tuple[Array, Array]:
    g = G[:, None]
    norm_a = np.sqrt((a * a).sum(1, keepdims=True))
    norm_b = np.sqrt((b * b).sum(1, keepdims=True))
    cosine = (a * b).sum(1, keepdims=True) / (norm_a * norm_b)
    da = g * (b / (norm_a * norm_b) - cosine * a / norm_a**2)
    db = g * (a / (norm_a * norm_b) - cosine * b / norm_b**2)
    return da, db


def _layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def _layer_norm_back(
    G: Array, x: Array, gamma: Array, beta: Array, eps: float = 1e-5
) -> tuple[Array, ...]:
    D = x.shape[-1]
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt(variance + eps)
    x_hat = (x - mean) * inverse
    g = G * gamma
    along = (g * x_hat).sum(axis=-1, keepdims=True)
    dx = inverse / D * (D * g - g.sum(axis=-1, keepdims=True) - x_hat * along)
    return dx, (G * x_hat).sum(axis=(0, 1)), G.sum(axis=(0, 1))


def _batch_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


def _batch_norm_back(
    G: Array, x: Array, gamma: Array, beta: Array, eps: float = 1e-5
) -> tuple[Array, ...]:
    N = len(x)
    inverse = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inverse
    dgamma = np.sum(G * x_hat, axis=0)
    dbeta = np.sum(G, axis=0)
    dx = gamma * inverse / N * (N * G - dbeta - x_hat * dgamma)
    return dx, dgamma, dbeta


def _rms_norm(x: Array, weight: Array, eps: float = 1e-6) -> Any:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def _rms_norm_back(G: Array, x: Array, weight: Array, eps: float = 1e-6) -> tuple[Array, Array]:
    inverse = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
    g = G * weight
    dx = inverse * g - x * inverse**3 * (g * x).mean(axis=-1, keepdims=True)
    return dx, (G * x * inverse).sum(axis=0)


def _rows_of_all_sizes(rng: np.random.Generator) -> dict[str, Array]:
    x = rng.normal(size=(2, 3, 5))
    x[1, 2] *= 0.1  # where eps counts
    return {"x": x, "gamma": rng.uniform(0.5, 2, 5), "beta": rng.normal(size=5)}


NORMS = (
    Function("l2-norm", _l2_norm, _l2_norm_back,
             lambda rng: {"x": rng.normal(size=(3, 5))},
             (("upstream-ignored", "G[:, None] * x", "x"),
              ("norm-squared", "/ norm", "/ norm**2"),
              ("norm-of-columns", "axis=1", "axis=0"))),
    Function("p-norm", _p_norm, _p_norm_back,
             lambda rng: {"x": rng.normal(size=(4, 3))},
             (("sign-of-the-entries-forgotten", "np.sign(x) * ", ""),
              ("factor-p", "G[:, None] * np", "G[:, None] * p * np"),
              ("power-of-p", "** (p - 1)", "** p"))),
    Function("renorm", _renorm, _renorm_back,
             lambda rng: {"x": rng.normal(size=(6, 3)) * [[0.2], [3], [0.3], [2], [0.4], [4]]},
             (("norm-taken-for-a-constant", "(G - x * along / norm**2)", "G"),
              ("small-rows-scaled-too", "np.where(norm > most, clipped, G)", "clipped"),
              ("upstream-for-inputs", "(G * x).sum", "(G * G).sum"))),
    Function("cosine-similarity", _cosine, _cosine_back,
             lambda rng: {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=(3, 4))},
             (("projection-forgotten", " - cosine * a / norm_a**2", ""),
              ("other-norm", "norm_b**2", "norm_a**2"),
              ("upstream-ignored-by-one", "g * (a / ", "(a / "))),
    Function("layer-norm", _layer_norm, _layer_norm_back, _rows_of_all_sizes,
             (("variance-taken-for-a-constant", " - x_hat * along", ""),
              ("rows-for-features", "x.shape[-1]", "x.shape[0]"),
              ("eps-forgotten", "variance + eps", "variance"))),
    Function("batch-norm", _batch_norm, _batch_norm_back,
             lambda rng: {"x": rng.normal(size=(5, 3)) * [1, 10, 0.5],
                          "gamma": rng.uniform(0.5, 2, 3), "beta": rng.normal(size=3)},
             (("mean-taken-for-a-constant", "N * G - dbeta", "N * G"),
              ("unbiased-variance", "x.var(axis=0)", "x.var(axis=0, ddof=1)"),
              ("gamma-forgotten", "gamma * inverse", "inverse"))),
    Function("rms-norm", _rms_norm, _rms_norm_back,
             lambda rng: {"x": rng.normal(size=(3, 4)) * [[1], [0.1], [2]],
                          "weight": rng.uniform(0.5, 2, 4)},
             (("sum-for-mean", "(g * x).mean(", "(g * x).sum("),
              ("another-eps", " + eps)", " + 10 * eps)"),
              ("weights-gradient-averaged", ".sum(axis=0)", ".mean(axis=0)"))),
)  # fmt: skip
