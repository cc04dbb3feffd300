"""A layer: its parameters in their order, and what it cannot have."""

from __future__ import annotations

import pytest

from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS, SCALED


def test_the_parameters_of_a_layer_are_W_b_gamma_and_beta():
    assert Layer().parameters == ("W",)
    assert Layer("layer-norm", bias=True, scaled=True).parameters == ("W", "b", "gamma", "beta")
    assert Layer("batch-norm", weights=False, scaled=True).parameters == ("gamma", "beta")
    assert Layer("batch-norm", bias=True, scaled=True).vectors == ("b", "gamma", "beta")
    assert Layer("relu", weights=False).parameters == ()


def test_the_links_of_a_norm_are_those_with_gamma_and_beta_where_it_has_them():
    assert Layer("layer-norm").links is ACTIVATIONS["layer-norm"]
    assert Layer("layer-norm", scaled=True).links is SCALED["layer-norm"]
    assert not Layer("tanh").normalises


def test_a_bias_needs_weights_and_gamma_needs_a_norm():
    with pytest.raises(ValueError, match="a layer without weights has none"):
        Layer("relu", bias=True, weights=False)
    with pytest.raises(ValueError, match="layer-norm or batch-norm, and nothing else"):
        Layer("tanh", scaled=True)


def test_a_layer_is_told_in_a_few_words():
    assert Layer("tanh", bias=True).told == "bias, tanh"
    assert Layer("batch-norm", weights=False, scaled=True).told == (
        "no weights, batch-norm, gamma and beta"
    )
