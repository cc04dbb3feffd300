"""The truth: enclosures that contain what an independent oracle computes, and nothing much else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import flint
import numpy as np
import pytest

from tests.support import networks, oracle
from tests.support.problems import drawn, made, worked_example
from verify.network import manual, truth
from verify.network.bounds import bounds
from verify.network.layer import Layer
from verify.network.network import POST
from verify.network.problem import Problem
from verify.network.updates import Update
from verify.scenario.cases import cases
from verify.scenario.collection import packaged
from verify.scenario.load import load

SMALL = 200  # N D K that the slow oracle can do


def small_cases():
    for path in sorted(packaged().glob("*.toml")):
        for case in cases(load(path)):
            if case.steps == 1 and case.work <= SMALL and case.sizes.batch * case.sizes.K <= SMALL:
                yield pytest.param(case, id=f"{path.stem}-{case.name}")


@pytest.mark.parametrize("case", list(small_cases()))
def test_the_oracle_of_the_standard_library_lies_in_every_enclosure(case):
    problem = case.batches[0]
    found = truth.truth(problem, bounds(problem).stable)
    post = problem.network == POST
    for link, expected in (oracle.chain if post else oracle.links)(problem).items():
        ball = found.chain[link]
        with localcontext(prec=oracle.DIGITS):
            for index in np.ndindex(np.shape(ball.hi)):
                exact = expected[index] if problem.shape(link) else expected
                if np.isinf(ball.hi[index]):  # no float64 is near it
                    assert abs(exact) > Decimal("1.7e308"), (link, index)
                    continue
                middle = Decimal(float(ball.hi[index])) + Decimal(float(ball.lo[index]))
                slack = abs(exact) * Decimal(10) ** -60
                assert abs(middle - exact) <= Decimal(float(ball.rad[index])) + slack, (link, index)


def test_the_oracle_lies_in_every_enclosure_of_embeddings_and_of_other_updates():
    judged = set()
    for seed in range(100):
        problem = networks.problem(seed, "float64", widest=4, deepest=2)
        network = problem.network
        if not network.embeds and not network.state:
            continue
        found, exact = truth.truth(problem, bounds(problem).wider), oracle.links(problem)
        judged |= {("embedding", network.embeds), (network.update.name, problem.t > 1)}
        for link, ball in found.chain.items():
            for index in np.ndindex(np.shape(ball.hi)):
                right = exact[link][index] if index else exact[link]
                if np.isfinite(ball.rad[index]):
                    assert _is_in(ball, index, right), (seed, link, index)
    assert {("embedding", True), ("momentum", True), ("adam", True), ("adam", False)} <= judged


def _is_in(ball, index, exact):
    with localcontext(prec=oracle.DIGITS):
        middle = Decimal(float(ball.hi[index])) + Decimal(float(ball.lo[index]))
        slack = (1 + abs(exact)) * Decimal(10) ** -60
        return abs(middle - exact) <= Decimal(float(ball.rad[index])) + slack


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
    narrow = type(within)(**{link: bound * 1e-20 for link, bound in within.items()})
    assert truth.truth(problem, narrow).bits == 212


def test_rows_at_even_distances_are_sampled_as_many_as_the_budget_allows():
    problem = drawn(3, N=10, D=4, K=9)
    rows = truth.sampled(problem, budget=8000)
    assert rows == (0, 4, 9)
    some = replace(problem, X=problem.X[list(rows)], P=problem.P[list(rows)])
    assert truth.work(some) <= 8000
    assert truth.sampled(problem, budget=2**40) == tuple(range(10))


def test_one_row_is_sampled_however_small_the_budget():
    assert truth.sampled(drawn(3), budget=1) == (0,)


def test_the_cost_alone_is_the_cost_of_the_whole_chain():
    problem = worked_example()
    other = made(problem.X, manual.post_form(problem).W_next, problem.P)
    found, expected = truth.cost(other), truth.truth(other).chain.C
    assert float(found.hi) == float(expected.hi) == 7.6305771517067775
    assert truth.cost(other, budget=1) is None


def test_of_some_links_only_those_are_enclosed():
    problem = drawn(5)
    found = truth.truth(problem, links=("C", "W_next")).chain
    assert list(found) == ["C", "W_next"]
    whole = truth.truth(problem).chain
    assert found.C.hi == whole.C.hi
    assert (found.W_next.hi == whole.W_next.hi).all()


def test_the_work_of_a_truth_is_what_it_may_cost():
    problem = drawn(5)
    work = truth.work(problem)
    assert truth.fits(problem, work)
    assert not truth.fits(problem, work - 1)


def test_the_precision_of_the_caller_is_left_alone(monkeypatch):
    monkeypatch.setattr(flint.ctx, "prec", 71)
    truth.truth(worked_example())
    assert flint.ctx.prec == 71


def test_an_error_is_from_the_whole_midpoint_with_the_radius_upon_it():
    ball = truth.Enclosure(np.array([1.0]), np.array([-(2.0**-60)]), np.array([2.0**-70]))
    for found, distance in ((1.0 + 2.0**-52, 2.0**-52 + 2.0**-60), (1.0, 2.0**-60)):
        assert ball.error(found) == distance + 2.0**-70
    assert np.isnan(ball.error(np.nan))


def test_what_stays_open_is_held_against_nobody():
    ball = truth.Enclosure(np.array([0.5]), np.array([0.0]), np.array([0.5]))
    for found, least in ((0.25, 0.0), (1.0, 0.0), (1.5, 0.5)):
        assert ball.error_within(found, np.array([0.1])) == least
    assert ball.error_within(1.0, np.array([2.0**10])) == 1.0
    assert np.isnan(ball.error_within(np.nan, np.array([0.1])))


def test_the_nearest_float_is_that_of_the_whole_midpoint():
    below, above = np.array([-(2.0**-54)]), np.array([3 * 2.0**-54])
    rad = np.array([2.0**-60])
    assert truth.Enclosure(np.array([1.0]), 1.5 * below, rad).nearest() == 1.0 - 2.0**-53
    assert truth.Enclosure(np.array([1.0]), above, rad).nearest() == 1.0 + 2.0**-52
    on_the_border = truth.Enclosure(np.array([1.0]), np.array([2.0**-53]), rad)
    assert np.isnan(on_the_border.nearest())


def test_what_floats_hold_has_no_radius_and_all_else_has_one():
    chain = truth.truth(made([[0.5, 3.0]], [[0.25], [2.0]], [[1]])).chain
    assert chain.y.rad == 0
    assert (chain.y.hi, chain.y.lo) == (6.125, 0)
    assert all(getattr(chain, link).rad > 0 for link in ("C", "y_o", "dC_dy"))


def test_a_tight_ball_tells_the_nearest_float_and_a_wide_one_does_not():
    ball = truth.Enclosure(np.array([1.0, 1.0]), np.zeros(2), np.array([2.0**-60, 2.0**-53]))
    assert ball.nearest()[0] == 1
    assert np.isnan(ball.nearest()[1])
    problem = drawn(4)
    assert np.array_equal(
        truth.truth(problem).chain.dC_dW.nearest(), truth.nearest_chain(problem).dC_dW
    )


@pytest.mark.parametrize("seed", range(5))
def test_every_exact_link_is_rounded_to_the_nearest_float(seed):
    problem = drawn(seed)
    found = truth.nearest_chain(problem)
    for link, exact in oracle.chain(problem).items():
        nearest = np.vectorize(float, otypes=[float])(exact)  # of a Decimal, correctly rounded
        assert np.array_equal(getattr(found, link), nearest), link
        assert np.shape(getattr(found, link)) == problem.shape(link)


def test_what_no_float_is_near_is_infinite_or_zero():
    found = truth.nearest_chain(made([[1.0]], [[-800, 800]], [[1, 1]]))
    assert found.dC_dy_o.tolist() == [[-np.inf, -1.0]]
    assert found.dC_dy.tolist() == [[-1.0, 0.0]]
    assert found.y_o.tolist() == [[0.0, 1.0]]
    assert np.signbit(found.dC_dy[0, 1])


def test_exponents_of_three_hundred_digits_are_no_trouble():
    found = truth.nearest_chain(made([[2.0**500]], [[-(2.0**500), 2.0**500]], [[1, 1]]))
    assert found.y.tolist() == [[-(2.0**1000), 2.0**1000]]
    assert (found.y_o.tolist(), found.dC_dy_o.tolist()) == ([[0, 1]], [[-np.inf, -1]])
    assert float(found.C) == 2.0**1000


def test_a_number_half_a_unit_beyond_the_largest_float_is_infinite():
    parts = [[2.0**512 * (1 - 2.0**-53)], [2.0**458]]
    assert truth.nearest_chain(made([[2.0**512, 2.0**512]], parts, [[1]])).y == np.inf
    parts[1][0] = 2.0**457
    assert truth.nearest_chain(made([[2.0**512, 2.0**512]], parts, [[1]])).y == np.finfo(float).max


def test_no_digit_is_lost_on_the_right_side():
    chain = truth.truth(made([[1.0]], [[2000.0]], [[1]])).chain
    assert float(chain.C.rad) == float(chain.dC_dy.rad[0, 0]) < 1e-300


@pytest.mark.parametrize(("sign", "y"), [(1, np.inf), (-1, -np.inf)])
def test_a_number_of_more_digits_than_a_float_has_range_is_rounded_too(sign, y):
    X, W = [[2.0**1000, 1.0]], [[sign * 2.0**100], [2.0**-1000]]
    assert truth.nearest_chain(made(X, W, [[1]])).y == y


def test_a_number_between_two_floats_goes_to_the_even_one():
    found = truth.nearest_chain(made([[1.0, 2.0**-53]], [[1.0], [1.0]], [[1.0]]))
    assert found.y.tolist() == [[1.0]]
    found = truth.nearest_chain(made([[1.0 + 2.0**-52, 2.0**-53]], [[1.0], [1.0]], [[1.0]]))
    assert found.y.tolist() == [[1.0 + 2.0**-51]]


def walked(batches, steps):
    """W after some exact steps, rounded at each."""
    W = batches[0].W
    for t in range(steps):
        batch = batches[t % len(batches)]
        W = truth.truth(made(batch.X, W, batch.P, batch.h)).chain.W_next.hi
    return W


def test_the_exact_losses_are_those_before_the_first_step_and_after_the_last():
    problem = drawn(2)
    before, after = truth.losses([problem], problem, 2)
    with localcontext(prec=oracle.DIGITS):
        exact = oracle.chain(problem)
        assert before == float(exact["C"])
    W = walked([problem], 2)
    there = truth.truth(made(problem.X, W, problem.P)).chain.C
    assert after == pytest.approx(float(there.hi), rel=1e-14)
    assert after < before


def test_the_exact_losses_take_the_batches_in_turn():
    whole = drawn(2)
    batches = [Problem(whole.X[s], whole.W, whole.P[s], whole.h) for s in (np.s_[:4], np.s_[4:])]
    _, after = truth.losses(batches, whole, 3)
    there = truth.truth(made(whole.X, walked(batches, 3), whole.P)).chain.C
    assert after == pytest.approx(float(there.hi), rel=1e-14)


def test_what_is_beyond_its_budget_is_not_computed():
    problem = drawn(1)
    assert truth.nearest_chain(problem, budget=1) is None
    assert truth.losses([problem], problem, 1, budget=1) is None
    work = 6 * (2 * 4 + 200) * 3 + 11 * 6 * 4
    assert truth.losses([problem], problem, 5, budget=7 * 6 * (2 * 4 + 200) * 3 + 264) is not None
    assert truth.losses([problem], problem, 6, budget=7 * 6 * (2 * 4 + 200) * 3 + 264) is None
    assert truth.nearest_chain(problem, budget=work) is not None
    assert truth.nearest_chain(problem, budget=work - 1) is None


@pytest.mark.parametrize("update", [Update("momentum"), Update("adam")])
def test_the_exact_losses_carry_what_an_update_keeps(update):
    problem = here = networks.of(Layer("softmax", bias=True), sizes=(4, 3), update=update).having(
        t=3, **{f"{kind}W": np.full((4, 3), 0.125) for kind in update.rule.state}
    )
    before, after = truth.losses([problem], problem, 4)
    for t in range(4):
        chain = manual.stable(here)
        kept = {link.removesuffix("_next"): chain[link] for link in here.network.updates}
        here = here.having(t=4 + t, **kept)
    assert before == pytest.approx(float(manual.stable(problem).C), rel=1e-14)
    assert after == pytest.approx(float(manual.stable(here).C), rel=1e-13)
