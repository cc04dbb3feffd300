"""Functions with a softmax or a sigmoid that gives probabilities, and the costs upon them."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.faults.function import Array, Function


def _softmax(x: Array) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_back(G: Array, x: Array) -> Any:
    s = _softmax(x)
    return s * (G - (G * s).sum(axis=1, keepdims=True))


def _log_softmax(x: Array) -> Any:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _log_softmax_back(G: Array, x: Array) -> Any:
    return G - np.exp(_log_softmax(x)) * G.sum(axis=-1, keepdims=True)


def _logsumexp(x: Array) -> Any:
    largest = x.max(axis=1)
    return largest + np.log(np.exp(x - largest[:, None]).sum(axis=1))


def _logsumexp_back(G: Array, x: Array) -> Any:
    return G[:, None] * np.exp(x - _logsumexp(x)[:, None])


def _cross_entropy(x: Array, labels: Array) -> Any:
    return -_log_softmax(x)[np.arange(len(x)), labels].mean()


def _cross_entropy_back(G: Array, x: Array, labels: Array) -> tuple[Array, None]:
    N = len(x)
    p = _softmax(x)
    p[np.arange(N), labels] -= 1
    return G * p / N, None


def _kl_divergence(p: Array, x: Array) -> Any:
    return np.sum(p * (np.log(p) - _log_softmax(x))) / len(x)


def _kl_divergence_back(G: Array, p: Array, x: Array) -> tuple[Array, Array]:
    scale = G / len(x)
    log_q = _log_softmax(x)
    dp = np.log(p) + 1 - log_q
    dx = np.exp(log_q) * p.sum(axis=1, keepdims=True) - p
    return scale * dp, scale * dx


def _focal_loss(x: Array, labels: Array, alpha: float = 0.25, gamma: float = 2.0) -> Any:
    z = np.where(labels == 1, x, -x)
    p = 1 / (1 + np.exp(-z))
    share = np.where(labels == 1, alpha, 1 - alpha).astype(x.dtype)
    return -np.sum(share * (1 - p) ** gamma * np.log(p))


def _focal_loss_back(
    G: Array, x: Array, labels: Array, alpha: float = 0.25, gamma: float = 2.0
) -> tuple[Array, None]:
    z = np.where(labels == 1, x, -x)
    p = 1 / (1 + np.exp(-z))
    share = np.where(labels == 1, alpha, 1 - alpha).astype(x.dtype)
    dz = share * (1 - p) ** gamma * (gamma * p * np.log(p) + p - 1)
    return G * np.where(labels == 1, dz, -dz), None


def _probabilities(rng: np.random.Generator) -> dict[str, Array]:
    p = rng.uniform(0.1, 1, (3, 4))
    return {"p": p / p.sum(axis=1, keepdims=True), "x": rng.normal(size=(3, 4)) * 2}


SOFTMAXES = (
    Function("softmax", _softmax, _softmax_back,
             lambda rng: {"x": rng.normal(size=(3, 4)) * 2},
             (("diagonal-only", "s * (G - (G * s).sum(axis=1, keepdims=True))", "G * s * (1 - s)"),
              ("other-axis", "axis=1", "axis=0"),
              ("upstream-left-out-of-the-sum", "(G * s).sum", "(s * s).sum"))),
    Function("log-softmax", _log_softmax, _log_softmax_back,
             lambda rng: {"x": rng.normal(size=(2, 3, 4)) * 2},
             (("upstream-not-summed", "G.sum(axis=-1, keepdims=True)", "G"),
              ("other-axis", "axis=-1", "axis=1"),
              ("exp-forgotten", "np.exp(_log_softmax(x))", "_log_softmax(x)"))),
    Function("logsumexp", _logsumexp, _logsumexp_back,
             lambda rng: {"x": rng.normal(size=(3, 5)) * 3},
             (("upstream-ignored", "G[:, None] * ", ""),
              ("not-normalised", "_logsumexp(x)", "x.max(axis=1)"),
              ("averaged", "[:, None])", "[:, None]) / x.shape[1]"))),
    Function("softmax-cross-entropy", _cross_entropy, _cross_entropy_back,
             lambda rng: {"x": rng.normal(size=(4, 3)) * 2, "labels": np.array([2, 0, 0, 1])},
             (("mean-forgotten", "G * p / N", "G * p"),
              ("upstream-ignored", "G * p", "p"),
              ("labels-of-all-rows", "p[np.arange(N), labels]", "p[:, labels]"))),
    Function("kl-divergence", _kl_divergence, _kl_divergence_back, _probabilities,
             (("term-of-the-product-forgotten", " + 1", ""),
              ("mean-of-all-entries", "G / len(x)", "G / x.size"),
              ("sign", "keepdims=True) - p", "keepdims=True) + p"))),
    Function("focal-loss", _focal_loss, _focal_loss_back,
             lambda rng: {"x": rng.normal(size=(3, 4)) * 3, "labels": rng.integers(0, 2, (3, 4))},
             (("power-taken-for-a-constant", "gamma * p * np.log(p) + p", "p"),
              ("sign-of-other-labels", "np.where(labels == 1, dz, -dz)", "dz"),
              ("alpha-for-all-labels", "alpha, 1 - alpha)", "alpha, alpha)"))),
)  # fmt: skip
