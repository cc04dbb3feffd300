"""A candidate on one case: every promise and every number."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support import networks, other_forms, problems, sixteen
from tests.support.problems import drawn, made
from verify.candidate.candidate import of_function
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS
from verify.judge import answers, compare
from verify.judge.likeness import ACCUMULATED
from verify.judge.result import Verdict
from verify.judge.steps import trained
from verify.judge.trial import tried
from verify.network import manual
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import DTYPES, Chain, Problem
from verify.network.updates import Update
from verify.numbers.dtypes import SIXTEEN
from verify.numbers.rounding import MODELS
from verify.scenario.cases import of_problem

RIGHT = with_formulas()()


def trial_of(function, problem=None, budget=2.0**30, arrays="numpy"):
    ref = compare.reference(problem or drawn(1), budget)
    with np.errstate(all="ignore"):  # as the judge does
        return tried(of_function(function, "it", arrays), ref)


def checks(function, problem=None, **how):
    return {f.check for f in trial_of(function, problem, **how).findings}


def test_a_right_candidate_has_figures_and_no_findings():
    found = trial_of(RIGHT)
    assert found.findings == ()
    assert len(found.figures) == 8


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("gradient-transposed", "shape"),
        ("other-dtype", "dtype"),
        ("gradient-doubled", "formula"),
        ("cached-by-shape", "other data"),
        ("strides-ignored", "layout"),
        ("momentum", "repeat"),
        ("weights-changed", "mutated"),
        ("inputs-changed", "mutated"),
        ("labels-changed", "mutated"),
        ("buffer-reused", "reused"),
        ("gradient-accumulated", "repeat"),
        ("gradient-without-transpose", "exception"),
    ],
)
def test_a_fault_is_seen_by_its_own_check(fault, check):
    assert check in checks(FAULTS[fault].make())


def test_what_gives_no_answer_has_nothing_else_to_its_name():
    def failing(X, W, P, h):
        raise ValueError("tired")

    found = trial_of(failing)
    (finding,) = found.findings
    assert finding.check == "exception"
    assert re.fullmatch(r"ValueError: tired, at tests/judge/test_trial\.py:\d+", finding.message)
    assert (found.figures, found.notes) == ((), ())


def test_other_data_on_which_no_bound_holds_judge_nothing():
    """The rows turned round, the largest input meets the largest label: sums may overflow."""

    def divided_last(X, W, P, h):
        return X.T @ (-P / (1 + np.exp(X @ W))) / len(X)

    problem = made([[2.0**126], [1.0]], [[0.0]], [[2.0**-20], [16.0]], 1e-30, "float32")
    assert compare.reference(problem, 0).bounds.fits
    assert checks(divided_last, problem) == set()


def test_beyond_the_post_form_a_candidate_is_judged_by_the_stable_form_and_told():
    problem = made([[1.0], [2]], [[-800]], [[1], [0.5]])
    found = trial_of(RIGHT, problem)
    assert found.findings == ()
    assert "judged by the stable form" in found.notes[0]

    def posts(X, W, P, h):
        y_o = 1 / (1 + np.exp(-X @ W))
        return X.T @ (-P / y_o * y_o * (1 - y_o)) / len(X)

    assert checks(posts, problem) == {"arithmetic"}
    assert checks(posts) == set()


def over_steps(candidate, steps, budget=2.0**30):
    case = replace(of_problem(drawn(1)), steps=steps)
    with np.errstate(all="ignore"):
        return list(trained(candidate, case, budget))


def test_a_training_needs_no_more_than_the_gradient():
    right = of_function(lambda *a: RIGHT(*a)["dC_dW"], "it")
    assert over_steps(right, 5) == []


def test_a_fault_that_begins_later_is_seen_at_its_step():
    calls = []

    def tiring(X, W, P, h):
        calls.append(1)
        return RIGHT(X, W, P, h)["dC_dW"] * (1.001 if len(calls) > 4 else 1)

    late = of_function(tiring, "it")
    (finding, *_) = over_steps(late, 9)
    assert finding.check == "trajectory"
    assert finding.message.startswith("step 5: dC_dW is beyond its bound")


def test_an_exception_at_a_later_step_is_a_finding():
    def failing(X, W, P, h):
        raise ValueError("tired")

    (finding,) = over_steps(of_function(failing, "it"), 3, 0.0)
    assert finding.check == "exception"
    assert finding.message.startswith("ValueError: tired, at ")


def gradient(X, W, P):
    return RIGHT(X, W, P, X.dtype.type(1))["dC_dW"]


def test_an_answer_that_shares_memory_with_an_input_is_named():
    (finding, *_) = trial_of(lambda X, W, P, h: {"dC_dW": gradient(X, W, P), "W_next": W}).findings
    assert (finding.check, finding.message) == (
        "aliased", "W_next shares memory with W; return a copy")  # fmt: skip


def kept(key):
    """A candidate that keeps its answers by some key of its arrays."""
    answers = {}

    def remembering(X, W, P, h):
        made = answers.setdefault(key(X, W, P), (X, W, P, gradient(X, W, P)))
        return made[3].copy()

    return remembering


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (lambda X, W, P: X.tobytes(), "other weights"),
        (lambda X, W, P: (X.tobytes(), W.tobytes()), "other labels"),
        (lambda X, W, P: (W.tobytes(), P.tobytes()), "other inputs"),
        (lambda X, W, P: id(X), "other inputs"),
        (lambda X, W, P: (id(W), X.tobytes()), "other weights"),
        (lambda X, W, P: (id(P), X.tobytes(), W.tobytes()), "other labels"),
    ],
)
def test_an_answer_kept_by_some_of_its_inputs_or_by_their_identity_is_stale(key, what):
    (finding, *_) = trial_of(kept(key)).findings
    assert finding.check == "other data"
    assert finding.message.startswith(f"on {what}, in the same arrays: dC_dW is beyond its bound")


def test_a_reference_to_an_earlier_array_is_found_by_the_same_call_again():
    first = []

    def referring(X, W, P, h):
        first.append(P)
        return gradient(X, W, first[0])

    assert checks(referring) == {"repeat"}


def test_an_answer_that_is_changed_two_calls_later_is_named():
    given = []

    def late(X, W, P, h):
        given.append(gradient(X, W, P))
        if len(given) > 2:
            given[-3][...] += given[-3]
        return given[-1]

    assert checks(late) == {"reused"}


def other_order(X, W, P, h, state=[0]):  # noqa: B006 kept between calls
    state[0] += 1
    rows = np.random.default_rng(state[0]).permutation(len(X))
    return gradient(X[rows], W, P[rows])


def test_sums_in_another_order_at_each_call_are_a_note_with_their_size():
    found = trial_of(other_order, drawn(1, N=200))
    assert found.findings == ()
    (note,) = found.notes
    assert re.fullmatch(
        r"candidate it: two calls differ by up to \S+ bounds, at dC_dW: are sums taken in another"
        r" order\?", note)  # fmt: skip


def test_what_differs_between_two_calls_beyond_two_bounds_is_a_failure_with_its_size():
    calls = []

    def growing(X, W, P, h):
        calls.append(1)
        return gradient(X, W, P) * (1 + 1e-9 * (len(calls) > 4))

    (finding,) = trial_of(growing).findings
    assert finding.check == "repeat"
    assert re.match(r"the same call twice differs by \S+ bounds in dC_dW; is a", finding.message)


def raw(array):
    """What a C routine reads that takes an array to be contiguous."""
    n, m = array.shape
    strides = (m * array.itemsize, array.itemsize)
    return np.array(np.lib.stride_tricks.as_strided(array, (n, m), strides))


@pytest.mark.parametrize("name", ["X", "W", "P"])
def test_strides_that_are_ignored_are_named_with_their_array(name):
    def ignoring(**given):
        given[name] = raw(given[name])
        return gradient(**given)

    found = trial_of(lambda X, W, P: ignoring(X=X, W=W, P=P)).findings
    assert {f.check for f in found} == {"layout"}
    layouts = ["in Fortran order", "as every second column", "as a column slice", "with negative"]
    for finding, layout in zip(found, layouts, strict=True):
        assert finding.message.startswith(f"with {name} {layout}")


@pytest.mark.parametrize("name", ["X", "W", "P"])
def test_an_input_that_is_used_as_scratch_is_refused_read_only(name):
    def borrowing(**given):
        given[name] *= 2
        given[name] /= 2
        return gradient(**given)

    (finding,) = trial_of(lambda X, W, P: borrowing(X=X, W=W, P=P)).findings
    assert finding.check == "layout"
    assert finding.message.startswith(f"with {name} read-only: ValueError")


def test_a_candidate_without_a_gradient_is_told_just_that():
    for found in ({"y": 0 * drawn(1).P}, {"C": np.float64(0)}):
        findings = trial_of(lambda X, W, P, found=found: found).findings
        (message,) = [f.message for f in findings if f.check == "gradient"]
        assert message == f"it gives {next(iter(found))}, but neither dC_dW nor W_next to be judged"


def test_in_every_entry_a_candidate_is_held_against_manual_where_the_truth_is_not():
    problem = drawn(1, N=10, D=4, K=9)
    assert compare.reference(problem, budget=8000).rows == (0, 4, 9)

    def inner_columns_zero(X, W, P):
        g = gradient(X, W, P)
        g[:, 1:4] = 0
        return g

    for budget in (8000, 0):
        assert checks(lambda X, W, P: gradient(X, W, P), problem, budget=budget) == set()
        assert checks(inner_columns_zero, problem, budget=budget) == {"formula"}
    assert checks(lambda X, W, P: 0 * W, problem, budget=0) == {"formula"}


def test_the_resolution_is_that_of_the_narrowest_bound_that_is_kept():
    problem, ref = drawn(1), compare.reference(drawn(1), 2.0**30)
    g = np.asarray(manual.stable_form(problem).dC_dW)
    sharp = compare.resolution(ref.bounds.stable, {"dC_dW": g})

    def posts(X, W, P):
        return X.T @ (-P * (1 - 1 / (1 + np.exp(-X @ W))) / len(X))

    assert trial_of(lambda X, W, P: gradient(X, W, P)).resolution == sharp
    assert trial_of(posts, made([[2.0]], [[9.0]], [[1]])).resolution > 1e-9
    assert trial_of(lambda X, W, P: gradient(X, W, P), budget=0).resolution == 2 * sharp
    h = float(problem.h)
    by_the_step = trial_of(lambda X, W, P, h: {"W_next": W - h * gradient(X, W, P)}).resolution
    assert by_the_step == pytest.approx(np.min(ref.bounds.stable.W_next / h / np.abs(g)))


def test_a_bound_that_could_not_tell_the_negated_gradient_is_no_evidence():
    """Beyond y = 36.7 the post's 1 - y_o is 0, and a bound that has room for it for anything."""
    problem = made([[1.0]], [[100.0]], [[1]], 0.5)
    right = trial_of(RIGHT, problem)
    assert (right.findings, right.resolution < 1e-13) == ((), True)
    for wrong in (lambda X, W, P: 0 * W, lambda X, W, P: -gradient(X, W, P)):
        (finding,) = answers.judged("it", Chain(dC_dW=wrong(*problem.arrays.values())),
                                    compare.reference(problem, 2.0**30)).findings  # fmt: skip
        assert (finding.check, finding.verdict) == ("resolution", Verdict.CANNOT_JUDGE)
        assert "-dC_dW would pass, too" in finding.message
        (finding,) = trial_of(wrong, problem).findings
        assert finding.check == "formula"


@pytest.mark.parametrize("name", other_forms.FORMS)
def test_right_algorithms_in_other_forms_pass(name):
    def function(X, W, P, h):
        return dict(other_forms.FORMS[name](Problem(X, W, P, h)))

    for y in (-20.0, -3.0, 4.145536955882461, 9.0, 22.9):
        for dtype in DTYPES:
            blind = y > 15 and dtype == "float32"  # there their 1 - y_o has lost its digits
            found = checks(function, made([[1.0]], [[y]], [[1]], 0.5, dtype))
            assert found == ({"resolution"} if blind else set()), (y, dtype)
    assert checks(function, drawn(1)) == set()


def torch_function(backward=lambda g, by_W, by_X, ctx: (by_X * g, by_W * g)):
    torch = pytest.importorskip("torch")

    class Cost(torch.autograd.Function):
        @staticmethod
        def forward(ctx, X, W, P):
            y = X @ W
            ctx.save_for_backward(X, W, P, y)
            return -(P * torch.nn.functional.logsigmoid(y)).sum() / len(X)

        @staticmethod
        def backward(ctx, g):
            X, W, P, y = ctx.saved_tensors
            dy = -P * torch.sigmoid(-y) / len(X)
            by_X, by_W = backward(g, X.T @ dy, dy @ W.T, ctx)
            return by_X, by_W, None

    return Cost


def test_a_right_autograd_function_passes_with_the_gradients_that_it_gives():
    assert checks(torch_function(), arrays="torch") == set()


@pytest.mark.parametrize(
    ("backward", "told"),
    [
        (lambda g, by_W, by_X, ctx: (g * by_X, by_W), "dC_dW for an upstream gradient of -0.3"),
        (lambda g, by_W, by_X, ctx: (g * by_X, g * g * by_W), "dC_dW for an upstream gradient"),
        (lambda g, by_W, by_X, ctx: (g * by_X, abs(g) * by_W), "dC_dW for an upstream gradient"),
        (lambda g, by_W, by_X, ctx: (g * by_X, g.bfloat16().to(g) * by_W), "dC_dW for an upstream"),
        (lambda g, by_W, by_X, ctx: (by_X, g * by_W), "dC_dX is"),
        (lambda g, by_W, by_X, ctx: (2 * g * by_X, g * by_W), "dC_dX is"),
    ],
)
def test_what_a_backward_pass_does_wrong_besides_is_named(backward, told):
    for problem in (drawn(1), drawn(1, dtype="float32")):
        (finding,) = trial_of(torch_function(backward), problem, arrays="torch").findings
        assert finding.check == "backward"
        assert finding.message.startswith(told)


def test_an_upstream_gradient_that_is_changed_in_place_is_named():
    def doubling(g, by_W, by_X, ctx):
        made = g * by_X, g * by_W
        g.mul_(2)
        return made

    assert "mutated" in checks(torch_function(doubling), arrays="torch")


def test_what_is_kept_outside_the_graph_is_another_calls():
    kept = {}

    def forgetful(g, by_W, by_X, ctx):
        return g * by_X, g * kept["by_W"]

    right = torch_function(forgetful)

    class Forgetful(right):
        @staticmethod
        def forward(ctx, X, W, P):
            import torch

            kept["by_W"] = X.T @ (-P * torch.sigmoid(-(X @ W)) / len(X))
            return right.forward(ctx, X, W, P)

    found = trial_of(Forgetful, arrays="torch").findings
    assert {f.message.partition(":")[0] for f in found} == {
        "dC_dW for an upstream gradient of -0.3",
        "dC_dW by a second backward pass through the same graph",
    }


def test_a_second_backward_pass_that_gives_something_else_is_named():
    def tiring(g, by_W, by_X, ctx):
        ctx.passes = getattr(ctx, "passes", 0) + 1
        return by_X * g, by_W * g * (2 if ctx.passes == 2 else 1)

    found = {f.message.partition(":")[0] for f in trial_of(
        torch_function(backward=tiring), arrays="torch").findings}  # fmt: skip
    assert found == {"dC_dW by a second backward pass through the same graph"}


HIDDEN = networks.of(Layer("tanh", bias=True), Layer("softmax"))


def of_hidden(X, W1, b1, W2, P):
    y_o1 = np.tanh(X @ W1 + b1)
    e = np.exp(y_o1 @ W2)
    dC_dy2 = (e / e.sum(1, keepdims=True) * P.sum(1, keepdims=True) - P) / len(X)
    dC_dy1 = dC_dy2 @ W2.T * (1 - y_o1**2)
    return X.T @ dC_dy1, dC_dy1.sum(0), y_o1.T @ dC_dy2


def test_a_right_candidate_of_a_network_has_no_findings():
    found = trial_of(of_hidden, HIDDEN)
    assert found.findings == ()
    assert {f.link for f in found.figures} == {"dC_dW1", "dC_db1", "dC_dW2"}


@pytest.mark.parametrize("name", ["X", "W1", "b1", "W2", "P"])
def test_an_answer_that_is_kept_by_all_but_one_of_its_arrays_is_stale(name):
    known = {}

    def kept_but_for_one(X, W1, b1, W2, P):
        given = dict(zip(("X", "W1", "b1", "W2", "P"), (X, W1, b1, W2, P), strict=True))
        key = b"".join(a.tobytes() for n, a in given.items() if n != name)
        return known.setdefault(key, of_hidden(X, W1, b1, W2, P))

    assert "other data" in checks(kept_but_for_one, HIDDEN)


@pytest.mark.parametrize("name", ["X", "W1", "b1", "W2", "P"])
def test_every_array_of_a_network_is_watched_and_laid_out_otherwise(name):
    def changing(X, W1, b1, W2, P):
        given = dict(zip(("X", "W1", "b1", "W2", "P"), (X, W1, b1, W2, P), strict=True))
        found = of_hidden(X, W1, b1, W2, P)
        given[name] += 1
        return found

    def reading(X, W1, b1, W2, P):
        given = dict(zip(("X", "W1", "b1", "W2", "P"), (X, W1, b1, W2, P), strict=True))
        given[name] = raw(given[name]) if given[name].ndim > 1 else np.lib.stride_tricks.as_strided(
            given[name], given[name].shape, (given[name].itemsize,)
        )  # fmt: skip
        return of_hidden(**given)

    assert "mutated" in checks(changing, HIDDEN)
    assert "layout" in checks(reading, HIDDEN)


def test_a_tuple_in_another_order_is_told_how_it_is_read():
    found = trial_of(lambda X, W1, b1, W2, P: of_hidden(X, W1, b1, W2, P)[::-1], HIDDEN)
    assert "candidate it: its tuple is read as (dC_dW1, dC_db1, dC_dW2)" in found.notes


def test_a_gradient_that_is_0_by_right_passes_another_backward_pass():
    zero = HIDDEN.having(W2=np.zeros_like(HIDDEN.W2))

    def cost(X, W1, b1, W2, P):
        y2 = torch.tanh(X @ W1 + b1) @ W2
        return torch.nn.functional.cross_entropy(y2, P)

    assert trial_of(cost, zero, arrays="torch").findings == ()


def test_above_its_budget_the_truth_judges_a_candidate_on_some_rows():
    problem = networks.of(Layer("tanh", bias=True), Layer("softmax"), N=40)
    calls = []

    def counted(X, W1, b1, W2, P):
        calls.append(len(X))
        return of_hidden(X, W1, b1, W2, P)

    found = trial_of(counted, problem, budget=20000)
    assert found.findings == ()
    assert calls[0] == 40
    assert any(0 < n < 40 for n in calls)

    def wrong_there(X, W1, b1, W2, P):
        dC_dW1, dC_db1, dC_dW2 = of_hidden(X, W1, b1, W2, P)
        return dC_dW1, dC_db1, dC_dW2 * (1 + 1e-9 * (len(X) < 40))

    (finding,) = trial_of(wrong_there, problem, budget=20000).findings
    assert finding.link == "dC_dW2"
    assert "in a batch of" in finding.message


def operation(backward):
    """tanh(X W + b) as an autograd.Function; its backward is given X, W, y_o, G and ctx."""

    class Operation(torch.autograd.Function):
        @staticmethod
        def forward(ctx, X, W, b):
            y_o = torch.tanh(X @ W + b)
            ctx.save_for_backward(X, W, y_o)
            return y_o

        @staticmethod
        def backward(ctx, g):
            return backward(*ctx.saved_tensors, g, ctx)

    return Operation


def _right_of_tanh(X, W, y_o, g, ctx):
    dy = g * (1 - y_o * y_o)
    return dy @ W.T, X.T @ dy, dy.sum(0)


def _by_memory(X, W, y_o, g, ctx):
    g = torch.as_strided(g, g.shape, y_o.stride())
    return _right_of_tanh(X, W, y_o, g, ctx)


def _by_need(X, W, y_o, g, ctx):
    by_X, by_W, by_b = _right_of_tanh(X, W, y_o, g, ctx)
    return (by_X, by_W, by_b) if ctx.needs_input_grad[2] else (by_X, 2 * by_W, None)


def _tiring(X, W, y_o, g, ctx):
    y_o.mul_(0.5)
    return _right_of_tanh(X, W, y_o * 2, g, ctx)


def _in_place(X, W, y_o, g, ctx):
    g.mul_(1 - y_o * y_o)
    return g @ W.T, X.T @ g, g.sum(0)


def _normalized(X, W, y_o, g, ctx):
    by_X, by_W, by_b = _right_of_tanh(X, W, y_o, g, ctx)
    return by_X, by_W + (g == 0).all(), by_b


def _of_X(X, W, y_o, g, ctx):
    by_X, by_W, by_b = _right_of_tanh(X, W, y_o, g, ctx)
    return by_X * 1.5, by_W, by_b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("backward", "told"),
    [
        (_right_of_tanh, None),
        (_by_memory, "with G as every second column of a wider array: dC_dW"),
        (_by_memory, "with G in Fortran order: dC_dW"),
        (_by_need, "dC_dW where W alone needs a gradient"),
        (_in_place, "G was changed in place; work on a copy"),
        (_normalized, "on an upstream gradient of 0, in the same array: dC_dW"),
        (_of_X, "dC_dX is"),
    ],
)
def test_an_autograd_function_of_one_operation_is_asked_in_all_its_uses(backward, told, dtype):
    problem = networks.of(Layer("tanh", bias=True), cost="upstream", sizes=(4, 3), dtype=dtype)
    found = trial_of(operation(backward), problem, arrays="torch").findings
    if told is None:
        assert found == ()
    else:
        assert any(f.message.startswith(told) for f in found), found


def test_what_a_backward_pass_changes_of_what_was_saved_is_seen_by_the_next():
    problem = networks.of(Layer("tanh", bias=True), cost="upstream", sizes=(4, 3))
    found = trial_of(operation(_tiring), problem, arrays="torch").findings
    assert found


def test_an_upstream_gradient_of_0_is_asked_of_a_numpy_backward_pass_too():
    def back(X, W, G):
        by_W = X.T @ (G * (1 - np.tanh(X @ W) ** 2))
        return by_W + (not G.any())

    problem = networks.of(Layer("tanh"), cost="upstream", sizes=(4, 3))
    (finding, *_) = trial_of(back, problem).findings
    assert finding.message.startswith("on an upstream gradient of 0, in the same array")


# ---- 16 bits

OF_16_BITS = pytest.mark.parametrize("dtype", SIXTEEN)


def many_rows(dtype):
    """1,500 rows of one sign: a sum that accumulates in 16 bits stops growing."""
    rng = np.random.default_rng(5)
    X, W = rng.uniform(0.5, 1, size=(1500, 3)), rng.normal(size=(3, 2))
    return problems.sixteen(made(X, W, np.ones((1500, 2)), 0.125), dtype)


@OF_16_BITS
@pytest.mark.parametrize("function", [sixteen.right, sixteen.gradient])
def test_a_right_program_in_16_bits_passes_and_notices_little(function, dtype):
    for problem in (problems.sixteen(drawn(1, N=9), dtype), many_rows(dtype)):
        found = trial_of(function, problem)
        assert found.findings == ()
        assert 1e-3 < found.resolution < 32 * MODELS[dtype].u


@OF_16_BITS
@pytest.mark.parametrize("name", sixteen.WRONG)
def test_a_wrong_one_fails_with_enough_rows(name, dtype):
    found = trial_of(sixteen.WRONG[name], many_rows(dtype))
    assert {f.check for f in found.findings} == {"bound"}


@OF_16_BITS
@pytest.mark.parametrize("name", ["narrow", "narrow, alone"])
def test_a_sum_that_accumulates_in_16_bits_is_called_one(name, dtype):
    found = trial_of(sixteen.WRONG[name], many_rows(dtype))
    assert found.likenesses is not None
    assert found.likenesses[0].fault == ACCUMULATED
    others = trial_of(sixteen.WRONG["doubled"], many_rows(dtype))
    assert "2" in {like.factor for like in others.likenesses or ()}
    assert ACCUMULATED not in {like.fault for like in others.likenesses or ()}


@OF_16_BITS
def test_an_answer_in_float32_is_told_that_its_numbers_are_right(dtype):
    found = trial_of(lambda X, W, P, h: gradient_in_float32(X, W, P, h), many_rows(dtype))
    (finding,) = found.findings
    assert finding.message == f"dC_dW has dtype float32; expected {dtype}"
    assert any("round them to the dtype of X" in note for note in found.notes)


def gradient_in_float32(X, W, P, h):
    X, W, P = (a.astype(np.float32) for a in (X, W, P))
    return X.T @ (-P / (1 + np.exp(X @ W))) / len(X)


@OF_16_BITS
def test_a_torch_cost_in_16_bits_is_judged_for_its_own_backward(dtype):
    def cost(X, W, P):
        return -(P * torch.nn.functional.logsigmoid(X @ W)).sum() / len(X)

    assert trial_of(cost, many_rows(dtype), arrays="torch").findings == ()


def embedded():
    """Two features, of which each row takes a row of W1; several rows are taken twice."""
    rng = np.random.default_rng(2)
    layers = Layer("tanh", embedding=True), Layer("softmax")
    network = Network(layers, update=Update("momentum", 0.5))
    weights = {"W1": rng.normal(size=(4, 3)), "W2": rng.normal(size=(6, 3))}
    X, P = rng.integers(0, 4, (8, 2)), np.eye(3)[rng.integers(0, 3, 8)]
    state = {"vW1": weights["W1"] / 8}
    return Problem(X, weights, P, np.float64(0.5), network, state, 3)


def embedding(X, W1, W2, P, send=np.add.at):
    """The gradients; `send` brings each part to the row that it came from."""
    y_o1 = np.tanh(W1[X].reshape(len(X), -1))
    e = np.exp(y_o1 @ W2)
    g = (e / e.sum(1, keepdims=True) - P) / len(X)
    found = np.zeros_like(W1)
    send(found, X, (g @ W2.T * (1 - y_o1**2)).reshape(*X.shape, -1))
    return found, y_o1.T @ g


def test_a_candidate_of_an_embedding_gets_row_numbers():
    kinds = set()

    def watched(X, W1, W2, P):
        kinds.add(X.dtype)
        return embedding(X, W1, W2, P)

    found = trial_of(watched, embedded())
    assert found.findings == ()
    assert found.resolution < 1e-12
    assert kinds == {np.dtype(np.int64)}


def test_an_assignment_where_rows_are_taken_twice_is_named():
    def assigned(X, W1, W2, P):
        return embedding(X, W1, W2, P, lambda to, X, parts: to.__setitem__(X, parts))

    assert {f.link for f in trial_of(assigned, embedded()).findings} == {"dC_dW1"}


def step(X, W1, W2, P, h, vW1, vW2, wrong=False):
    by = dict(zip(("W1", "W2"), embedding(X, W1, W2, P), strict=True))
    v = {"W1": 0.5 * vW1 + by["W1"], "W2": 0.5 * vW2 + by["W2"]}
    links = {f"dC_d{n}": g for n, g in by.items()} | {f"v{n}_next": a for n, a in v.items()}
    ahead = by["W1"] + 0.5 * v["W1"] if wrong else v["W1"]
    return links | {"W1_next": W1 - h * ahead, "W2_next": W2 - h * v["W2"]}


def test_what_an_update_keeps_may_be_taken_by_name():
    assert trial_of(step, embedded()).findings == ()
    nesterov = functools.partial(step, wrong=True)
    assert [f.link for f in trial_of(nesterov, embedded()).findings] == ["W1_next"]


def test_where_an_update_leads_does_not_stand_for_the_gradient():
    found = trial_of(lambda X, W1, W2, P: {"W1_next": W1, "W2_next": W2}, embedded())
    assert any("no dC_dW1 to be judged" in f.message for f in found.findings)


def test_a_torch_cost_of_an_embedding_passes():
    def cost(X, W1, W2, P):
        y = torch.tanh(torch.nn.functional.embedding(X, W1).flatten(1)) @ W2
        return torch.nn.functional.cross_entropy(y, P)

    assert trial_of(cost, embedded(), arrays="torch").findings == ()
