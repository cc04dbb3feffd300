"""A function of torch tensors, judged for every gradient of its own graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support import networks
from verify.candidate.arguments import arguments
from verify.candidate.tensors import differentiated
from verify.network import manual
from verify.network.layer import Layer

HIDDEN = networks.of(Layer("tanh", bias=True), Layer("softmax"))


def cost(X, W1, b1, W2, P):
    y2 = torch.tanh(X @ W1 + b1) @ W2
    return torch.nn.functional.cross_entropy(y2, P)


def of(function, problem):
    taken = arguments(function, needed=lambda name: name != "G")
    call, backward = differentiated(function, taken, -0.3)
    given = {**problem.arrays, **({"h": problem.h} if problem.network.trains else {})}
    return lambda: call(given), lambda: backward(given)


def test_a_cost_gives_the_gradients_by_all_parameters():
    call, _ = of(cost, HIDDEN)
    found, right = call(), manual.stable(HIDDEN)
    assert list(found) == ["C", "dC_dW1", "dC_db1", "dC_dW2"]
    for link, value in found.items():
        np.testing.assert_allclose(value.detach(), right[link], rtol=1e-11, atol=1e-16)


def test_other_passes_are_of_all_parameters_too():
    _, backward = of(cost, HIDDEN)
    found, right = backward(), manual.stable(HIDDEN)
    names = ("dC_dW1", "dC_db1", "dC_dW2")
    assert set(found) == {
        "upstream", "dC_dX", "dC_dP",
        *(f"{p} {n}" for p in ("scaled", "second", "alone") for n in names),
    }  # fmt: skip
    for name in names:
        np.testing.assert_allclose(found[f"scaled {name}"], -0.3 * right[name], rtol=1e-11)
        np.testing.assert_allclose(found[f"second {name}"], right[name], rtol=1e-11)
        np.testing.assert_allclose(found[f"alone {name}"], right[name], rtol=1e-11)


@pytest.mark.parametrize("bias", [False, True])
def test_one_operation_is_given_the_upstream_gradient(bias):
    problem = networks.of(Layer("tanh", bias=bias), cost="upstream", sizes=(4, 3))

    def operation(X, W, b=None):
        return torch.tanh(X @ W if b is None else X @ W + b)

    call, backward = of(operation, problem)
    found, right = call(), manual.stable(problem)
    assert list(found) == ["dC_dW", "dC_db"][: 1 + bias]
    for link, value in found.items():
        np.testing.assert_allclose(value, right[link], rtol=1e-11)
    others = dict(backward())
    np.testing.assert_array_equal(others.pop("upstream"), problem.P)
    assert others.pop("dC_dX").shape == problem.X.shape
    assert set(others) == {f"{p} {n}" for p in ("second", "alone") for n in found}
    for name, value in others.items():
        np.testing.assert_allclose(value, right[name.split()[1]], rtol=1e-11)


def test_an_activation_alone_is_differentiated_by_X():
    problem = networks.of(Layer("relu", weights=False), cost="upstream", sizes=(4,))
    call, _ = of(torch.relu, problem)
    assert list(call()) == ["dC_dX"]
    np.testing.assert_array_equal(call()["dC_dX"], problem.P * (problem.X > 0))


def test_gradients_of_its_own_are_passed_on():
    call, backward = of(lambda X, W1, b1, W2, P: (W1, b1, W2), HIDDEN)
    assert len(call()) == 3
    assert backward() == {}


def test_what_takes_the_upstream_gradient_returns_gradients_of_its_own():
    problem = networks.of(Layer("tanh", weights=False), cost="upstream", sizes=(4,))

    def back(X, G):
        return G * (1 - torch.tanh(X) ** 2)

    call, _ = of(back, problem)
    np.testing.assert_allclose(call().detach(), manual.stable(problem)["dC_dX"], rtol=1e-11)
