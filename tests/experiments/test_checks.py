"""Checks of functions by hand: they see what they look at."""

from __future__ import annotations

import pytest

from verify.experiments.checks import CHECKS, Trial
from verify.experiments.peers import notices
from verify.faults.functions import FUNCTIONS

BLIND_IN_FLOAT32 = ("gradcheck, slow", "gradcheck, fast")


def noticed(check: str, name: str, mistake: str = "", dtype: str = "") -> bool:
    function, (dtypes, look) = FUNCTIONS[name], CHECKS[check]
    backward = function.mistaken()[mistake] if mistake else function.backward
    return notices(look, backward, Trial(function, function.inputs(dtype or dtypes[0])))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", ["linear", "softmax-cross-entropy", "lstm-cell"])
def test_a_right_backward_pass_is_not_noticed(check, name):
    assert not noticed(check, name)


@pytest.mark.parametrize("check", CHECKS)
def test_a_wrong_sign_is_noticed(check):
    assert noticed(check, "quadratic-form", "sign-of-the-mean")


@pytest.mark.parametrize("check", BLIND_IN_FLOAT32)
def test_gradcheck_as_it_is_blames_what_is_right_in_float32(check):
    assert noticed(check, "linear", dtype="float32")


SEES = {
    ("gradcheck, slow", "gelu-tanh", "constant-rounded"): False,
    ("gradcheck, slow", "linear", "bias-gradient-not-summed"): False,  # torch sums it
    ("gradcheck, slow", "binary-cross-entropy", "clipped"): False,
    ("five points, within 1e-9", "gelu-tanh", "constant-rounded"): True,
    ("five points, within 1e-9", "linear", "bias-gradient-not-summed"): True,
    ("allclose with autograd", "huber", "upstream-ignored"): True,
    ("allclose with autograd", "linear", "bias-gradient-not-summed"): True,
    ("allclose with autograd, upstream 1", "huber", "upstream-ignored"): False,
}


@pytest.mark.parametrize(("check", "name", "mistake"), SEES)
def test_a_check_sees_what_it_looks_at_and_no_more(check, name, mistake):
    assert noticed(check, name, mistake) == SEES[check, name, mistake]


def test_an_input_of_whole_numbers_has_no_gradient():
    trial = Trial(FUNCTIONS["embedding"], FUNCTIONS["embedding"].inputs("float64"))
    assert trial.sought == ["table"]
