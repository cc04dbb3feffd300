"""Descent: the two-sided inequality, L_k, and how far errors travel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.problems import drawn, made, random_problem, worked_example
from verify.network import descent, manual
from verify.network.bounds import bounds
from verify.network.problem import DTYPES
from verify.numbers.rounding import Off


@pytest.fixture(autouse=True)
def _numbers_beyond_the_dtype_are_numbers():
    with np.errstate(all="ignore"):
        yield


def fall_of(problem, gradient_factor=1.0):
    """The fall that a stable step reports when its gradient is off by a factor."""
    chain = manual.stable_form(problem)
    g = problem.dtype.type(gradient_factor) * chain.dC_dW
    wrong = chain | {"dC_dW": g, "W_next": problem.W - problem.h * g}
    after = problem.having(W=wrong.W_next)
    moved = bounds(problem).moved(bounds(after))
    return descent.fall(problem, wrong, bounds(after).cost(), bounds(problem).stable, moved)


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


def test_the_interval_is_taylors_and_convexitys_with_the_bounds_of_all_that_is_in_it():
    problem = drawn(1)
    chain, here = manual.stable_form(problem), bounds(problem)
    after = here.at({"W": chain.W_next})
    (C_next, bound_C_next), (change, off) = after.cost(), here.moved(after)
    fall = descent.fall(problem, chain, after.cost(), here.stable, here.moved(after))
    d = chain.W_next - problem.W
    first = (chain.dC_dW * d).sum()
    second = (problem.P * (np.abs(change) + off) ** 2).sum() / (8 * 6)
    lost = (4 * 3 + 6 + 8) * 2.0**-53
    roundings = lost * (np.abs(chain.dC_dW * d).sum() + second + chain.C + C_next)
    uncertain = here.stable.C + bound_C_next + (np.abs(d) * here.stable.dC_dW).sum()
    assert fall.slack == pytest.approx(uncertain + roundings, rel=1e-12, abs=0)
    assert fall.lowest == pytest.approx(first - fall.slack, rel=1e-12, abs=0)
    assert fall.highest == pytest.approx(first + second + fall.slack, rel=1e-12, abs=0)
    assert fall.found == C_next - chain.C


def test_a_cost_that_is_nan_never_holds():
    assert not descent.Fall(-1.0, 0.0, np.nan, 0.0, True).holds


def test_an_interval_beyond_float64_is_told_from_an_answer_that_is_no_number():
    problem = replace(worked_example(), h=np.float64(1e300))
    assert not fall_of(problem).in_range
    assert fall_of(problem, 1e-200).in_range
    wrong = fall_of(problem, np.nan)
    assert wrong.in_range
    assert not wrong.holds
    chain, here = manual.stable_form(problem), bounds(problem)
    chain.dC_dW[0, 0] = np.nan
    after = here.at(problem.parameters)
    one = descent.fall(problem, chain, Off(chain.C, 0.0), here.stable, here.moved(after))
    assert (one.in_range, one.holds) == (True, False)


def test_a_row_without_a_label_has_no_curvature_however_far_it_moves():
    problem = made([[1.0], [1.0]], [[0.0]], [[0.0], [1.0]])
    moved = np.array([[1e300], [3.0]]), np.array([[0.0], [1.0]])
    assert descent.curvature(problem, moved) == 1.0


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


@pytest.mark.parametrize(("size_X", "size_P"), [(600, -900), (-600, 900), (500, 0), (-500, 0)])
def test_L_scales_exactly_to_the_ends_of_float64(size_X, size_P):
    problem = drawn(4)
    X, P = problem.X * 2.0**size_X, problem.P * 2.0**size_P
    expected = descent.smoothness(problem) * 2.0 ** (2 * size_X + size_P)
    found = descent.smoothness(replace(problem, X=X, P=P))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_L_beyond_float64_is_infinite_and_of_no_other_column():
    problem = made([[1e200], [1.0]], [[0.0, 0.0]], [[1, 0], [0, 1]])
    assert descent.smoothness(problem).tolist() == [np.inf, pytest.approx(0.125)]


def test_lengths_are_those_of_the_columns_where_squares_leave_float64():
    columns = np.array([[3e300, 3e-300, 3, 0], [4e300, 4e-300, 4, 0]])
    expected = [5e300, 5e-300, 5, 0]
    for wanted in (slice(0, 4), slice(2, 3), slice(3, 4)):
        found = descent.length(columns[:, wanted])
        np.testing.assert_allclose(found, expected[wanted], rtol=1e-14)
    assert descent.length(np.array([[np.inf, np.nan]]))[0] == np.inf
    assert np.isnan(descent.length(np.array([[np.inf, np.nan]]))[1])


def test_a_large_problem_is_bounded_by_the_trace(monkeypatch):
    problem = drawn(5)
    exact = descent.smoothness(problem)
    monkeypatch.setattr(descent, "_EIGEN_SIZE", 1)
    assert (descent.smoothness(problem) > exact).all()
    for k, at_most in enumerate(descent.trace(descent.row_lengths(problem), problem.P)):
        hessian = problem.X.T @ np.diag(problem.P[:, k]) @ problem.X / (4 * 6)
        assert at_most == pytest.approx(np.trace(hessian), rel=1e-12)


def test_a_step_stretches_distances_only_beyond_2_over_L():
    problem = made([[1], [-1]], [[0.05]], [[1], [1]])
    for h, expected in ((1, 1), (7.9, 1), (9, 1.25), (20, 4)):
        assert descent.stretch(h, descent.smoothness(problem)) == pytest.approx(expected)


def test_drift_adds_up_the_roundings_of_the_steps():
    after_one = descent.drift(np.zeros(2), np.ones(2), np.array([[3.0, 0], [4, 1]]))
    assert after_one.tolist() == [5, 1]
    assert descent.drift(after_one, np.array([1, 2]), np.zeros((2, 2))).tolist() == [5, 2]
    assert descent.drift(np.zeros(1), np.array([np.inf]), np.ones((1, 1))).tolist() == [1]
