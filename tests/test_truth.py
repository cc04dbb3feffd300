"""The truth: enclosures that contain what an independent oracle computes, and nothing much else."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import islice

import numpy as np
import oracle
import pytest
from problems import drawn, made, worked_example

from verify import manual, truth
from verify.bounds import bounds
from verify.cases import cases
from verify.chain import LINKS, SHAPES
from verify.collection import packaged
from verify.scenario import load

SMALL = 200  # N D K that the slow oracle can do


def small_cases():
    for path in sorted(packaged().glob("*.toml")):
        for case in cases(load(path)):
            if case.steps == 1 and case.batches[0].work <= SMALL:
                yield pytest.param(case, id=f"{path.stem}-{case.name}")


@pytest.mark.parametrize("case", list(small_cases()))
def test_the_oracle_of_the_standard_library_lies_in_every_enclosure(case):
    problem = case.batches[0]
    found = truth.truth(problem, bounds(problem).stable)
    for link, expected in oracle.chain(problem).items():
        ball = getattr(found.chain, link)
        with localcontext(prec=oracle.DIGITS):
            for index in np.ndindex(np.shape(ball.hi)):
                exact = expected[index] if SHAPES[link] else expected
                if np.isinf(ball.hi[index]):  # no float64 is near it
                    assert abs(exact) > Decimal("1.7e308"), (link, index)
                    continue
                middle = Decimal(float(ball.hi[index])) + Decimal(float(ball.lo[index]))
                slack = abs(exact) * Decimal(10) ** -60
                assert abs(middle - exact) <= Decimal(float(ball.rad[index])) + slack, (link, index)


def test_an_enclosure_is_far_smaller_than_a_rounding():
    ball = truth.truth(drawn(1)).chain.dC_dW
    assert (ball.rad < 2.0**-90 * np.abs(ball.hi)).all()


def test_a_wrong_digit_is_outside_the_enclosure():
    problem = worked_example()
    ball = truth.truth(problem).chain.dC_dW
    right = np.array([[-1.9992362230646343], [-3.9984724461292687], [1.9992362230646343]])
    assert (ball.error(np.hstack([right, np.zeros((3, 1))])) < 1e-15).all()
    assert (ball.error(np.hstack([right * (1 + 1e-12), np.zeros((3, 1))]))[:, 0] > 1e-13).all()


def test_nan_has_no_distance_from_the_truth():
    assert np.isnan(truth.truth(worked_example()).chain.C.error(np.nan))


def test_precision_is_raised_until_the_enclosure_is_far_inside_the_bound():
    third = 1 / 3
    problem = made([[third * 2.0**60, -third * 2.0**60, third]], [[third]] * 3, [[1]])
    within = bounds(problem).stable
    assert truth.truth(problem, within).bits == 106
    narrow = type(within)(**{link: bound * 1e-20 for link, bound in within})
    assert truth.truth(problem, narrow).bits == 212


def test_above_the_budget_whole_columns_are_sampled_always_the_same():
    problem = drawn(3, N=10, D=4, K=9)
    first, again = (truth.truth(problem, budget=8000) for _ in range(2))
    assert first.columns == again.columns == (0, 4, 8)
    assert not first.whole
    assert [link for link, _ in first.chain] == [link for link in LINKS if link != "C"]
    whole = truth.truth(problem)
    assert whole.whole
    assert np.array_equal(first.chain.dC_dW.hi, whole.chain.dC_dW.columns(first.columns).hi)


def test_one_column_is_sampled_however_small_the_budget():
    assert truth.truth(drawn(3), budget=1).columns == (0,)


def test_the_cost_alone_is_the_cost_of_the_whole_chain():
    problem = worked_example()
    other = made(problem.X, manual.post_form(problem).W_next, problem.P)
    found, expected = truth.cost(other), truth.truth(other).chain.C
    assert float(found.hi) == float(expected.hi) == 7.6305771517067775
    assert truth.cost(other, budget=1) is None


def test_the_exact_trajectory_is_the_update_repeated():
    problem = drawn(5)
    path = list(islice(truth.trajectory([problem], range(3)), 3))
    W = problem.W
    for step in path:
        W = manual.stable_form(made(problem.X, W, problem.P, 0.125)).W_next
        assert (step.error(W) < 1e-14).all()
        assert (step.error(W * (1 + 1e-9)) > 1e-12).any()


def test_the_trajectory_takes_the_batches_in_turn():
    a, b = drawn(5), drawn(6)
    b = made(b.X, a.W, b.P, 0.125)
    one, two = islice(truth.trajectory([a, b], range(3)), 2)
    W = manual.stable_form(made(b.X, one.hi, b.P, 0.125)).W_next
    assert (two.error(W) < 1e-14).all()


def test_the_trajectory_ends_with_its_budget():
    assert len(list(islice(truth.trajectory([drawn(5)], range(3), 20_000), 99))) == 5


def test_the_precision_of_the_caller_is_left_alone():
    import flint

    before = flint.ctx.prec
    truth.truth(worked_example())
    assert flint.ctx.prec == before
