"""Descent: the two-sided inequality, L_k, and how far errors travel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import drawn, made, random_problem, worked_example

from verify import descent, manual
from verify.bounds import bounds
from verify.chain import DTYPES


def stable_form(problem):
    with np.errstate(all="ignore"):  # dC_dy_o overflows where y_o is 0
        return manual.stable_form(problem)


def fall_of(problem, gradient_factor=1.0):
    """The fall that a stable step reports when its gradient is off by a factor."""
    chain = stable_form(problem)
    g = problem.dtype.type(gradient_factor) * chain.dC_dW
    wrong = replace(chain, dC_dW=g, W_next=problem.W - problem.h * g)
    after = replace(problem, W=wrong.W_next)
    C_next, bound_C_next = bounds(after).cost()
    moved = bounds(problem).moved(bounds(after))
    return descent.fall(problem, wrong, C_next, bounds(problem).stable, bound_C_next, moved)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_fall_of_the_worked_example_lies_in_its_interval(dtype):
    fall = fall_of(worked_example(dtype))
    assert fall.holds
    assert fall.lowest == pytest.approx(-0.239817, abs=1e-4)
    assert fall.highest == pytest.approx(-0.232622, abs=1e-4)
    assert fall.found == pytest.approx(-0.239805, abs=1e-4)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2, -1])
def test_a_gradient_that_is_off_by_a_factor_breaks_the_interval(factor):
    problem = replace(drawn(1), h=np.float64(1e-3))
    assert fall_of(problem).holds
    assert not fall_of(problem, factor).holds


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=st.integers(0, 10**6))
def test_no_correct_step_breaks_the_interval(dtype, seed):
    problem = random_problem(seed, dtype)
    found = bounds(problem)
    if found.fits:
        assert fall_of(problem).holds


def test_a_cost_that_is_nan_never_holds():
    assert not descent.Fall(-1.0, 0.0, np.nan, 0.0).holds


def test_L_of_the_worked_example_is_six_where_there_is_a_label():
    np.testing.assert_allclose(descent.smoothness(worked_example()), [6, 0], atol=1e-12)


@pytest.mark.parametrize("sizes", [(3, 7), (7, 3)])
def test_L_bounds_the_curvature_in_every_direction(sizes):
    N, D = sizes
    problem = drawn(4, N=N, D=D, K=2)
    L = descent.smoothness(problem)
    for k in range(2):
        hessian = problem.X.T @ np.diag(problem.P[:, k]) @ problem.X / (4 * N)
        largest = np.linalg.eigvalsh(hessian)[-1]
        assert largest <= L[k] <= largest * (1 + 1e-10)


def test_a_large_problem_is_bounded_by_the_trace(monkeypatch):
    problem = drawn(5)
    exact = descent.smoothness(problem)
    monkeypatch.setattr(descent, "_EIGEN_SIZE", 1)
    assert (descent.smoothness(problem) > exact).all()


def test_a_step_stretches_distances_only_beyond_2_over_L():
    problem = made([[1], [-1]], [[0.05]], [[1], [1]])
    for h, expected in ((1, 1), (7.9, 1), (9, 1.25), (20, 4)):
        assert descent.stretch(replace(problem, h=np.float64(h))) == pytest.approx(expected)


def test_drift_adds_up_the_roundings_of_the_steps():
    after_one = descent.drift(np.zeros(2), np.ones(2), np.array([[3.0, 0], [4, 1]]))
    assert after_one.tolist() == [5, 1]
    assert descent.drift(after_one, np.array([1, 2]), np.zeros((2, 2))).tolist() == [5, 2]
