"""Random networks of a campaign: the same for a seed and a number, and of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks as support
from verify.experiments.networks import ENDS, UPDATES, drawn
from verify.judge import compare
from verify.judge.sides import both_sides, one_step
from verify.network.costs import COSTS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.numbers.dtypes import SIXTEEN
from verify.scenario.values import LABELS

CASES = [drawn(0, case, "float64") for case in range(300)]


def test_a_seed_and_a_number_are_the_same_problem():
    one, other = drawn(1, 7, "float32"), drawn(1, 7, "float32")
    assert one.network == other.network
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    assert drawn(2, 7, "float32").network != one.network


def test_every_activation_cost_reduction_and_depth_is_drawn():
    networks = [problem.network for problem in CASES]
    assert {layer.activation for n in networks for layer in n.layers} == set(ACTIVATIONS)
    assert {n.cost for n in networks} == set(COSTS)
    assert {n.reduction for n in networks} == {"rows", "sum", "mean"}
    assert {len(n.layers) for n in networks} == {1, 2, 3, 4}
    assert {layer.weights for n in networks for layer in n.layers} == {True, False}
    assert {layer.scaled for n in networks for layer in n.layers} == {True, False}
    assert len({layer.epsilon for n in networks for layer in n.layers}) == 3
    assert any(n.decays for n in networks)
    assert {n.update for n in networks} == {*UPDATES}
    assert {n.embeds for n in networks} == {True, False}
    assert all((n.layers[-1].activation, n.cost) in ENDS for n in networks)


def test_nothing_is_kept_before_the_first_step_and_no_mean_of_squares_is_below_0():
    for problem in CASES:
        assert problem.t > 1 or not any(map(np.any, problem.state.values()))
        squares = [
            n for n in problem.state if n[0] == "v" and problem.network.update.name == "adam"
        ]
        assert all((problem.state[n] >= 0).all() for n in squares)
    assert len({problem.t for problem in CASES}) == 4


def test_labels_are_those_that_the_cost_takes():
    for problem in CASES:
        labels = COSTS[problem.network.cost].labels
        assert not LABELS[labels].refuses(problem.P).any()
        assert labels == "any" or problem.P.any()


def test_of_a_files_network_only_the_numbers_are_drawn():
    like = support.of(Layer("tanh", bias=True), Layer("softmax"))
    found = drawn(3, 4, "float32", like)
    assert found.network == like.network
    assert {n: a.shape for n, a in found.arrays.items()} == {
        n: a.shape for n, a in like.arrays.items()
    }
    assert not np.array_equal(found.X, like.X)


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_of_16_bits_manual_and_twin_are_within_the_bounds_of_the_truth(dtype):
    worst = dict[str, float]()
    for case in range(25):
        ref = compare.reference(drawn(4, case, dtype), 2.0**22)
        forms = ["stable", *(["post"] if ref.bounds.post_holds else [])]
        sides = [s for f in forms for s in both_sides(f, "cpu", network=ref.problem.network)]
        with np.errstate(all="ignore"):
            step = one_step(sides, ref, scaled=False)
        assert step.findings == []
        for figure in step.figures:
            worst[figure.subject] = max(worst.get(figure.subject, 0), figure.ratio)
    assert all(ratio > 0.8 for name, ratio in worst.items() if " against " not in name)
