"""A run on shadows, differentiated backward and forward."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers.followed import data, plain
from verify.numbers.run import Run, running
from verify.numbers.tape import gradients, tangents


def _softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


FUNCTIONS = {
    "softmax": _softmax,
    "product": lambda x: x @ x.T,
    "norm": lambda x: x / np.linalg.norm(x, axis=0),
    "picked": lambda x: x[np.arange(3), [1, 0, 1]] ** 2,
    "mean": lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + 0.5),
    "branches": lambda x: np.where(x > 0, x * x, np.sin(x)),
    "maximum": lambda x: np.maximum(x, 0.25 * x) + np.minimum(x, 1) + np.abs(x),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x) * np.tanh(x[0, 0]),
}


def _values(a):
    return np.vectorize(lambda s: s.value)(plain(a))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_modes_are_the_derivative(name: str) -> None:
    rng, f = np.random.default_rng(2), FUNCTIONS[name]
    x, v = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    G = rng.normal(size=f(x).shape)
    slope = (f(x + 1e-5 * v) - f(x - 1e-5 * v)) / 2e-5
    with running(Run(recording=True)):
        at = data(x, varies=True)
        (g,) = gradients([f(at)], [data(G)], [at])
    with running(Run(recording=True)):
        at = data(x, varies=True)
        (moved,) = tangents([f(at)], [at], [data(v)])
    assert np.allclose(_values(moved), slope, rtol=1e-7, atol=1e-8)
    assert np.isclose((_values(g) * v).sum(), (slope * G).sum(), rtol=1e-7)


def test_the_modes_agree_to_all_bits_of_the_run() -> None:
    rng = np.random.default_rng(2)
    x, v, G = rng.normal(size=(3, 3, 2))
    with running(Run(recording=True)):
        at = data(x, varies=True)
        (g,) = gradients([_softmax(at)], [data(G)], [at])
    with running(Run(recording=True)):
        at = data(x, varies=True)
        (moved,) = tangents([_softmax(at)], [at], [data(v)])
    with running(Run()):
        difference = (g * data(v)).sum() - (moved * data(G)).sum()
    assert abs(difference.ball) < 1e-60


def test_several_results_add_and_what_is_not_used_has_none() -> None:
    with running(Run(recording=True)):
        a, b = data(np.array([2.0, 3.0]), True), data(np.array([5.0]), True)
        by_a, by_b = gradients([a * 2, a * a], [np.ones(2), np.ones(2)], [a, b])
    assert _values(by_a).tolist() == [6, 8]
    assert _values(by_b).tolist() == [0]


def test_the_error_is_that_of_the_chain_rule_in_floats() -> None:
    x = np.array([[0.1, 0.2], [3.0, -4.0]])
    with running(Run(recording=True)):
        at = data(x, varies=True)
        (g,) = gradients([np.tanh(at)], [np.ones((2, 2))], [at])
    errors = np.vectorize(lambda s: s.error)(plain(g))
    floats = 1 - np.tanh(x) ** 2
    assert (np.abs(floats - _values(g)) <= errors).all()
    assert (errors < 1e-14).all()
