"""What a candidate is asked besides: each question differs from the one before in one array."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn, made
from verify.judge import compare
from verify.judge.questions import gradient_by, others
from verify.network import manual
from verify.network.problem import DTYPES, Problem


def changed(one, other) -> set[str]:
    return {n for n in "XWP" if not np.array_equal(getattr(one, n), getattr(other, n))}


def test_inputs_weights_and_labels_change_one_after_the_other():
    problem = drawn(1)
    inputs, weights, labels = (other for _, other in others(problem))
    assert [changed(problem, inputs), changed(inputs, weights), changed(weights, labels)] == [
        {"X"}, {"W"}, {"P"}]  # fmt: skip


def test_other_labels_are_the_same_rows_or_classes_in_another_order():
    one_hot = made([[1], [2]], [[1, 2]], [[1, 0], [0, 1]])
    *_, (_, other) = others(one_hot)
    assert other.P.tolist() == [[0, 1], [1, 0]]
    *_, (_, other) = others(made([[1]], [[1, 2]], [[1, 0]]))
    assert other.P.tolist() == [[0, 1]]
    assert len(list(others(made([[1]], [[1]], [[1]])))) == 2


def test_of_large_problems_other_inputs_are_all_there_is():
    large = Problem(*(np.ones(s) for s in ((1024, 1025), (1025, 1), (1024, 1))), np.float64(1))
    assert len(list(others(large))) == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["dC_dX", "dC_dP"])
def test_gradients_by_inputs_and_labels_are_those_of_differences_and_their_bound_is_sharp(
    name, dtype
):
    problem = drawn(1, dtype=dtype)
    right, limit = gradient_by(name, compare.reference(problem, 2.0**30))
    wide = Problem(*(np.float64(a) for a in (problem.X, problem.W, problem.P, problem.h)))
    of = name[-1]
    for entry in np.ndindex(right.shape):
        costs = []
        for step in (1e-6, -1e-6):
            moved = {n: np.array(getattr(wide, n)) for n in "XWP"}
            moved[of][entry] += step
            costs.append(manual.stable_form(wide.having(**moved)).C)
        assert (costs[0] - costs[1]) / 2e-6 == pytest.approx(right[entry], rel=1e-6, abs=1e-8)
    u = 2.0**-24 if dtype == "float32" else 2.0**-53
    assert (limit > u * np.abs(right)).all()
    assert (limit < 200 * u * (np.abs(right) + 1)).all()
