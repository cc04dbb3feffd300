from __future__ import annotations

import numpy as np

from tests.support.problems import drawn, made
from verify.faults.arithmetic import (
    RIGHT,
    central_differences,
    one_ulp,
    overflowing,
    rank_means,
    tf32,
    with_formulas,
    without_smallest,
)
from verify.network import manual


def test_the_chain_that_the_faults_vary_is_the_stable_form():
    problem = drawn(1)
    found = with_formulas()()(problem.X, problem.W, problem.P, problem.h)
    for link, value in manual.stable_form(problem).items():
        np.testing.assert_allclose(found[link], value, rtol=1e-13)


def test_a_replaced_formula_reaches_every_later_link_and_no_earlier_one():
    problem = drawn(1)
    given = (problem.X, problem.W, problem.P, problem.h)
    right = with_formulas()()(*given)
    wrong = with_formulas(dC_dy=lambda v: 2 * RIGHT["dC_dy"](v))()(*given)
    differ = {link for link in right if not np.array_equal(right[link], wrong[link])}
    assert differ == {"dC_dy", "dC_dW", "W_next"}


def test_differences_come_near_the_gradient_and_no_nearer():
    from types import SimpleNamespace

    p = drawn(1)
    v = SimpleNamespace(X=p.X, W=p.W, P=p.P, N=len(p.X), D=p.X.shape[1])
    away = np.abs(central_differences(v) - manual.stable_form(p).dC_dW).max()
    assert 1e-9 < away < 1e-5


def test_only_the_smallest_entry_becomes_zero():
    g = np.array([[3.0, -1e-3], [0.0, 2.0]])
    assert without_smallest(g.copy()).tolist() == [[3.0, 0.0], [0.0, 2.0]]


def test_only_the_largest_entry_moves_by_one_ulp():
    g = np.array([[3.0, -4.0], [0.5, 2.0]])
    assert one_ulp(g.copy()).tolist() == [[3.0, np.nextafter(-4.0, np.inf)], [0.5, 2.0]]


def test_tf32_keeps_eleven_bits_to_nearest():
    a = np.array([1 + 2.0**-10, 1 + 2.0**-11, 1 + 3 * 2.0**-12, -3.0], np.float32)
    assert tf32(a).tolist() == [1 + 2.0**-10, 1.0, 1 + 2.0**-10, -3.0]
    assert tf32(a).dtype == np.float32


def test_the_mean_of_two_ranks_means_is_right_only_where_the_rows_divide():
    for N, right in ((6, True), (7, False), (1, False)):
        p = drawn(1, N=N)
        wrong = with_formulas(dC_dW=rank_means)()(p.X, p.W, p.P, p.h)["dC_dW"]
        assert np.allclose(wrong, manual.stable_form(p).dC_dW, rtol=1e-12) == right


def test_what_overflows_is_replaced_by_nothing_and_the_rest_is_right():
    p = made([[1.0, 0], [0, 1]], [[-800.0, 1], [2, -3]], [[1, 0.5], [0.5, 1]])
    with np.errstate(all="ignore"):
        found = with_formulas(dC_dW=overflowing)()(p.X, p.W, p.P, p.h)["dC_dW"]
        right = manual.stable_form(p).dC_dW
    assert found[:, 0].tolist() == [0, 0]  # 0 times NaN is NaN: the whole column is lost
    assert right[:, 0].all()
    assert np.allclose(found[:, 1], right[:, 1], rtol=1e-12)


def test_an_input_that_is_read_wrongly_reaches_every_link():
    p = drawn(1)
    found = with_formulas(X=lambda v: 2 * v.X)()(p.X, p.W, p.P, p.h)
    twice = with_formulas()()(2 * p.X, p.W, p.P, p.h)
    assert all(np.array_equal(found[link], twice[link]) for link in twice)
