"""Over the steps: each judged from where it began, and the cost within its fall."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.support import networks
from tests.support.problems import drawn
from verify.candidate.candidate import of_function
from verify.judge import steps as training
from verify.judge.compare import Subject
from verify.judge.parts import everywhere, start_of
from verify.judge.result import Step, Verdict
from verify.judge.sides import one_step
from verify.network import manual, twin
from verify.network.layer import Layer
from verify.network.updates import Update
from verify.scenario.cases import Batch, of_problem

MANUAL = Subject("manual.stable_form", manual.stable_form, "stable")
TWIN = Subject("twin.stable_form", twin.stable_form, "stable")
BUDGET = 2.0**30


def train(subjects, batches, steps, budget):
    """The first of the subjects leads."""
    in_parts = [Batch.of(batch) for batch in batches]
    lead = subjects[0]

    def judged(ref):
        step = one_step(subjects, ref)
        return step.given[lead.name], step.findings

    with np.errstate(all="ignore"):  # as the judge does
        start = everywhere(start_of(lead, in_parts[0]))
        return training.train(start, in_parts, steps, judged, budget)


def altered(change, after=0, name="manual.stable_form"):
    """The stable form with its answer changed, from some call on."""
    calls = []

    def form(problem):
        calls.append(1)
        chain = manual.stable_form(problem)
        return change(chain, problem) if len(calls) > after else chain

    return Subject(name, form, "stable")


def test_right_programs_pass_at_every_step():
    trained = train([MANUAL, TWIN], [drawn(1)], 40, BUDGET)
    assert trained.findings == []
    assert trained.enclosed == 39  # of the first, others have judged
    assert (trained.end.drift > 0).all()


def test_each_step_says_where_the_cost_went_and_where_it_might_have():
    steps = train([MANUAL, TWIN], [drawn(1)], 5, BUDGET).steps
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
    batches = [a, b.having(W=a.W)]
    trained = train([MANUAL, TWIN], batches, 10, BUDGET)
    assert trained.findings == []
    assert len(trained.steps) == 10


def test_momentum_is_seen_at_the_second_step():
    class Momentum:
        velocity = 0.0

        def __call__(self, problem):
            chain = manual.stable_form(problem)
            self.velocity = 0.9 * self.velocity + chain.dC_dW
            return chain | {"W_next": problem.W - problem.h * self.velocity}

    trained = train([Subject("momentum", Momentum(), "stable")], [drawn(1)], 5, BUDGET)
    (finding,) = trained.findings
    assert (finding.check, finding.link) == ("trajectory", "W_next")
    assert finding.message.startswith("step 2: W_next is beyond its bound: error / bound")
    assert finding.verdict is Verdict.FAIL


@pytest.mark.parametrize("budget", [BUDGET, 0.0])
def test_a_step_a_thousandth_too_long_is_seen_by_truth_or_by_the_twin(budget):
    long = altered(lambda c, p: c | {"W_next": p.W - p.h * c.dC_dW * 1.001}, after=2)
    trained = train([long, TWIN], [drawn(1)], 5, budget)
    assert {(f.check, f.link) for f in trained.findings} == {("trajectory", "W_next")}
    assert trained.enclosed == (2 if budget else 0)


@pytest.mark.parametrize("factor", [0.5, 1.5, -1])
def test_a_gradient_that_the_cost_does_not_follow_breaks_the_fall(factor):
    def wrong(c, p):
        return c | {"dC_dW": factor * c.dC_dW, "W_next": p.W - p.h * factor * c.dC_dW}

    problem = replace(drawn(1), h=np.float64(1e-3))
    trained = train([altered(wrong)], [problem], 1, 0.0)
    assert [f.check for f in trained.findings] == ["descent"]


def test_the_cost_of_every_step_is_the_leads_own():
    lying = altered(lambda c, p: c | {"C": c.C + 1}, after=2)
    found = train([lying], [drawn(1)], 5, 0.0).findings
    assert [(f.check, f.message.split()[:2]) for f in found] == [("descent", ["step", "2"])]


def test_the_truth_judges_steps_while_there_is_work_left():
    problem = drawn(1)
    work = 6 * (2 * 4 + 200) * 3 + 11 * 6 * 4
    assert train([MANUAL], [problem], 9, 3 * work).enclosed == 3
    assert train([MANUAL], [problem], 1, BUDGET).enclosed == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_end_the_path(value):
    lost = altered(lambda c, p: c | {"W_next": np.full_like(p.W, value)})
    trained = train([lost], [drawn(1)], 3, BUDGET)
    assert [f.message for f in trained.findings] == ["W_next is unusable after step 1"]


def test_what_raises_at_a_later_step_is_told_with_its_step():
    def tired(c, p):
        raise ValueError("no more")

    trained = train([MANUAL, altered(tired, after=1, name="other")], [drawn(1)], 5, BUDGET)
    (finding,) = trained.findings
    assert finding.check == "exception"
    assert finding.message.startswith("step 3: ValueError in test_steps.py")


HIDDEN = networks.of(Layer("tanh", bias=True), Layer("softmax"))
BOTH = [Subject("manual.stable_form", manual.stable, "stable"), TWIN]


def test_of_any_network_every_step_is_judged_from_where_it_began():
    trained = train(BOTH, [HIDDEN], 12, BUDGET)
    assert trained.findings == []
    assert trained.enclosed == 11
    assert len(trained.steps) == 12
    assert trained.steps[-1].after < trained.steps[0].before
    assert 0 < trained.end.drift < 1e-12
    assert set(trained.end.parameters) == {"W1", "b1", "W2"}


def test_of_several_batches_each_step_takes_the_next():
    halves = [
        replace(HIDDEN, X=HIDDEN.X[rows], P=HIDDEN.P[rows]) for rows in (np.s_[:3], np.s_[3:])
    ]
    trained = train(BOTH, halves, 4, BUDGET)
    assert trained.findings == []
    expected = dict(HIDDEN.parameters)
    for t in range(4):
        chain = manual.stable(halves[t % 2].having(**expected))
        expected = {name: chain[f"{name}_next"] for name in expected}
    assert all(np.array_equal(trained.end.parameters[n], a) for n, a in expected.items())


@pytest.mark.parametrize("link", ["dC_db1", "W1_next", "b1_next"])
def test_what_goes_wrong_in_a_hidden_layer_at_a_later_step_is_named_there(link):
    calls = []

    def later(problem):
        calls.append(1)
        chain = manual.stable(problem)
        return chain | {link: chain[link] * (1 + 1e-9)} if len(calls) > 3 else chain

    subjects = [Subject("manual.stable_form", later, "stable"), TWIN]
    (finding, *_) = train(subjects, [HIDDEN], 6, BUDGET).findings
    assert (finding.check, finding.link) == ("trajectory", link)
    assert finding.message.startswith("step 4: ")


def test_a_next_bias_of_another_shape_is_unusable():
    def flat(problem):
        chain = manual.stable(problem)
        return chain | {"b1_next": chain["b1_next"][:2]}

    lead = Subject("manual.stable_form", flat, "stable")
    (finding,) = train([lead], [HIDDEN], 3, 0).findings
    assert finding.message == "b1_next is unusable after step 1"


DEEP = networks.of(*[Layer("tanh")] * 12, Layer("softmax"), sizes=(6,) * 14, dtype="float32",
                   scale=3.0)  # fmt: skip


@pytest.mark.parametrize("link", ["y_o3", "dC_dy1", "dC_dW1", "W12_next"])
def test_a_line_that_breaks_at_a_later_step_is_named_at_any_depth(link):
    calls = []

    def later(*arrays):
        X, *parameters, P, h = arrays
        names = dict(zip(DEEP.network.parameters, parameters, strict=True))
        problem = DEEP.having(X=X, P=P, h=h, **names)
        calls.append(1)
        factor = np.float32(1.25 if len(calls) > 2 else 1)
        return dict(networks.walked(problem, **{link: lambda known: known[link] * factor}))

    candidate = of_function(later, "it")
    case = replace(of_problem(DEEP), steps=4)
    with np.errstate(all="ignore"):
        found = list(training.trained(candidate, case, BUDGET))
    assert [(f.check, f.link) for f in found] == [("trajectory", link)]
    assert found[0].message.startswith("step 3: ")


def with_update(update):
    return networks.of(Layer("tanh", bias=True), Layer("softmax"), update=update)


@pytest.mark.parametrize("update", [Update("momentum"), Update("adam")])
def test_what_an_update_keeps_is_carried_from_step_to_step(update):
    problem, forms = with_update(update), (manual.stable, twin.stable_form)
    sides = [
        Subject(f"{name}.stable_form", form, "stable")
        for name, form in zip(("manual", "twin"), forms, strict=True)
    ]
    found = train(sides, [problem], 12, BUDGET)
    assert found.findings == []
    assert found.enclosed == 11
    assert found.end.parameters["t"] == 13
    by_hand = problem
    for t in range(12):
        chain = manual.stable(by_hand)
        after = {link.removesuffix("_next"): chain[link] for link in by_hand.network.updates}
        by_hand = by_hand.having(t=t + 2, **after)
    for name in problem.network.parameters:
        assert np.array_equal(found.end.parameters[name], by_hand.parameters[name])


def test_a_velocity_that_is_forgotten_is_seen_at_the_second_step():
    def forgetful(problem):
        return manual.stable(problem.having(**{n: 0 * a for n, a in problem.state.items()}))

    problem = with_update(Update("momentum"))
    found = train([Subject("manual.stable_form", forgetful, "stable")], [problem], 5, BUDGET)
    assert {f.link for f in found.findings} == {"vW1_next", "vb1_next", "vW2_next"}
    assert all("step 2" in f.message for f in found.findings)


def test_a_candidate_may_give_gradients_alone_whatever_the_update():
    problem = with_update(Update("adam"))

    def gradients(X, W1, b1, W2, P):
        y_o1 = np.tanh(X @ W1 + b1)
        e = np.exp(y_o1 @ W2)
        g = (e / e.sum(1, keepdims=True) - P) / len(X)
        back = g @ W2.T * (1 - y_o1**2)
        return X.T @ back, back.sum(0), y_o1.T @ g

    case = replace(of_problem(problem), steps=6)
    with np.errstate(all="ignore"):
        assert list(training.trained(of_function(gradients), case, BUDGET)) == []
