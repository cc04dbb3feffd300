"""Every kind of number has the same closed table of operations, and refuses all others by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from verify.numbers import balls, bounded, derivative
from verify.numbers.balls import Balls
from verify.numbers.bounded import Bounded
from verify.numbers.derivative import Recorded
from verify.numbers.number import (
    OPERATIONS,
    Number,
    erf,
    erfc,
    gather,
    integers,
    name,
    power,
    scatter,
)
from verify.numbers.rounding import MODELS

KINDS = {
    "Bounded": lambda a: Bounded(MODELS["float64"], a),
    "Balls": Balls.of,
    "Recorded": lambda a: Recorded(Balls.of(a)),
}


def test_each_kind_has_a_rule_for_every_operation():
    assert (
        set(bounded.RULES) == {*balls.FUNCTIONS, np.matmul, np.matrix_transpose} == set(OPERATIONS)
    )
    assert set(OPERATIONS) == {*derivative.BACK, *derivative.STEPS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("formula", "called"),
    [
        (np.sin, "sin"),
        (lambda a: np.add.reduce(a), r"add\.reduce"),
        (lambda a: np.exp(a, where=np.array([True])), "exp with where="),
        (lambda a: np.clip(a, 0, 1), r"numpy\.clip"),
        (lambda a: a**3, "power"),
        (lambda a: a and a, "the truth of an array"),
    ],
)
def test_what_is_not_in_the_table_is_refused_by_name(kind, formula, called):
    with pytest.raises(TypeError, match=f"{kind} has no rule for {called}"):
        formula(KINDS[kind]([0.5]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_is_not_changed_in_place(kind):
    a = KINDS[kind]([0.5])
    with pytest.raises(TypeError, match="add with out="):
        a += 1


@pytest.mark.parametrize("kind", ["Bounded", "Balls"])
def test_rows_by_number_are_those_of_numpy_and_added_where_they_came_from(kind):
    W, index = np.arange(6.0).reshape(3, 2) / 4, np.array([[2, 0], [2, 2]])
    assert gather(W, index).tolist() == [[1, 1.25, 0, 0.25], [1, 1.25, 1, 1.25]]
    assert scatter(gather(W, index), index, 3).tolist() == [[0, 0.25], [0, 0], [3, 3.75]]
    a, i = KINDS[kind](W), KINDS[kind](index)
    assert np.array_equal(integers(i), index)
    of = {"Bounded": lambda found: found.value, "Balls": lambda found: found.entries.astype(float)}
    rows, sums = gather(a, i), scatter(gather(a, i), i, 3)
    assert np.array_equal(of[kind](rows), gather(W, index))
    assert np.array_equal(of[kind](sums), scatter(gather(W, index), index, 3))


def test_a_power_is_the_product_of_so_many():
    assert [power(3, count) for count in (1, 2, 3, 6, 11)] == [3, 9, 27, 729, 177147]


def _formula(x, W, b):
    y = np.exp(-np.abs(x @ W + b)) ** 2
    z = np.where(y >= 0.5, np.log1p(y), np.maximum(y, 0.25)) - y.max(axis=1, keepdims=True)
    return (np.sqrt(y) * np.tanh(z) / (2 + erf(y) - erfc(z))).sum(axis=0) + y.mT.sum()


@pytest.mark.parametrize("kind", KINDS)
def test_one_formula_runs_on_floats_and_on_every_kind(kind):
    rng = np.random.default_rng(0)
    x, W, b = (rng.normal(size=shape) for shape in ((4, 3), (3, 2), (2,)))
    found = _formula(*(KINDS[kind](a) for a in (x, W, b)))
    assert np.shape(found) == (2,)
    while isinstance(found, Recorded):
        found = found.number
    numbers = found.value if isinstance(found, Bounded) else found.entries.astype(float)
    np.testing.assert_allclose(numbers, _formula(x, W, b), rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_has_the_shape_of_its_array(kind):
    a = KINDS[kind](np.ones((4, 3)))
    assert a.shape == np.shape(a) == (4, 3)
    assert a.ndim == np.ndim(a) == 2
    assert len(a) == 4


def test_erf_keeps_the_dtype():
    a = np.array([0.5], np.float32)
    assert erf(a).dtype == erfc(a).dtype == np.float32
    assert erf(a)[0] == np.float32(math.erf(0.5))
    assert name(np.exp) == "exp"
    assert issubclass(Balls, Number)
