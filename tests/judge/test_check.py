"""One function held against the exact derivative of another: what it does besides."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from verify.errors import UsageError
from verify.judge import check


class Tanh:
    """A layer as people write it: forward keeps what backward needs."""

    def __init__(self) -> None:
        self.calls = np.zeros(3)

    def forward(self, x):
        self.calls = 0.5 * self.calls + x.sum(axis=0)
        self.y = np.tanh(x)
        return self.y

    def backward(self, G):
        return G * (1 - self.y**2)


_x = np.linspace(-1, 1, 12).reshape(4, 3)


def _checks(result):
    return {f.check for f in result.findings}


def test_a_layer_that_keeps_its_output_is_right_and_stays_a_layer_of_floats() -> None:
    layer = Tanh()
    result = verify.gradcheck(layer.forward, lambda G, x: layer.backward(G), [_x])
    assert result.ok, result
    assert type(layer.y) is np.ndarray
    assert layer.y.dtype == layer.calls.dtype == np.float64
    assert not verify.gradcheck(layer.forward, lambda G, x: 2 * layer.backward(G), [_x]).ok


def test_gradients_in_memory_that_is_used_again_are_right() -> None:
    kept = np.empty_like(_x)
    result = verify.gradcheck(np.sin, lambda G, x: np.multiply(G, np.cos(x), out=kept), {"x": _x})
    assert "formula" not in _checks(result)
    assert "bound" not in _checks(result)


def test_a_branch_that_jumps_is_no_kink() -> None:
    def masked(x, m):
        return np.where(m > 0, x, 0)

    m = np.array([0.0, 1, 1])
    assert verify.gradcheck(masked, lambda G, x, m: (G * (m > 0), 0 * m), [np.ones(3), m]).ok
    assert not verify.gradcheck(masked, lambda G, x, m: (G, 0 * m), [np.ones(3), m]).ok


def test_inputs_go_to_the_parameters_of_their_names() -> None:
    def quotient(x, y):
        return x / y

    def back(G, x, y):
        return {"x": G / y, "y": -G * x / (y * y)}

    inputs = {"y": np.array([2.0, 4.0]), "x": np.array([1.0, 3.0])}
    assert verify.gradcheck(quotient, back, inputs).ok
    assert verify.gradcheck(quotient, lambda G, x, y: tuple(back(G, x, y).values()), inputs).ok
    with pytest.raises(UsageError, match="forward has no parameter z; it has x, y"):
        verify.gradcheck(quotient, back, {"x": np.ones(2), "z": np.ones(2)})


def test_a_forward_pass_that_changes_its_inputs_is_told() -> None:
    def doubles(x):
        x *= 2
        return x

    with pytest.raises(UsageError, match="forward changes x in place; work on a copy"):
        verify.gradcheck(doubles, lambda G, x: 2 * G, [np.ones(3)])


@pytest.mark.parametrize("answer", [lambda G, x: "no", lambda G, x: np.array(G, object)])
def test_an_answer_that_is_no_array_of_numbers_is_told(answer) -> None:
    (finding, *_) = verify.gradcheck(np.sin, answer, {"x": _x}).findings
    assert finding.message == "dC_dx is no array of numbers"


@pytest.mark.parametrize("name", ["x", "dC_dx"])
def test_a_mapping_names_inputs_or_derivatives(name: str) -> None:
    assert verify.gradcheck(np.sin, lambda G, x: {name: G * np.cos(x)}, {"x": _x}).ok


def test_one_gradient_may_be_a_list_of_rows() -> None:
    assert verify.gradcheck(np.sin, lambda G, x: list(G * np.cos(x)), {"x": _x}).ok


def test_a_small_entry_is_as_exact_as_a_large_one() -> None:
    x = np.array([1e10, 1e-8])
    wrong = verify.gradcheck(np.square, lambda G, x: G * x * np.where(x < 1, 3, 2), {"x": x})
    assert _checks(wrong) == {"formula"}


def test_noise_of_another_layout_is_no_other_number() -> None:
    def softmax(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    def back(G, x):
        p = softmax(x)
        return p * (G - G @ p)

    assert verify.gradcheck(softmax, back, [np.linspace(0, 1, 39)], np.full(39, 0.1)).ok


def test_what_happens_in_place_to_a_float_mask_is_followed() -> None:
    def back(G, x):
        d = (x > 0).astype(x.dtype)
        d *= G
        return d

    result = verify.gradcheck(lambda x: np.maximum(x, 0), back, [_x])
    assert result.ok
    assert not any("could not be followed" in note for note in result.notes)


def test_the_class_is_what_both_checks_are_made_of() -> None:
    assert check.Check.__module__ == "verify.judge.check"


@pytest.mark.parametrize(
    "answer", [lambda g: {"dC_dx": g}, lambda g: {"x": g}, lambda g: list(g), lambda g: (g,)]
)
def test_an_answer_is_read_alike_of_floats_and_of_exact_numbers(answer) -> None:
    wrong = verify.gradcheck(np.sin, lambda G, x: answer(2 * G * np.cos(x)), {"x": _x})
    assert _checks(wrong) == {"formula"}
    assert not any("followed" in note for note in wrong.notes)
