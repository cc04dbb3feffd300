"""A document's layers as one list, its network, and all that it says of arrays."""

from __future__ import annotations

import pytest

from tests.support.texts import EXAMPLE, written
from verify.network.layer import Layer
from verify.network.network import POST, Network
from verify.scenario.layers import layers, network, sources
from verify.scenario.load import load

NETWORK = """
title = "a network"
inputs = { random = "normal" }
labels = { random = "classes" }
features = 4
batch_size = 7
classes = 3
step_size = 0.1
reduction = "mean"
weight_decay = 0.25

[[layers]]
activation = "relu"

[[layers]]
units = 5
weights = { random = "normal" }
bias = { random = "normal", scale = 0.5 }
activation = "tanh"

[[layers]]
weights = { random = "normal" }
activation = "softmax"
"""
ONE = EXAMPLE + 'bias = [0.5, -1]\nactivation = "softmax"\n'


def document(folder, text):
    return load(written(folder, text)).document


def test_todays_files_are_of_the_posts_network(tmp_path):
    assert network(document(tmp_path, EXAMPLE)) == POST


def test_one_layer_may_stand_at_the_top_or_in_an_array_of_one(tmp_path):
    lines = ONE.strip().split("\n")
    own = [line for line in lines if line.startswith(("weights", "bias", "activation"))]
    text = "\n".join([*(line for line in lines if line not in own), "[[layers]]", *own])
    one, other = (document(tmp_path, t) for t in (ONE, text))
    assert network(one) == network(other) == Network((Layer("softmax", bias=True),))
    assert [s.name for s in sources(one)] == [s.name for s in sources(other)]
    assert [s.key for s in sources(other)][1] == ("layers", 0, "weights")


def test_a_network_is_read_from_the_input_on(tmp_path):
    found = document(tmp_path, NETWORK)
    assert network(found) == Network(
        (Layer("relu", weights=False), Layer("tanh", bias=True), Layer("softmax")),
        reduction="mean", weight_decay=0.25,
    )  # fmt: skip
    assert [(given.takes, given.gives) for given in layers(found)] == [
        ("D", "D"), ("D", "layers[1].units"), ("layers[1].units", "K"),
    ]  # fmt: skip


def test_every_array_has_its_key_its_name_and_its_axes(tmp_path):
    assert [(s.key, s.name, s.axes) for s in sources(document(tmp_path, NETWORK))] == [
        (("inputs",), "X", ("N", "D")),
        (("layers", 1, "weights"), "W2", ("D", "layers[1].units")),
        (("layers", 1, "bias"), "b2", ("layers[1].units",)),
        (("layers", 2, "weights"), "W3", ("layers[1].units", "K")),
        (("labels",), "P", ("N", "K")),
    ]


@pytest.mark.parametrize("keys", ['activation = "gelu"\n', '[[layers]]\nactivation = "gelu"\n'])
def test_an_operation_without_weights_keeps_the_features(keys, tmp_path):
    text = 'title = "an operation"\ninputs = [[1, 2]]\nupstream = [[3, -4]]\n'
    found = document(tmp_path, text + keys)
    assert network(found) == Network((Layer("gelu", weights=False),), "upstream", "sum")
    assert [(s.name, s.axes) for s in sources(found)] == [("X", ("N", "D")), ("G", ("N", "D"))]


def test_written_rows_have_their_keys_a_bias_is_one_and_indices_are_none(tmp_path):
    X, W, b, P = sources(document(tmp_path, ONE))
    assert list(X.written) == [(("inputs", 0), [2, 4, -2])]
    assert [key for key, _ in W.written] == [("weights", i) for i in range(3)]
    assert list(b.written) == [(("bias",), [0.5, -1])]
    assert list(P.written) == []
