"""What an error looks like, in words."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn, made
from verify.faults.table import FAULTS
from verify.judge import compare, patterns
from verify.network.problem import Chain


def words(name: str, **sizes) -> str:
    problem = drawn(1, **sizes)
    ref = compare.reference(problem, budget=2.0**30)
    with np.errstate(all="ignore"):
        links = FAULTS[name].make()(problem.X, problem.W, problem.P, problem.h)
    return "; ".join(patterns.patterns(Chain(**links), ref))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("gradient-transposed", "dC_dW is transposed"),
        ("first-class-only", "dC_dW is right only in column 0"),
        ("last-row-dropped", "dC_dW is that of the batch without row 5"),
        ("first-row-only", "dC_dW is that of row 0 alone"),
        ("update-of-first-class", "W_next is right only in column 0"),
    ],
)
def test_a_pattern_is_recognised(fault, sentence):
    assert sentence in words(fault)


def test_a_square_gradient_that_is_transposed_is_recognised():
    problem = drawn(1, N=6, D=3, K=3)
    ref = compare.reference(problem, budget=2.0**30)
    g = np.asarray(ref.truth.chain.dC_dW.hi)
    assert list(patterns.patterns(Chain(dC_dW=g.T), ref)) == ["dC_dW is transposed"]


def test_one_wrong_column_or_row_is_counted():
    problem = drawn(1, K=5)
    ref = compare.reference(problem, budget=2.0**30)
    g = np.array(ref.truth.chain.dC_dW.hi)
    g[:, 3] *= 1.5
    assert "dC_dW is wrong only in column 3" in list(patterns.patterns(Chain(dC_dW=g), ref))


def test_a_column_need_not_be_wrong_from_end_to_end():
    problem = drawn(1, D=4, K=4)
    ref = compare.reference(problem, budget=2.0**30)
    g = np.array(ref.truth.chain.dC_dW.hi)
    g[[0, 2], 1] *= 1.5
    g[0, 3] *= 0.5
    told = list(patterns.patterns(Chain(dC_dW=g), ref))
    assert told == ["dC_dW is wrong only in column 1, 3", "dC_dW is wrong only in row 0, 2"]


@pytest.mark.parametrize(
    ("wrong", "listed"), [(6, "0, 1, 2, 3, 4, 5"), (7, "0, 1, 2, 3, 4, 5, ...")]
)
def test_six_places_are_listed(wrong, listed):
    problem = drawn(1, D=15, K=2)
    ref = compare.reference(problem, budget=2.0**30)
    g = np.array(ref.truth.chain.dC_dW.hi)
    g[:wrong] *= np.arange(2, wrong + 2)[:, None]
    assert f"dC_dW is wrong only in row {listed}" in patterns.patterns(Chain(dC_dW=g), ref)


@pytest.mark.parametrize("row", [0, 5])
def test_a_row_that_was_left_out_is_named(row):
    problem = drawn(1)
    ref = compare.reference(problem, budget=2.0**30)
    others = np.delete(np.arange(6), row)
    g = problem.X[others].T @ np.asarray(ref.truth.chain.dC_dy.hi)[others]
    told = list(patterns.patterns(Chain(dC_dW=g), ref))
    assert told == [f"dC_dW is that of the batch without row {row}"]
    assert list(patterns.patterns(Chain(dC_dW=g * 1.001), ref)) == []


def test_values_that_are_not_finite_are_counted():
    problem = drawn(1)
    ref = compare.reference(problem, budget=2.0**30)
    g = np.array(ref.truth.chain.dC_dW.hi)
    g[0, 0] = np.nan
    assert "entries of dC_dW that are not finite: 1" in list(patterns.patterns(Chain(dC_dW=g), ref))


def test_a_sample_of_rows_shows_no_pattern():
    problem = drawn(1, N=10, D=4, K=9)
    ref = compare.reference(problem, budget=8000)
    assert ref.sample is not None
    doubled = Chain(dC_dW=2 * np.ones((4, 9)))
    assert list(patterns.patterns(doubled, ref)) == []
    assert list(patterns.patterns(doubled, compare.reference(problem, budget=0))) == []


def test_only_the_first_wrong_link_is_told():
    problem = drawn(1)
    ref = compare.reference(problem, budget=2.0**30)
    dC_dy = np.array(ref.truth.chain.dC_dy.hi)
    dC_dy[:, 1] *= 2
    chain = Chain(dC_dy=dC_dy, dC_dW=ref.truth.chain.dC_dW.hi[::-1])
    told = list(patterns.patterns(chain, ref))
    assert told[0] == "dC_dy is wrong only in column 1"
    assert not any(text.startswith("dC_dW") for text in told)


def test_a_right_chain_has_no_pattern():
    problem = drawn(1)
    ref = compare.reference(problem, budget=2.0**30)
    assert list(patterns.patterns(Chain(dC_dW=ref.truth.chain.dC_dW.hi), ref)) == []


def test_a_small_error_of_a_single_entry_is_neither_a_factor_nor_a_transpose():
    problem = drawn(1, N=1, D=1, K=1)
    ref = compare.reference(problem, budget=2.0**30)
    chain = Chain(dC_dW=np.asarray(ref.truth.chain.dC_dW.hi) * (1 + 1e-12))
    assert not any("transposed" in p or "factor" in p for p in patterns.patterns(chain, ref))


def test_columns_that_are_0_and_right_say_nothing():
    problem = made([[1, 2], [3, 4]], [[1, 0], [2, 1]], [[1, 0], [0.5, 0]])
    ref = compare.reference(problem, budget=2.0**30)
    g = np.array(ref.truth.chain.dC_dW.hi)
    assert list(patterns.patterns(Chain(dC_dW=-g), ref)) == []
