"""A network: its links by name, exact and bounded; no right program of it is beyond its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks
from verify.errors import UsageError
from verify.network import manual
from verify.network.layer import Layer
from verify.network.network import POST, Network
from verify.network.problem import DTYPES, LINKS, Problem
from verify.numbers.balls import Balls, enclosed
from verify.numbers.constant import precision

SEEDS = range(60)


def test_the_posts_network_has_the_posts_links():
    assert POST.links == LINKS
    assert POST.parameters == ("W",)
    assert [step.name for step in POST.every_step][-2:] == ["dC_dX", "W_next"]


def test_of_several_layers_every_symbol_carries_its_number():
    network = Network((Layer("tanh", bias=True), Layer("softmax")))
    assert network.parameters == ("W1", "b1", "W2")
    assert network.links == (
        "y1", "y_o1", "y2", "y_o2", "C", "dC_dy_o2", "dC_dy2", "dC_dW2", "dC_dy_o1", "dy_o1_dy1",
        "dC_dy1", "dC_dW1", "dC_db1", "W1_next", "b1_next", "W2_next",
    )  # fmt: skip


def test_a_layer_without_weights_has_y_o_and_no_y():
    network = Network((Layer("relu"), Layer("softmax", weights=False)))
    assert network.links == (
        "y1", "y_o1", "y_o2", "C", "dC_dy_o2", "dC_dy_o1", "dy_o1_dy1", "dC_dy1", "dC_dW1",
        "W1_next",
    )  # fmt: skip


def test_of_one_operation_alone_the_derivative_by_X_is_the_link():
    network = Network((Layer("gelu", weights=False),), "upstream")
    assert network.links == ("y_o", "C", "dC_dy_o", "dC_dX")


def test_an_embedding_takes_rows_of_its_weights_and_has_no_derivative_by_their_numbers():
    network = Network((Layer("identity", embedding=True), Layer("softmax")))
    assert "dC_dX" not in network.every_link
    W, X = np.arange(6.0).reshape(3, 2), np.array([[2, 0], [2, 2]])
    problem = Problem(X, {"W1": W, "W2": np.ones((4, 2))}, np.eye(2), np.float64(0.5), network)
    right = manual.stable(problem)
    assert right["y1"].tolist() == [[4, 5, 0, 1], [4, 5, 4, 5]]
    parts = right["dC_dy1"].reshape(4, 2)
    assert np.array_equal(right["dC_dW1"], [parts[1], [0, 0], parts[0] + parts[2] + parts[3]])
    assert problem.shape("dC_dW1") == (3, 2)
    assert problem.dtype == np.float64


def test_row_numbers_are_whole_numbers_of_rows_that_there_are():
    network = Network((Layer("softmax", embedding=True),))
    for X in (np.array([[3]]), np.array([[-1]]), np.array([[1.0]])):
        with pytest.raises(UsageError, match="row numbers of W: 0 to 2"):
            Problem(X, np.ones((3, 2)), np.ones((1, 2)), np.float64(1), network)


@pytest.mark.parametrize("layers", [
    (Layer("relu"), Layer("softmax", embedding=True)),
    (Layer("relu", weights=False, embedding=True),),
])  # fmt: skip
def test_only_a_first_layer_with_weights_is_an_embedding(layers):
    with pytest.raises(ValueError, match="an embedding is a first layer"):
        Network(layers)


def test_a_bias_needs_weights():
    with pytest.raises(ValueError, match="a bias"):
        Network((Layer("relu", bias=True, weights=False),))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_right_program_of_a_random_network_is_beyond_its_bounds(dtype):
    found, judged = networks.worst(SEEDS, dtype)
    assert {key: ratio for key, ratio in found.items() if not ratio <= 1} == {}
    assert judged > 2000
    # Sharp besides: an update, a sum and a kernel are attained somewhere.
    links = {"W": 0.9, "y": 0.5, "dC_dW": 0.2, "dC_dy": 0.3}
    for link, floor in links.items():
        ratios = [r for (_, name, _), r in found.items() if name.rstrip("1234_next") == link]
        assert max(ratios) > floor, link


def test_the_truth_agrees_with_differences_of_the_cost_alone():
    """(C(x + e d) - C(x - e d)) / 2e in 1200 bits uses no rule of differentiation."""
    compared = 0
    for seed in range(40):
        network, numbers = networks.drawn(seed, "float64", widest=5)
        rng = np.random.default_rng(seed)
        by = (*network.parameters, *["X"] * (not network.embeds))
        with precision(1200):
            exact = {name: Balls.of(a) for name, a in numbers.items()}
            e = Balls.of(2.0**-300)
            d = {name: Balls.of(rng.integers(-8, 9, exact[name].shape) / 8) for name in by}
            ends = []
            for t in (e, -e):
                known = exact | {name: exact[name] + t * d[name] for name in by}
                for step in network.every_step:
                    known[step.name] = step.exactly(known)
                    if step.name == "C":
                        break
                ends.append(known["C"])
            for step in network.every_step:
                exact[step.name] = step.exactly(exact)
            slope = sum(((exact[f"dC_d{n}"] * d[n]).sum() for n in by), Balls.of(0.0))
            along = (ends[0] - ends[1]) / (2 * e)
            hi, _, rad = enclosed(slope - along)
            size, _, _ = enclosed(slope)
        if np.isfinite(rad) and rad < 1e-60 and not _at_a_kink(network, exact):
            compared += 1
            assert abs(hi) <= 1e-60 * max(1.0, abs(size)), (seed, network)
    assert compared > 30


def test_every_link_is_what_its_definition_and_its_forms_say():
    """The table's formulas and the truth's own derivative enclose the same numbers."""
    for seed in range(60):
        network, numbers = networks.drawn(seed, "float64", widest=4)
        with precision(424):
            known = {name: Balls.of(a) for name, a in numbers.items()}
            for step in network.every_step:
                known[step.name] = step.exactly(known)
                for form in step.forms:
                    if np.ndim(known[step.name]) == 0 and form.kind == "local":
                        continue
                    found = networks.on(form, known).entries
                    pairs = zip(np.ravel(found), np.ravel(known[step.name].entries), strict=True)
                    open_ = [(a, b) for a, b in pairs if not a.overlaps(b)]
                    assert not open_ or _labels_off(network, numbers), (seed, step.name, form)


def _at_a_kink(network, exact):
    """There, neither side's slope is the difference's."""
    return any(
        layer.activation.endswith("relu") and np.any(exact[names["y"]].entries == 0)
        for layer, names in zip(network.layers, network.names, strict=True)
    )


def _labels_off(network, numbers):
    """q - P is the derivative where the labels of each row sum to 1 alone."""
    return network.pair is not None and not np.all(numbers["P"].sum(axis=1) == 1)
