"""Comparing: shapes and dtypes first, then every entry; NaN never passes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.support.problems import drawn, worked_example
from verify.judge import compare
from verify.judge.compare import (
    Subject,
    against_each_other,
    against_truth,
    broken,
    misshapen,
    reference,
)
from verify.judge.result import Verdict
from verify.network import manual
from verify.network.truth import sampled


@pytest.fixture
def ref():
    return reference(drawn(1), budget=2**40)


def figures(ref, chain):
    return against_truth("it", chain, ref, ref.bounds.stable)


def test_a_right_chain_is_within_every_bound(ref):
    found = figures(ref, manual.stable_form(ref.problem))
    assert len(found) == 8
    assert list(broken("bound", found)) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_the_worst_and_breaks(value, ref):
    chain = manual.stable_form(ref.problem)
    chain.dC_dW[2, 1] = value
    (finding,) = broken("bound", figures(ref, chain))
    assert finding.verdict is Verdict.FAIL
    assert (finding.link, finding.figure.entry) == ("dC_dW", (2, 1))
    assert "is not finite" in finding.message


def test_the_worst_entry_is_found_among_many(ref):
    chain = manual.stable_form(ref.problem)
    chain.y[4, 2] += 1e-9
    chain.y[1, 1] += 1e-12
    (finding,) = broken("bound", figures(ref, chain))
    assert finding.figure.entry == (4, 2)
    assert finding.figure.error == pytest.approx(1e-9, rel=1e-3)


def test_an_error_of_exactly_the_bound_passes_and_a_little_more_does_not(ref):
    chain = manual.stable_form(ref.problem)
    ball, bound = ref.truth.chain.C, float(ref.bounds.stable.C)
    inside = chain | {"C": np.float64(float(ball.hi) + bound * 0.98)}
    beyond = chain | {"C": np.float64(float(ball.hi) + bound * 1.02)}
    assert list(broken("bound", figures(ref, inside))) == []
    assert [f.link for f in broken("bound", figures(ref, beyond))] == ["C"]


def test_an_infinite_bound_judges_nothing(ref):
    chain = manual.stable_form(ref.problem)
    chain.dC_dy_o[0, 0] = np.nan
    bound = ref.bounds.stable | {"dC_dy_o": np.full_like(chain.dC_dy_o, np.inf)}
    assert all(f.holds for f in against_truth("it", chain, ref, bound))


def test_an_infinite_bound_of_one_entry_hides_no_other(ref):
    chain = manual.stable_form(ref.problem)
    bound = ref.bounds.stable | {"dC_dy_o": ref.bounds.stable.dC_dy_o.copy()}
    bound.dC_dy_o[0, 0], chain.dC_dy_o[0, 0] = np.inf, np.nan
    assert all(f.holds for f in against_truth("it", chain, ref, bound))
    chain.dC_dy_o[1, 2] -= 1
    (finding,) = broken("bound", against_truth("it", chain, ref, bound))
    assert finding.figure.entry == (1, 2)


@pytest.mark.parametrize(
    ("change", "check", "sentence"),
    [
        (lambda g: g.T, "shape", r"dC_dW has shape (3, 4); expected (4, 3). Is it transposed?"),
        (
            lambda g: g[None],
            "shape",
            "dC_dW has shape (1, 4, 3); expected (4, 3). Is it a sum with keepdims?",
        ),
        (lambda g: g.ravel(), "shape", "dC_dW has shape (12,); expected (4, 3)."),
        (lambda g: g.astype(np.float32), "dtype", "dC_dW has dtype float32; expected float64"),
        (lambda g: g.tolist(), "dtype", "dC_dW has dtype list; expected float64"),
    ],
)
def test_a_wrong_shape_or_dtype_is_named(change, check, sentence, ref):
    chain = manual.stable_form(ref.problem)
    chain = chain | {"dC_dW": change(chain.dC_dW)}
    (finding,) = misshapen("it", chain, ref.problem)
    assert (finding.check, finding.message, finding.link) == (check, sentence, "dC_dW")


def test_two_sides_may_differ_by_both_bounds_and_no_more(ref):
    chain = manual.stable_form(ref.problem)
    bound = ref.bounds.stable
    near = chain | {"C": chain.C + 1.99 * bound.C}
    far = chain | {"C": chain.C + 2.01 * bound.C}
    for other, expected in ((near, []), (far, ["C"])):
        found = against_each_other({"a": chain, "b": other}, ref, bound)
        assert [f.link for f in broken("agreement", found)] == expected


def test_a_figure_of_two_sides_has_both_bounds_in_it(ref):
    pair = manual.stable_form(ref.problem), manual.post_form(ref.problem)
    for figure in against_each_other(
        dict(zip(("one", "two"), pair, strict=True)), ref, ref.bounds.post
    ):
        bound = np.asarray(getattr(ref.bounds.post, figure.link))[figure.entry]
        assert figure.bound == 2 * bound
        assert figure.ratio == pytest.approx(figure.error / figure.bound, rel=1e-12)


def test_two_sides_that_are_both_nan_do_not_agree(ref):
    chain = manual.stable_form(ref.problem) | {"C": np.float64(np.nan)}
    found = against_each_other({"a": chain, "b": chain}, ref, ref.bounds.stable)
    assert [f.link for f in broken("agreement", found)] == ["C"]


def test_above_its_budget_the_truth_is_that_of_a_batch_of_some_rows():
    problem = drawn(3, N=10, D=4, K=9)
    ref = reference(problem, budget=8000)
    assert ref.truth is None
    assert ref.rows == sampled(problem, 8000) == (0, 4, 9)
    assert np.array_equal(ref.sample.problem.X, problem.X[[0, 4, 9]])
    assert np.array_equal(ref.sample.problem.P, problem.P[[0, 4, 9]])
    assert ref.sample.problem.W is problem.W
    found = figures(ref.sample, manual.stable_form(ref.sample.problem))
    assert len(found) == 8
    assert list(broken("bound", found)) == []
    assert reference(problem, budget=0).sample is None


def test_ulps_count_in_the_links_dtype():
    ref = reference(worked_example("float32"), budget=2**40)
    chain = manual.stable_form(ref.problem)
    chain.y_o[0, 1] = np.nextafter(chain.y_o[0, 1], np.float32(2)) + np.float32(2**-18)
    (figure,) = (f for f in figures(ref, chain) if f.link == "y_o")
    assert figure.ulps == pytest.approx(2**-18 / np.spacing(chain.y_o[0, 1]), rel=0.2)


def test_the_resolution_is_the_smallest_bound_over_gradient(ref):
    g = manual.stable_form(ref.problem).dC_dW
    bound = ref.bounds.stable
    found = compare.resolution(bound, {"dC_dW": g})
    assert found == (bound.dC_dW / np.abs(g)).min()
    assert compare.resolution(bound, {"dC_dW": np.zeros_like(g)}) == np.inf


def test_of_several_gradients_the_resolution_is_that_in_which_least_is_noticed():
    bound = {"dC_dW1": np.array([1.0, 8.0]), "dC_db1": np.array([2.0])}
    g = {"dC_dW1": np.array([4.0, 16.0]), "dC_db1": np.array([4.0])}
    assert compare.resolution(bound, g) == 0.5
    assert compare.resolution(bound, g | {"dC_db1": np.zeros(1)}) == 0.25
    assert np.isnan(compare.resolution(bound, {}))


def test_an_error_of_0_is_none_where_nothing_may_be_off(ref):
    found = compare.held("it", "C", np.float64(0), 0.0, 0.0, ref.problem)
    assert found.ratio == 0
    assert compare.held("it", "C", np.float64(1e-300), 0.0, 0.0, ref.problem).ratio == np.inf


def test_what_a_subject_raises_is_a_finding_with_its_line(ref):
    def failing(problem):
        raise RuntimeError(f"out of {problem.X.shape}")

    chain, finding = compare.evaluate(Subject("it", failing, "post"), ref.problem)
    assert list(chain) == []
    assert (finding.check, finding.link) == ("exception", None)
    assert re.fullmatch(r"RuntimeError in test_compare\.py:\d+: out of \(6, 4\)", finding.message)
