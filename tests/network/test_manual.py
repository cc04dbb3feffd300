"""The hand-derived gradient: it prints the post's figures, and its three forms are one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn, made, random_problem, sixteen, worked_example
from verify.judge.compare import against_truth, reference
from verify.network import manual
from verify.network.problem import DTYPES
from verify.numbers.dtypes import SIXTEEN, nearest, widened

FORMS = {**manual.FORMS, "element": manual.element_form}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
def test_the_post_prints_7_87_and_then_7_63(form, dtype):
    problem = worked_example(dtype)
    chain = FORMS[form](problem)
    after = FORMS[form](problem.having(W=chain.W_next))
    assert (f"{chain.C:.2f}", f"{after.C:.2f}") == ("7.87", "7.63")


@pytest.mark.parametrize("form", FORMS)
def test_every_link_keeps_shape_and_dtype(form):
    problem = drawn(2, dtype="float32")
    for link, value in FORMS[form](problem).items():
        assert np.shape(value) == problem.shape(link), link
        assert value.dtype == np.float32, link


@pytest.mark.parametrize(
    "link", ["y", "y_o", "C", "dC_dy_o", "dy_o_dy", "dC_dy", "dC_dW", "W_next"]
)
def test_the_forms_agree_link_by_link(link):
    problem = drawn(4)
    post, stable, element = (getattr(f(problem), link) for f in FORMS.values())
    np.testing.assert_allclose(stable, post, rtol=1e-12)
    np.testing.assert_allclose(element, post, rtol=1e-12)


def test_the_gradient_of_the_worked_example_is_known():
    gradient = manual.post_form(worked_example()).dC_dW
    expected = [[-1.9992362230646343, 0], [-3.9984724461292687, 0], [1.9992362230646343, 0]]
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)


def test_beyond_the_lower_edge_only_the_stable_form_is_finite():
    problem = made([[1]], [[-1000]], [[1]])
    with np.errstate(all="ignore"):
        post = manual.post_form(problem)
    with np.errstate(over="raise", invalid="raise"):
        stable = manual.stable_form(problem.having(W=np.array([[-700.0]])))
    assert np.isnan(post.dC_dW).all()
    assert np.isinf(post.C)
    assert stable.C == 700
    assert stable.dC_dW == -1


def test_beyond_the_upper_edge_only_the_stable_form_sees_a_gradient():
    problem = made([[1]], [[40]], [[1]])
    assert manual.post_form(problem).dC_dW == 0
    np.testing.assert_allclose(manual.stable_form(problem).dC_dW, -4.24835425529159e-18, rtol=1e-15)


def test_inputs_are_left_as_they_were():
    problem = drawn(6)
    before = [a.copy() for a in (problem.X, problem.W, problem.P)]
    for form in FORMS.values():
        form(problem)
    for a, b in zip((problem.X, problem.W, problem.P), before, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 2, 4, 100])
def test_blocks_of_any_number_of_rows_give_the_cost_and_gradient_within_the_bound(rows, dtype):
    for seed in range(20):
        problem = random_problem(seed, dtype)
        ref = reference(problem, budget=2**40)
        chain = manual.block_form(problem, rows)
        assert list(chain) == ["C", "dC_dW"]
        assert all(value.dtype == dtype for value in chain.values())
        figures = against_truth("manual.block_form", chain, ref, ref.bounds["stable"])
        assert len(figures) == 2
        assert all(figure.holds for figure in figures)


def test_blocks_hold_far_beyond_the_domain_of_the_post_form():
    problem = made([[1], [1]], [[-1000]], [[1], [1]])
    with np.errstate(over="raise", invalid="raise"):
        chain = manual.block_form(problem.having(W=np.array([[-700.0]])), 1)
    assert (chain.C, chain.dC_dW) == (700, -1)


@pytest.mark.parametrize("dtype", SIXTEEN)
@pytest.mark.parametrize("form", manual.FORMS)
def test_of_16_bits_each_link_is_computed_in_float32_from_those_before_it_and_rounded(form, dtype):
    problem = sixteen(drawn(3, N=40), dtype)
    chain = manual.FORMS[form](problem)
    assert {str(np.asarray(link).dtype) for link in chain.values()} == {dtype}
    X, dC_dy, dC_dW, W = map(widened, (problem.X, chain.dC_dy, chain.dC_dW, problem.W))
    assert np.array_equal(chain.dC_dW, nearest(X.T @ dC_dy, dtype))
    assert np.array_equal(chain.W_next, nearest(W - widened(problem.h) * dC_dW, dtype))
    y_o = 1 / (1 + np.exp(-widened(chain.y)))
    assert np.array_equal(chain.y_o, nearest(y_o, dtype)) or form == "stable"
