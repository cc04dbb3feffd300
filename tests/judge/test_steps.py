"""Over the steps: trajectories within their drift, costs within their fall."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.support.problems import drawn, made
from verify.judge import steps as training
from verify.judge.compare import Subject
from verify.judge.parts import everywhere
from verify.judge.result import Step, Verdict
from verify.network import manual, twin
from verify.scenario.cases import Batch

MANUAL = Subject("manual.stable_form", manual.stable_form, "stable")
TWIN = Subject("twin.stable_form", twin.stable_form, "stable")
BUDGET = 2.0**30


def train(subjects, batches, steps, budget):
    in_parts = [Batch.of(batch) for batch in batches]
    columns = range(batches[0].sizes["K"])
    with np.errstate(all="ignore"):  # as the judge does
        starts = [everywhere(training.start_of(s, in_parts[0])) for s in subjects]
        exact = training.exactly(batches, steps, columns, budget)
        return training.train(starts, in_parts, steps, exact, columns)


def altered(change):
    """The stable form with its answer changed."""

    def form(problem):
        return change(manual.stable_form(problem), problem)

    return Subject("altered", form, "stable")


def test_right_trajectories_stay_within_their_drift():
    trained = train([MANUAL, TWIN], [drawn(1)], 40, BUDGET)
    assert trained.findings == ()
    assert trained.enclosed == 40
    assert (trained.trajectories["manual.stable_form"].here.drift > 0).all()


def test_each_step_says_where_the_cost_went_and_where_it_might_have():
    trained = train([MANUAL, TWIN], [drawn(1)], 5, BUDGET)
    steps = trained.trajectories["manual.stable_form"].steps
    assert [s.step for s in steps] == [1, 2, 3, 4, 5]
    assert all(s.lowest <= s.after <= s.highest <= s.before for s in steps)
    assert all(s.after == later.before for s, later in pairwise(steps))


@pytest.mark.parametrize(("n", "kept"), [(0, []), (1, [1]), (128, [*range(1, 129)]), (300, None)])
def test_of_many_steps_some_are_kept_at_even_distances_and_the_last(n, kept):
    steps = [Step(t + 1, 1.0, 1.0, 0.0, 1.0) for t in range(n)]
    numbers = [s.step for s in training.thinned(steps)]
    assert numbers == (list(range(3, 301, 3)) if kept is None else kept)


def test_batches_are_taken_in_turn_each_with_its_own_fall():
    a, b = drawn(1), drawn(2, N=5)
    batches = [a, replace(b, W=a.W)]
    assert train([MANUAL, TWIN], batches, 10, BUDGET).findings == ()


def test_momentum_is_seen_at_the_second_step():
    class Momentum:
        velocity = 0.0

        def __call__(self, problem):
            chain = manual.stable_form(problem)
            self.velocity = 0.9 * self.velocity + chain.dC_dW
            return replace(chain, W_next=problem.W - problem.h * self.velocity)

    subject = Subject("momentum", Momentum(), "stable")
    trained = train([subject], [drawn(1)], 5, BUDGET)
    assert "trajectory" in {f.check for f in trained.findings}
    assert trained.enclosed <= 2


@pytest.mark.parametrize("budget", [BUDGET, 0.0])
def test_a_step_a_thousandth_too_long_is_seen_by_truth_or_by_the_twin(budget):
    long = altered(lambda c, p: replace(c, W_next=p.W - p.h * c.dC_dW * 1.001))
    trained = train([long, TWIN], [drawn(1)], 5, budget)
    assert {f.check for f in trained.findings} >= {"trajectory"}
    assert trained.enclosed == (1 if budget else 0)


@pytest.mark.parametrize("factor", [0.5, 1.5, -1])
def test_a_gradient_that_the_cost_does_not_follow_breaks_the_fall(factor):
    def wrong(c, p):
        return replace(c, dC_dW=factor * c.dC_dW, W_next=p.W - p.h * factor * c.dC_dW)

    problem = replace(drawn(1), h=np.float64(1e-3))
    trained = train([altered(wrong)], [problem], 1, 0.0)
    assert [f.check for f in trained.findings] == ["descent"]


def test_the_cost_of_every_step_is_the_subjects_own():
    calls = []

    def lying(c, p):
        calls.append(1)
        return replace(c, C=c.C + (len(calls) > 2))

    found = train([altered(lying)], [drawn(1)], 5, 0.0).findings
    assert [(f.check, f.message.split()[:2]) for f in found] == [("descent", ["step", "2"])]


@pytest.mark.parametrize("budget", [BUDGET, 0.0])
def test_one_column_that_strays_is_enough(budget):
    def astray(c, p):
        W_next = c.W_next.copy()
        W_next[:, 1] += 1e-9
        return replace(c, W_next=W_next)

    found = train([altered(astray), TWIN], [drawn(1)], 2, budget).findings
    assert found
    assert all("column 1 of W" in f.message for f in found)


def test_two_steps_are_followed_by_the_truth_and_one_is_not():
    for steps, enclosed in ((1, 0), (2, 2)):
        assert train([MANUAL], [drawn(1)], steps, BUDGET).enclosed == enclosed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_end_the_path(value):
    lost = altered(lambda c, p: replace(c, W_next=np.full_like(p.W, value)))
    trained = train([lost], [drawn(1)], 3, BUDGET)
    assert [f.message for f in trained.findings] == ["W_next is unusable after step 1"]


def test_a_post_form_that_leaves_its_domain_is_followed_no_further():
    post = Subject("manual.post_form", manual.post_form, "post")
    problem = made([[1]], [[-650]], [[0.5]], 100)
    away = Subject("away", lambda p: replace(manual.post_form(p), W_next=p.W - 100), "post")
    assert train([post], [problem], 3, 0.0).findings == ()
    trained = train([away], [problem], 3, 0.0)
    assert trained.findings[0].message == "W leaves the domain of the post form at step 2"
    assert trained.findings[0].verdict is Verdict.CANNOT_JUDGE
