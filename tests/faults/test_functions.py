"""Functions by hand: each right backward pass is one, and each mistake in it is another number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from verify.faults import cells, losses, norms, softmaxes, windows
from verify.faults.function import Function
from verify.faults.functions import FUNCTIONS

SMALLEST = 1e-4
"""By how much of itself some entry of a gradient is off, for any mistake: the rounded constant."""


def as_tuple(found):
    return found if isinstance(found, tuple) else (found,)


def results(function: Function, inputs) -> list[np.ndarray]:
    return [np.asarray(y) for y in as_tuple(function.forward(*(a.copy() for a in inputs.values())))]


def upstream(function: Function, inputs) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=y.shape).astype(y.dtype) for y in results(function, inputs)]


def gradients(function: Function, backward, inputs) -> dict[str, np.ndarray]:
    G = upstream(function, inputs)
    found = as_tuple(backward(tuple(G) if len(G) > 1 else G[0], *inputs.values()))
    pairs = zip(inputs, found, strict=True)
    return {name: np.asarray(g) for name, g in pairs if inputs[name].dtype.kind == "f"}


def differences(function: Function, inputs, name: str) -> np.ndarray:
    """Central differences of five points, in numbers of the longest kind there is."""
    G, x = upstream(function, inputs), inputs[name]
    step = np.finfo(x.dtype).eps ** 0.2
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for k, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            moved = x.copy()
            moved[i] += k * step
            ys = results(function, {**inputs, name: moved})
            found[i] += weight * sum(np.sum(g * y) for g, y in zip(G, ys, strict=True))
    return found / (12 * step)


def off(wrong: np.ndarray, right: np.ndarray) -> float:
    """The largest share of an entry that is wrong; all of it in another shape."""
    if wrong.shape != right.shape:
        return 1.0
    size = np.maximum(np.abs(wrong), np.abs(right))
    return float(np.max(np.abs(wrong - right) / np.where(size > 0, size, 1)))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_right_backward_pass_is_that_of_central_differences(name, seed):
    function = FUNCTIONS[name]
    inputs = function.inputs("longdouble", seed)
    for one, found in gradients(function, function.backward, inputs).items():
        numeric = differences(function, inputs, one)
        assert np.max(np.abs(found - numeric)) <= 1e-8 * np.max(np.abs(numeric)), one


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", range(5))
def test_a_mistake_is_visibly_another_number(name, dtype, seed):
    function = FUNCTIONS[name]
    inputs = function.inputs(dtype, seed)
    right = gradients(function, function.backward, inputs)
    for mistake, backward in function.mistaken().items():
        wrong = gradients(function, backward, inputs)
        assert max(off(wrong[one], right[one]) for one in right) > SMALLEST, mistake


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_results_and_gradients_are_of_the_dtype_and_the_shapes_of_the_inputs(name, dtype):
    function = FUNCTIONS[name]
    inputs = function.inputs(dtype)
    assert {y.dtype for y in results(function, inputs)} == {np.dtype(dtype)}
    found = gradients(function, function.backward, inputs)
    assert {one: (g.shape, g.dtype) for one, g in found.items()} == {
        one: (a.shape, a.dtype) for one, a in inputs.items() if one in found
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_inputs_are_those_of_the_seed_and_no_call_changes_them(name):
    function = FUNCTIONS[name]
    inputs, again = function.inputs("float64", 3), function.inputs("float64", 3)
    gradients(function, function.backward, inputs)
    assert all(np.array_equal(inputs[one], again[one]) for one in inputs)
    other = function.inputs("float64", 4)
    assert any(not np.array_equal(inputs[one], other[one]) for one in inputs)


def test_there_are_thirty_functions_with_three_mistakes_each():
    rows = (*norms.NORMS, *softmaxes.SOFTMAXES, *losses.LOSSES, *cells.CELLS, *windows.WINDOWS)
    assert len(rows) == len(FUNCTIONS) == 30
    for function in rows:
        assert len({name for name, _, _ in function.mistakes}) == len(function.mistakes) == 3


@pytest.mark.parametrize("place", ["no such text", "x"])
def test_a_mistake_whose_place_is_not_one_place_is_refused(place):
    function = replace(FUNCTIONS["softmax"], mistakes=(("lost", place, ""),))
    with pytest.raises(ValueError, match=f"softmax: lost: '{place}' is not in backward just once"):
        function.mistaken()
