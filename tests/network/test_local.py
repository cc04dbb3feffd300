"""Bounds from the links before: every broken line is told, none that inherits, at any depth."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks
from verify.network import manual, twin
from verify.network.bounds import bounds
from verify.network.kernels import beyond
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.local import local
from verify.network.problem import DTYPES, Chain
from verify.network.step import on


def worst(problem, chain):
    """error / bound of each given link."""
    with np.errstate(all="ignore"):
        found = local(problem, chain)
        return {
            link: float(np.max(np.where(
                (np.float64(chain[link]) == at.value) | np.isinf(at.bound), 0,
                np.abs(np.float64(chain[link]) - at.value) / at.bound)))
            for link, at in found.items()
        }  # fmt: skip


def broken(problem, chain):
    return [link for link, ratio in worst(problem, chain).items() if not ratio <= 1]


def any_form(problem, seed):
    """The links by any forms that hold, each from the links before it."""
    rng = np.random.default_rng(seed)
    known, limits = dict(problem.numbers), bounds(problem).links("wider")
    with np.errstate(all="ignore"):
        for step in problem.network.every_step:
            holding = [f for f in step.forms
                       if all(name in known for name in f.of)
                       and np.isfinite(on(f, limits).error).all()]  # fmt: skip
            if holding:
                known[step.name] = on(holding[rng.integers(len(holding))], known)
    return {name: known[name] for name in problem.network.links if name in known}


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_right_line_is_broken_in_whatever_form(dtype):
    judged = 0
    for seed in range(60):
        problem = networks.problem(seed, dtype)
        chain = any_form(problem, seed)
        assert broken(problem, chain) == [], seed
        judged += len(chain)
    assert judged > 800


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_breaks_no_line_but_by_kernels_that_are_named(dtype):
    for seed in range(40):
        problem = networks.problem(seed, dtype)
        if bounds(problem).post_holds:
            chain = twin.stable_form(problem)
            assert set(broken(problem, chain)) <= set(beyond(problem.network, dtype)), seed


def test_a_program_that_works_in_more_precision_than_it_returns_is_right():
    for seed in range(30):
        problem = networks.problem(seed, "float32")
        numbers = {**problem.parameters, **problem.state, "P": problem.P, "h": problem.h}
        numbers |= {} if problem.network.embeds else {"X": problem.X}
        wide = problem.having(**{name: np.float64(a) for name, a in numbers.items()})
        with np.errstate(all="ignore"):
            chain = manual.stable(wide)
            narrow = {link: value.astype("float32") for link, value in chain.items()}
        if all(np.isfinite(value).all() for value in narrow.values()):
            assert broken(problem, narrow) == [], seed


DEEP = (*[Layer("tanh")] * 15, Layer("softmax"))


@pytest.mark.parametrize("layer", [1, 8, 15])
@pytest.mark.parametrize("dtype", DTYPES)
def test_in_sixteen_layers_exactly_the_planted_step_is_named(layer, dtype):
    problem = networks.of(*DEEP, sizes=(8,) * 17, dtype=dtype, scale=1.2)
    planted = f"dC_dy{layer}"

    def slope_at_y(known):
        return known[f"dC_dy_o{layer}"] * (1 - known[f"y{layer}"] ** 2)

    assert broken(problem, networks.walked(problem, **{planted: slope_at_y})) == [planted]


def test_it_sees_as_much_in_the_first_layer_of_sixteen_as_in_the_last():
    problem = networks.of(*DEEP, sizes=(8,) * 17, scale=1.2)
    chain = manual.stable(problem)
    found = local(problem, chain)
    sees = {n: float(np.min(found[n].bound / np.abs(chain[n]))) for n in ("dC_dW1", "dC_dW16")}
    assert max(sees.values()) < 1e-13
    assert sees["dC_dW1"] < 10 * sees["dC_dW16"]


def test_what_is_not_given_is_computed_from_what_is():
    problem = networks.of(Layer("tanh", bias=True), Layer("softmax"))
    chain = dict(manual.stable(problem))
    gradients = {link: chain[link] for link in problem.network.gradients}
    assert broken(problem, gradients) == []
    assert broken(problem, gradients | {"dC_db1": chain["dC_db1"] * 1.001}) == ["dC_db1"]
    # With the error signal beside it a gradient is judged by that, right or wrong.
    signal = {"dC_dy1": 2 * chain["dC_dy1"], "dC_db1": 2 * chain["dC_db1"]}
    assert broken(problem, signal) == ["dC_dy1"]


def test_nothing_is_asked_of_a_line_after_one_that_is_no_number():
    problem = networks.of(Layer("tanh"), Layer("softmax"))
    chain = Chain(**manual.stable(problem)) | {"y2": np.full((6, 3), np.nan)}
    assert broken(problem, chain) == ["y2"]
    inherited = {"y_o2": np.full((6, 3), np.nan), "C": np.float64(np.nan)}
    assert broken(problem, chain | inherited) == ["y2"]
    assert broken(problem, Chain(**manual.stable(problem)) | inherited) == ["y_o2"]


def test_at_a_kink_that_is_hit_exactly_one_slope_is_right():
    problem = networks.of(Layer("relu"), Layer("identity"), cost="squared-error", sizes=(2, 2, 1))
    problem = problem.having(X=np.array([[0.0, 0.0]] * 6))
    chain = dict(manual.stable(problem))
    assert broken(problem, chain) == []
    slope = np.ones((6, 2))
    chain |= {"dy_o1_dy1": slope, "dC_dy1": chain["dC_dy_o1"]}
    assert broken(problem, chain) == ["dy_o1_dy1"]


def test_a_slope_at_a_kink_is_the_one_that_y_decides():
    problem = networks.of(Layer("relu", weights=False), cost="upstream", sizes=(2,), N=1)
    problem = problem.having(X=np.array([[0.0, 1e-300]]), P=np.array([[3.0, 5.0]]))
    assert broken(problem, {"dC_dX": np.array([[0.0, 5.0]])}) == []
    assert broken(problem, {"dC_dX": np.array([[3.0, 5.0]])}) == ["dC_dX"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_alone_is_told_from_a_wrong_one(name):
    problem = networks.of(Layer(name, weights=False), cost="upstream", sizes=(3,), N=4)
    chain = dict(manual.stable(problem))
    assert broken(problem, chain) == []
    assert broken(problem, chain | {"dC_dX": chain["dC_dX"] * (1 + 1e-9)}) == ["dC_dX"]
