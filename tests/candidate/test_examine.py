"""One call of a stranger's function, and what it does besides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.problems import drawn, sixteen
from verify.candidate.candidate import of_function
from verify.candidate.examine import Reply
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS
from verify.numbers.dtypes import SIXTEEN

RIGHT = with_formulas()()


def reply_of(function, **how) -> Reply:
    return of_function(function).ask(drawn(1), **how).reply


def test_a_right_function_gives_its_links_and_nothing_else():
    reply = reply_of(RIGHT)
    assert (reply.aliased, reply.notes, reply.trouble, reply.misuse) == ((), (), "", "")
    assert len(reply.links) == 8


@pytest.mark.parametrize(
    ("fault", "changed"),
    [("weights-changed", "W"), ("inputs-changed", "X"), ("labels-changed", "P")],
)
def test_what_is_changed_in_place_is_seen_and_the_callers_arrays_are_not_touched(fault, changed):
    problem = drawn(1)
    before = problem.X.copy(), problem.W.copy(), problem.P.copy()
    assert of_function(FAULTS[fault].make()).ask(problem).changed == (changed,)
    for a, b in zip((problem.X, problem.W, problem.P), before, strict=True):
        assert np.array_equal(a, b)


def test_an_answer_that_shares_memory_with_an_input_is_told():
    assert reply_of(lambda X, W, P, h: W).aliased == (("dC_dW", "W"),)
    assert reply_of(lambda X, W, P, h: W * 1).aliased == ()


def test_the_first_answer_is_recalled_as_it_is_now():
    given = []

    def handing_out(X, W, P, h):
        given.append(W * 1)
        return given[-1]

    candidate, problem = of_function(handing_out), drawn(1)
    candidate.ask(problem, first=True)
    candidate.ask(problem)
    assert np.array_equal(candidate.session.recalled().links["dC_dW"], problem.W)
    given[0][...] = 7
    assert (candidate.session.recalled().links["dC_dW"] == 7).all()


def test_a_kept_call_gets_the_very_arrays_of_the_one_before_with_other_numbers():
    seen = []

    def watching(X, W, P, h):
        seen.append((X, X.copy()))
        return W * 1

    candidate, problem = of_function(watching), drawn(1)
    candidate.ask(problem)
    candidate.ask(drawn(2), kept=True)
    candidate.ask(problem)
    assert seen[0][0] is seen[1][0]
    assert np.array_equal(seen[1][1], drawn(2).X)
    assert not np.shares_memory(seen[1][0], seen[2][0])
    assert np.array_equal(seen[0][0], drawn(2).X)  # what was kept of a call stays as it was


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (None, "it returns None; return dC_dW alone, or links by their names"),
        ("text", "it returns str of dtype <U4, which is no array of numbers"),
        ({"dW": 1}, "unknown link 'dW' in its answer; the links are y, y_o, C, "),
        ({"dW": 1}, "did you mean dC_dW?"),
        ({"dC_dw": 1}, "did you mean dC_dW?"),
        ({"loss": 1}, "did you mean C?"),
        ({}, "an empty mapping"),
        ({"y": None}, "an empty mapping"),
        ([[1], [1, 2]], "it returns a list of 2"),
        (
            (1.5, np.zeros((2, 3))),
            "it returns a tuple of 2 (shapes (), (2, 3)); return dC_dW alone",
        ),
        (object(), "which is no array of numbers"),
    ],
)
def test_what_is_no_answer_is_misuse_and_told_with_what_would_do(raw, sentence):
    reply = reply_of(lambda X, W, P, h: raw)
    assert sentence in reply.misuse
    assert reply.trouble == reply.misuse


def test_a_link_that_is_none_is_not_given():
    assert list(reply_of(lambda X, W, P: {"y_o": None, "dC_dW": W * 1}).links) == ["dC_dW"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_whatever_a_function_raises_is_told_with_its_line(error):
    def raising(X, W, P, h):
        raise error("tired")

    line = raising.__code__.co_firstlineno + 1
    reply = reply_of(raising)
    assert reply.trouble == f"{error.__name__}: tired, at tests/candidate/test_examine.py:{line}"
    assert reply.misuse == ""


def test_the_line_is_that_of_the_strangers_own_code_and_not_of_a_library():
    def raising(X, W, P, h):
        return np.linalg.inv(np.zeros((2, 2)))

    line = raising.__code__.co_firstlineno + 1
    assert reply_of(raising).trouble.endswith(f"at tests/candidate/test_examine.py:{line}")


def test_a_function_of_tensors_is_told_which_option_it_needs():
    def cost(X, W, P):
        return -(P * torch.nn.functional.logsigmoid(X @ W)).sum() / len(X)

    assert reply_of(cost).misuse == "it takes torch tensors: add --candidate-arrays torch"


def test_lists_and_tensors_are_answers():
    for made in (lambda g: g.tolist(), torch.tensor, lambda g: torch.tensor(g, requires_grad=True)):
        reply = reply_of(lambda X, W, P, h, made=made: made(RIGHT(X, W, P, h)["dC_dW"]))
        assert reply.trouble == ""
        assert reply.links["dC_dW"].shape == drawn(1).W.shape


def test_a_tuple_of_the_one_gradient_is_the_gradient():
    for answer in (lambda g: (g,), lambda g: [g]):
        reply = reply_of(lambda X, W, P, answer=answer: answer(X.T @ P))
        assert reply.links["dC_dW"].shape == (4, 3)


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_a_function_is_given_16_bits_and_may_answer_in_them(dtype):
    problem = sixteen(drawn(1), dtype)
    given = {}

    def function(X, W, P, h):
        given.update(X=X, W=W, P=P, h=h)
        return W * h

    found = of_function(function).ask(problem).reply.links["dC_dW"]
    assert {str(np.asarray(a).dtype) for a in (*given.values(), found)} == {dtype}
    assert np.array_equal(given["X"], problem.X)


def test_a_tensor_of_bfloat16_is_an_answer():
    problem = sixteen(drawn(1), "bfloat16")
    answer = torch.tensor(problem.W.astype(np.float32)).bfloat16()
    found = of_function(lambda X, W, P, h: answer).ask(problem).reply.links["dC_dW"]
    assert np.array_equal(found, problem.W)
    assert found.dtype == problem.dtype
