from __future__ import annotations

import numpy as np
from problems import drawn

from verify import manual
from verify.formulas import RIGHT, differences, with_formulas


def test_the_chain_that_the_faults_vary_is_the_stable_form():
    problem = drawn(1)
    found = with_formulas()()(problem.X, problem.W, problem.P, problem.h)
    for link, value in manual.stable_form(problem):
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
    away = np.abs(differences(v) - manual.stable_form(p).dC_dW).max()
    assert 1e-9 < away < 1e-5
