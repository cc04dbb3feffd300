"""How a function is called: by its parameters' names, or in order."""

from __future__ import annotations

import pytest

from verify.candidate.arguments import Misuse, arguments, is_result

GIVEN = dict(zip(("X", "W1", "b1", "W2", "P", "h"), range(6), strict=True))
OPERATION = {"X": 0, "W": 1, "b": 2, "G": 3}


@pytest.mark.parametrize(
    ("function", "taken"),
    [
        (lambda X, W1, b1, W2, P: (X, W1, b1, W2, P), (0, 1, 2, 3, 4)),
        (lambda P, W2, b1, W1, X, h: (P, W2, b1, W1, X, h), (4, 3, 2, 1, 0, 5)),
        (lambda X, P, *, W1, W2, b1: (X, P, W1, W2, b1), (0, 4, 1, 3, 2)),
        (lambda a, b, c, d, e: (a, b, c, d, e), (0, 1, 2, 3, 4)),
        (lambda a, b, c, d, e, f: (a, b, c, d, e, f), (0, 1, 2, 3, 4, 5)),
        (lambda *arrays: arrays, (0, 1, 2, 3, 4, 5)),
        (lambda X, W1, b1, W2, P, verbose=False: (X, verbose), (0, False)),
    ],
)
def test_a_networks_parameters_are_given_by_name_or_in_order(function, taken):
    assert arguments(function)(function, GIVEN) == taken


KEPT = dict(zip(("X", "W", "P", "h", "vW", "t"), range(6), strict=True))


@pytest.mark.parametrize(
    ("function", "taken"),
    [
        (lambda X, W, P: (X, W, P), (0, 1, 2)),
        (lambda a, b, c, rate: (a, b, c, rate), (0, 1, 2, 3)),
        (lambda *arrays: arrays, (0, 1, 2, 3)),
        (lambda X, W, vW, P, t: (X, W, vW, P, t), (0, 1, 4, 2, 5)),
        (lambda a, b, c, d, e, f: (a, b, c, d, e, f), (0, 1, 2, 3, 4, 5)),
    ],
)
def test_what_an_update_keeps_is_given_to_who_names_it(function, taken):
    assert arguments(function)(function, KEPT) == taken


def test_one_function_may_be_called_for_several_networks():
    def function(*arrays):
        return arrays

    call = arguments(function)
    assert call(function, GIVEN) == (0, 1, 2, 3, 4, 5)
    assert call(function, OPERATION) == (0, 1, 2, 3)


def test_what_a_library_differentiates_need_not_take_the_upstream_gradient():
    def function(X, W, b):
        return X, W, b

    call = arguments(function, needed=lambda name: name != "G")
    assert call(function, OPERATION) == (0, 1, 2)
    assert is_result(call, OPERATION)
    assert not is_result(call, GIVEN)
    taking = arguments(lambda X, W, b, G: 0, needed=lambda name: name != "G")
    assert not is_result(taking, OPERATION)
    with pytest.raises(Misuse, match=r"it takes \(X, W, b\); a candidate takes \(X, W, b, G\)"):
        arguments(function)(function, OPERATION)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda X, W1, W2, P: 0, r"it takes \(X, W1, W2, P\); a candidate takes"
         r" \(X, W1, b1, W2, P, h\) or \(X, W1, b1, W2, P\), in this order or by these names"),
        (lambda X, W, P, h: 0, r"it takes \(X, W, P, h\)"),
        (lambda X, W1, W2, b1, P, rate: 0, "in this order or by these names"),
    ],
)  # fmt: skip
def test_other_parameters_are_told_with_what_would_do(function, told):
    with pytest.raises(Misuse, match=told):
        arguments(function)(function, GIVEN)


def test_what_a_function_of_other_names_raises_is_told_with_what_it_was_called_with():
    def function(x, w1, w2, bias, t):
        return x @ w1

    with pytest.raises(TypeError) as error:
        arguments(function)(function, GIVEN)
    assert error.value.__notes__ == ["called with X, W1, b1, W2, P, in this order"]
