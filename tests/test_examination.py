"""What is asked of a stranger's function besides its numbers."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from problems import drawn

from verify.examination import Inputs, examine
from verify.faults import FAULTS
from verify.formulas import with_formulas

RIGHT = with_formulas()()


def inputs(**more) -> Inputs:
    p = drawn(1)
    return Inputs(p.X, p.W, p.P, np.asarray(p.h), p.X[::-1] * 0.5, **more)


def faults_of(function) -> list[str]:
    return [fault.split(":")[0] for fault in examine(function, inputs()).faults]


def test_a_right_function_breaks_no_promise():
    answer = examine(RIGHT, inputs(layouts=("F", "strided", "read-only")))
    assert (answer.faults, answer.notes, answer.trouble) == ((), (), "")
    assert set(answer.layouts) == {"F", "strided", "read-only"}
    assert len(answer.links) == len(answer.other) == 8


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("weights-changed", "mutated"),
        ("inputs-changed", "mutated"),
        ("labels-changed", "mutated"),
        ("buffer-reused", "reused"),
        ("momentum", "repeat"),
        ("gradient-accumulated", "repeat"),
        ("any-order", "repeat"),
    ],
)
def test_a_broken_promise_is_named(fault, promise):
    assert promise in faults_of(FAULTS[fault].make())


def test_an_answer_that_shares_memory_with_an_input_is_named():
    assert faults_of(lambda X, W, P, h: W) == ["aliased"]


def test_the_callers_arrays_are_never_touched():
    given = inputs()
    before = given.X.copy(), given.W.copy(), given.P.copy()
    for name in ("weights-changed", "inputs-changed", "labels-changed"):
        examine(FAULTS[name].make(), given)
    for a, b in zip((given.X, given.W, given.P), before, strict=True):
        assert np.array_equal(a, b)


def test_what_is_printed_is_told_and_shown_nowhere(capfd):
    def printing(X, W, P, h):
        print("hello")  # noqa: T201 what strangers do
        return RIGHT(X, W, P, h)

    answer = examine(printing, inputs())
    assert "it prints 'hello\\n" in answer.notes[0]
    assert capfd.readouterr().out == ""
    assert answer.faults == ()


def test_what_is_changed_in_the_process_is_told_and_put_back(tmp_path):
    def disturbing(X, W, P, h):
        np.seterr(all="raise")
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        os.chdir(tmp_path)
        return RIGHT(X, W, P, h)

    here, kinds, numbers = os.getcwd(), np.geterr(), random.getstate()  # noqa: PTH109
    answer = examine(disturbing, inputs())
    assert len(answer.notes) == 4
    assert all("put back" in note for note in answer.notes)
    assert (os.getcwd(), np.geterr(), random.getstate()) == (here, kinds, numbers)  # noqa: PTH109


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (None, "TypeError: None is no answer"),
        ("text", "TypeError: str of dtype <U4 is no array of numbers"),
        ({"dW": 1}, "unknown link 'dW'; allowed are y, y_o, C"),
        ({}, "an empty mapping"),
        ([[1], [1, 2]], "ValueError"),
    ],
)
def test_what_is_no_answer_is_told(raw, sentence):
    assert sentence in examine(lambda X, W, P, h: raw, inputs()).trouble


def test_what_a_layout_raises_names_the_layout():
    def particular(X, W, P, h):
        X[0, 0] *= 1
        return RIGHT(X, W, P, h)

    answer = examine(particular, inputs(layouts=("read-only",)))
    assert answer.trouble.startswith("RuntimeError: with X read-only: ValueError")


def test_lists_and_tensors_are_answers():
    import torch

    p = drawn(1)
    for made in (lambda g: g.tolist(), torch.tensor, lambda g: torch.tensor(g, requires_grad=True)):
        answer = examine(lambda X, W, P, h, made=made: made(RIGHT(X, W, P, h)["dC_dW"]), inputs())
        assert answer.trouble == ""
        assert answer.links["dC_dW"].shape == p.W.shape
