"""Every link of a network in a line, and its drawing."""

from __future__ import annotations

import itertools

import pytest

from tests.support import networks
from verify.network.costs import COSTS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.network import POST, Network
from verify.network.updates import Update
from verify.report.formulas import drawing, formulas


def test_of_the_posts_network_they_are_the_posts():
    told = {link: formula for link, (formula, _) in formulas(POST, "post").items()}
    assert told == {
        "y": "y = X W",
        "y_o": "y_o = sigma(y)",
        "C": "C = -(1/N) sum p log(y_o)",
        "dC_dy_o": "dC_dy_o = -(1/N) p / y_o",
        "dy_o_dy": "dy_o_dy = sigma(y) (1 - sigma(y))",
        "dC_dy": "dC_dy = dC_dy_o * dy_o_dy",
        "dC_dW": "dC_dW = X^T dC_dy",
        "W_next": "W_next = W - h dC_dW",
    }
    assert formulas(POST, "stable")["dC_dy"][0] == "dC_dy = -(1/N) p sigma(-y)"


def test_of_two_layers_every_symbol_carries_its_number():
    network = Network((Layer("tanh", bias=True), Layer("softmax")), weight_decay=0.5)
    told = formulas(network, "stable")
    assert list(told) == list(network.links)
    assert told["y1"] == ("y1 = X W1 + b1", "pre-tanh output")
    assert told["dC_dy2"][0] == "dC_dy2 = (1/N) (y_o2 sum_k p - p)"
    assert told["dC_dy_o1"][0] == "dC_dy_o1 = dC_dy2 W2^T"
    assert told["dC_dW1"][0] == "dC_dW1 = X^T dC_dy1 + lambda W1"
    assert told["dC_db1"][0] == "dC_db1 = sum over rows of dC_dy1"
    assert told["C"][0] == "C = -(1/N) sum p log(y_o2) + (lambda/2) sum W^2"


@pytest.mark.parametrize(("activation", "cost"), [*itertools.product(ACTIVATIONS, COSTS)])
def test_every_link_of_every_network_has_a_line(activation, cost):
    for reduction in ("rows", "sum", "mean"):
        for last in (Layer(activation, bias=True), Layer(activation, weights=False)):
            network = Network((Layer("identity"), last), cost, reduction)
            told = formulas(network, "stable")
            assert list(told) == list(network.links)
            assert not any(c in text for text, _ in told.values() for c in "{}")


def test_an_embedding_takes_rows_and_adds_where_they_came_from():
    network = Network((Layer("identity", embedding=True), Layer("softmax")))
    told = formulas(network, "stable")
    assert list(told) == list(network.links)
    assert told["y1"][0] == "y1 = W1[X]"
    assert told["dC_dW1"][0] == "dC_dW1 = dC_dy1 added at rows X"


def test_an_update_says_what_it_keeps():
    network = Network((Layer("softmax", bias=True),), update=Update("adam"))
    told = formulas(network, "stable")
    assert list(told) == list(network.links)
    assert told["mb_next"][0] == "mb_next = beta1 mb + (1 - beta1) dC_db"
    assert told["W_next"][0] == (
        "W_next = W - h (mW_next / (1 - beta1^t)) / (sqrt(vW_next / (1 - beta2^t)) + eps)"
    )
    momentum = Network((Layer("softmax"),), update=Update("momentum"))
    assert formulas(momentum, "stable")["W_next"][0] == "W_next = W - h vW_next"
    drawn = [*drawing(networks.of(Layer("softmax"), sizes=(4, 3), update=Update("momentum", 0.5)))]
    assert drawn[-2:] == ["  | momentum, momentum 0.5", "C"]


def test_a_network_is_drawn_from_X_down_to_C():
    problem = networks.of(Layer("relu", bias=True), Layer("softmax"), weight_decay=0.5)
    assert list(drawing(problem)) == [
        "X (6, 4)",
        "  | W1 (4, 5), b1 (5,)",
        "y1 (6, 5)",
        "  | relu",
        "y_o1 (6, 5)",
        "  | W2 (5, 3)",
        "y2 (6, 3)",
        "  | softmax",
        "y_o2 (6, 3)",
        "  | cross-entropy (1/N), P (6, 3), weight decay 0.5",
        "C",
    ]


def test_a_norm_has_lines_for_what_scales_it_and_is_drawn_with_it():
    network = Network((Layer("tanh"), Layer("batch-norm", weights=False, scaled=True)),
                      "squared-error")  # fmt: skip
    told = {link: formula for link, (formula, _) in formulas(network, "stable").items()}
    assert told["y_o2"] == "y_o2 = gamma2 batch-norm(y_o1) + beta2"
    assert told["dC_dgamma2"] == "dC_dgamma2 = sum over rows of dC_dy_o2 x"
    assert told["dC_dbeta2"] == "dC_dbeta2 = sum over rows of dC_dy_o2"
    assert told["dC_dy_o1"].endswith("over rows, g = gamma2 dC_dy_o2")
    assert told["gamma2_next"] == "gamma2_next = gamma2 - h dC_dgamma2"
    problem = networks.of(*network.layers, cost="squared-error", sizes=(4, 5))
    assert list(drawing(problem))[4:6] == ["y_o1 (6, 5)", "  | batch-norm, gamma2 (5,), beta2 (5,)"]
