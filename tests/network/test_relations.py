from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.problems import drawn, extreme, made
from verify.network import manual, relations, twin
from verify.network.bounds import bounds
from verify.network.problem import DTYPES, laid_out

FORMS = [manual.post_form, manual.stable_form, twin.post_form, twin.stable_form]


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.__module__}.{f.__name__}")
@given(seed=st.integers(0, 10**6))
def test_powers_of_two_pass_through_every_form_bit_for_bit(form, layout, seed):
    problem = drawn(seed, dtype=DTYPES[seed % 2])
    problem = replace(problem, X=laid_out(problem.X, layout))
    chain = form(problem)
    assert relations.applies(problem, chain)
    assert relations.powers_of_two(form, problem, chain) == []


@pytest.mark.parametrize("form", [manual.post_form, manual.stable_form])
def test_where_the_relation_applies_it_holds_up_to_the_ends_of_the_dtype(form):
    applied = 0
    with np.errstate(all="ignore"):
        for seed in range(4500):
            problem = extreme(seed)
            chain = form(problem)
            applied += relations.applies(problem, chain)
            assert relations.powers_of_two(form, problem, chain) == [], seed
    assert applied > 1000


def test_terms_that_cancel_must_not_overflow_when_they_are_scaled():
    problem = made([[2.0**500], [-(2.0**500)]], [[0]], [[1.5 * 2.0**521], [1.5 * 2.0**521]])
    chain = manual.post_form(problem)
    assert bounds(problem).fits
    assert chain.dC_dW == 0
    assert not relations.applies(problem, chain)


def test_an_absolute_epsilon_is_not_exact():
    def with_epsilon(problem):
        chain = manual.post_form(problem)
        return chain | {"dC_dW": chain.dC_dW + problem.dtype.type(1e-15)}

    problem = drawn(3)
    chain = with_epsilon(problem)
    assert relations.powers_of_two(with_epsilon, problem, chain) == ["dC_dW"]


def test_a_cost_with_an_offset_is_not_exact():
    def with_offset(problem):
        chain = manual.post_form(problem)
        return chain | {"C": chain.C + 1}

    problem = drawn(3)
    assert relations.powers_of_two(with_offset, problem, with_offset(problem)) == ["C"]


def test_of_many_rows_the_first_eight_are_scaled():
    seen = []

    def watched(problem):
        seen.append(problem.X)
        return manual.post_form(problem)

    problem = drawn(3, N=30)
    assert relations.powers_of_two(watched, problem, manual.post_form(problem)) == []
    first, scaled = seen
    assert np.array_equal(first, problem.X[:8])
    assert np.array_equal(scaled, 8 * problem.X[:8])


def test_where_the_relation_does_not_apply_nothing_is_scaled():
    problem = made([[1e-30]], [[1]], [[1e-7]], dtype="float32")
    chain = manual.stable_form(problem)
    assert relations.powers_of_two(pytest.fail, problem, chain) == []


def test_near_underflow_the_relation_does_not_apply():
    problem = made([[1e-30]], [[1]], [[1e-7]], dtype="float32")
    chain = manual.stable_form(problem)
    assert not relations.applies(problem, chain)
    assert relations.powers_of_two(manual.stable_form, problem, chain) == []


def test_beyond_the_post_form_the_relation_does_not_apply():
    problem = made([[1]], [[-1000]], [[1]])
    with np.errstate(all="ignore"):
        assert not relations.applies(problem, manual.post_form(problem))
