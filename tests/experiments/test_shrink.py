"""shrink: to the smallest problem that still shows what is to be shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support import networks
from tests.support.problems import drawn
from verify.experiments.shrink import shrunk
from verify.network.layer import Layer


def test_what_always_shows_becomes_one_row_one_feature_one_class_and_zeros():
    found = shrunk(drawn(1, N=9, D=7, K=5), lambda problem: True)
    assert found.sizes == {"N": 1, "D": 1, "K": 1}
    assert not found.X.any()
    assert not found.W.any()
    assert found.h == 1


def test_what_never_shows_stays_as_it_is():
    problem = drawn(1)
    assert shrunk(problem, lambda simpler: False) is problem


def test_only_what_shows_it_is_kept():
    problem = drawn(2, N=12, D=6, K=4)
    marked = replace(problem, X=problem.X.copy())
    marked.X[7, 4] = 77.3

    found = shrunk(marked, lambda p: bool((p.X == 77.3).any()) and p.sizes["K"] > 1)
    assert found.sizes == {"N": 1, "D": 1, "K": 2}
    assert found.X.tolist() == [[77.3]]


def test_numbers_become_as_short_as_they_may():
    found = shrunk(drawn(3), lambda p: bool((np.abs(p.W) > 0.6).any()))
    assert found.W.tolist() in ([[1.0]], [[-1.0]])


def test_all_numbers_are_shortened_at_once_where_there_are_too_many_for_one_by_one():
    def shows(problem):
        return problem.X.shape == (12, 10) and problem.X.all()

    before = drawn(6, N=12, D=10, K=2)
    found = shrunk(before, shows, attempts=60)
    assert (np.abs(np.frexp(found.X)[0]) == 0.5).all()  # powers of two
    assert not (np.abs(np.frexp(before.X)[0]) == 0.5).any()


def test_the_problem_that_was_given_is_not_changed():
    problem = drawn(4)
    X = problem.X.copy()
    shrunk(problem, lambda simpler: True)
    assert np.array_equal(problem.X, X)


def test_it_stops_after_its_attempts():
    asked = []
    shrunk(drawn(5, N=30, D=9), lambda p: bool(asked.append(p)), attempts=17)
    assert len(asked) <= 17


DEEP = networks.of(
    Layer("tanh", bias=True), Layer("relu"), Layer("softmax", bias=True), sizes=(4, 5, 6, 3)
)


def test_layers_units_and_rows_go_and_what_shows_stays():
    found = shrunk(DEEP, lambda problem: True)
    assert [layer.activation for layer in found.network.layers] == ["softmax"]
    assert found.sizes == {"N": 1, "D": 1, "K": 1}
    assert set(found.parameters) == {"W", "b"}


def test_a_layer_that_is_needed_stays_with_its_neighbours_cut_to_its_size():
    def shows(problem):
        return "relu" in {layer.activation for layer in problem.network.layers}

    found = shrunk(DEEP, shows)
    assert [layer.activation for layer in found.network.layers] == ["relu", "softmax"]
    assert {name: a.shape for name, a in found.parameters.items()} == {
        "W1": (1, 1), "W2": (1, 1), "b2": (1,),
    }  # fmt: skip


def test_one_unit_of_a_hidden_layer_is_kept_with_its_bias_and_both_its_weights():
    marked = DEEP.having(b1=np.array([0.0, 0, 77.3, 0, 0]))
    found = shrunk(marked, lambda p: len(p.network.layers) == 3 and 77.3 in p.parameters["b1"])
    assert found.b1.tolist() == [77.3]
    assert found.W1.shape == (1, 1)
    assert found.W2.shape == (1, 1)


def test_a_norm_is_cut_to_the_units_that_are_left():
    norm = Layer("layer-norm", weights=False, scaled=True)
    deep = networks.of(Layer("tanh"), norm, Layer("softmax"), sizes=(4, 5, 3))

    def shows(problem):
        return norm in problem.network.layers

    found = shrunk(deep, shows)
    assert found.network.layers == (norm, Layer("softmax"))
    assert {name: a.shape for name, a in found.parameters.items()} == {
        "gamma1": (1,), "beta1": (1,), "W2": (1, 1),
    }  # fmt: skip


@pytest.mark.parametrize("update", ["gradient-descent", "momentum", "adam"])
def test_row_numbers_and_what_is_kept_go_with_what_they_are_of(update):
    found = (networks.problem(seed, "float64", 5, 2) for seed in range(400))
    like = next(p for p in found if p.network.embeds and p.network.update.name == update)
    simplest = shrunk(like, lambda _problem: True)
    assert len(simplest.X) == 1
    assert simplest.state.keys() == like.state.keys()
    assert not any(map(np.any, simplest.parameters.values()))
