"""Any function in NumPy: its backward pass against the exact derivative of its forward pass."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from verify.errors import UsageError

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def _drawn(*shape: int, dtype: str = "float64"):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_back(G, x):
    s = softmax(x)
    return s * (G - (G * s).sum(axis=1, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_back(G, x):
    s = sigmoid(x)
    return G * s * (1 - s)


def affine(x, W, b):
    return x @ W + b


def affine_back(G, x, W, b):
    return G @ W.T, x.T @ G, G.sum(axis=0)


def gathered(ids, W):
    return W[ids]


def gathered_back(G, ids, W):
    made = np.zeros_like(W)
    np.add.at(made, ids, G)
    return None, made


def _checks(result) -> set[str]:
    return {f.check for f in result.findings}


@DTYPES
def test_right_backward_passes_are_right(dtype: str) -> None:
    x, W, b = _drawn(4, 3, dtype=dtype), _drawn(3, 5, dtype=dtype), _drawn(5, dtype=dtype)
    ids = np.array([0, 2, 1, 2])
    for forward, backward, inputs in (
        (softmax, softmax_back, [x]),
        (sigmoid, sigmoid_back, [x]),
        (affine, affine_back, [x, W, b]),
        (gathered, gathered_back, [ids, W]),
    ):
        result = verify.gradcheck(forward, backward, inputs)
        assert result.ok, result.findings
        assert not any("followed" in note for note in result.notes)
        assert result.resolution < 1e-3


@DTYPES
def test_a_mistake_of_mathematics_is_proven(dtype: str) -> None:
    def diagonal(G, x):
        s = softmax(x)
        return G * s * (1 - s)

    result = verify.gradcheck(softmax, diagonal, [_drawn(4, 3, dtype=dtype)])
    assert _checks(result) == {"formula"}
    assert "in exact arithmetic, at [" in result.findings[0].message
    assert result.first_broken_link == "dC_dx"


def test_a_mistake_far_below_any_tolerance_is_proven() -> None:
    def slightly(G, x):
        return softmax_back(G, x) * (1 + 1e-12)

    assert _checks(verify.gradcheck(softmax, slightly, [_drawn(4, 3)])) == {"formula"}


@DTYPES
def test_a_right_formula_that_loses_its_digits_is_told_with_the_step(dtype: str) -> None:
    x = np.array([1, 20.0, 37.0], dtype)
    result = verify.gradcheck(sigmoid, sigmoid_back, [x])
    assert _checks(result) == {"arithmetic"}
    message = result.findings[0].message
    assert message.startswith("the formula of dC_dx is right; its arithmetic loses all digits")
    assert "1 - s: a difference cancels, test_gradcheck.py:" in message


def test_a_wrong_formula_that_loses_digits_too_is_told_both() -> None:
    def both(G, x):
        s = sigmoid(x)
        return 2 * G * s * (1 - s)

    result = verify.gradcheck(sigmoid, both, [np.array([1.0, 37.0])])
    assert _checks(result) == {"formula", "arithmetic"}
    assert not any("formula of dC_dx is right" in f.message for f in result.findings)


def test_a_factor_and_a_transpose_are_named() -> None:
    x = _drawn(3, 3)
    result = verify.gradcheck(softmax, lambda G, x: 3 * softmax_back(G, x), [x])
    assert "dC_dx is 3 times the right one" in result.notes
    result = verify.gradcheck(softmax, lambda G, x: softmax_back(G, x).T, [x])
    assert "dC_dx is transposed" in result.notes


def test_at_a_kink_both_sides_are_right_and_it_is_told() -> None:
    x = np.array([1.0, 0.0, -1.0])
    forwards = (lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0), lambda x: x * (x > 0))
    for forward in forwards:
        for slope in (lambda G, x: G * (x >= 0), lambda G, x: G * (x > 0)):
            result = verify.gradcheck(forward, slope, [x])
            assert result.ok
            assert any("kink" in note for note in result.notes)
        assert not verify.gradcheck(forward, lambda G, x: G * (x > 0) + 2 * G * (x == 0), [x]).ok


@pytest.mark.parametrize(
    ("backward", "check", "told"),
    [
        (lambda G, x: softmax_back(G, x)[0], "shape", "has shape (3,); expected (4, 3)"),
        (lambda G, x: softmax_back(G, x).astype("f4"), "dtype", "float32; expected float64"),
        (lambda G, x: (G, G), "gradient", "it gives 2 arrays; expected x"),
        (lambda G, x: {"y": G}, "gradient", "it gives 'y'; expected x"),
        (lambda G, x: None, "gradient", "dC_dx is None; forward depends on x"),
        (lambda G, x: 1 / 0, "exception", "ZeroDivisionError"),
        (lambda G, x: np.ones_like(x), "upstream", "is it left out?"),
    ],
)
def test_an_answer_of_another_kind_is_told(backward, check: str, told: str) -> None:
    result = verify.gradcheck(softmax, backward, [_drawn(4, 3)])
    assert not result.ok
    assert check in _checks(result)
    assert told in " ".join(f.message for f in result.findings)


def test_behaviour_is_told() -> None:
    calls = []

    def keeps(G, x):
        calls.append(1)
        return softmax_back(G, x) * len(calls)

    def mutates(G, x):
        x -= 1
        return softmax_back(G, x)

    def by_memory(G, x):
        G = np.lib.stride_tricks.as_strided(G, G.shape, (24, 8))
        return softmax_back(G, x)

    x = _drawn(4, 3)
    assert "repeat" in _checks(verify.gradcheck(softmax, keeps, [x]))
    assert _checks(verify.gradcheck(softmax, mutates, [x])) == {"mutated"}
    assert "layout" in _checks(verify.gradcheck(softmax, by_memory, [x]))


def test_several_results_have_several_upstreams() -> None:
    def two(x):
        return x * x, x.sum(axis=0)

    def back(G, x):
        square, total = G
        return 2 * x * square + total

    assert verify.gradcheck(two, back, [_drawn(4, 3)]).ok
    assert not verify.gradcheck(two, lambda G, x: 2 * x * G[0], [_drawn(4, 3)]).ok


def test_inputs_and_gradients_go_by_name() -> None:
    def back(G, x, W, b):
        return {"b": G.sum(axis=0), "x": G @ W.T, "W": x.T @ G}

    inputs = {"x": _drawn(4, 3), "W": _drawn(3, 5), "b": _drawn(5)}
    assert verify.gradcheck(affine, back, inputs).ok
    result = verify.gradcheck(affine, lambda G, **k: {"b": G.sum(0)}, inputs)
    assert not result.ok


def test_a_second_derivative_is_that_of_the_backward_pass() -> None:
    def tanh_back(G, x):
        return G * (1 - np.tanh(x) ** 2)

    def second(H, G, x):
        t = np.tanh(x)
        return H * (1 - t * t), H * G * -2 * t * (1 - t * t)

    x = _drawn(4, 3)
    assert verify.gradcheck(tanh_back, second, (_drawn(4, 3), x)).ok
    assert not verify.gradcheck(tanh_back, lambda H, G, x: (H, H), (_drawn(4, 3), x)).ok


def test_a_forward_mode_derivative_is_judged_alike() -> None:
    def jvp(V, x):
        s = softmax(x)
        return s * (V - (V * s).sum(axis=1, keepdims=True))

    x = _drawn(4, 3)
    assert verify.jvpcheck(softmax, jvp, [x]).ok
    assert _checks(verify.jvpcheck(softmax, lambda V, x: V * softmax(x), [x])) == {"formula"}

    def of_affine(V, x, W, b):
        return V[0] @ W + x @ V[1] + V[2]

    assert verify.jvpcheck(affine, of_affine, [x, _drawn(3, 5), _drawn(5)]).ok


def test_code_that_does_otherwise_on_exact_numbers_is_judged_by_its_floats() -> None:
    def cheats(G, x):
        factor = 1.0 if type(x) is not np.ndarray else 2.0
        return factor * softmax_back(G, x)

    result = verify.gradcheck(softmax, cheats, [_drawn(4, 3)])
    assert _checks(result) == {"bound"}
    assert any("other numbers come out than in floats" in note for note in result.notes)


def test_code_that_leaves_exact_arithmetic_is_judged_by_its_floats_and_told() -> None:
    def leaves(G, x):
        return softmax_back(G, x) + 0 * np.linalg.svd(x)[1][0]

    result = verify.gradcheck(softmax, leaves, [_drawn(4, 3)])
    assert result.ok, result.findings
    assert any("could not be followed: test_gradcheck.py:" in note for note in result.notes)


@pytest.mark.parametrize(
    ("forward", "inputs", "told"),
    [
        (lambda x: x, [np.array(["a"])], "give an array of numbers"),
        (lambda x: x, [np.array([1, 2])], "no input has a float dtype"),
        (lambda x: x, [np.array([np.nan])], "not finite"),
        (lambda x, y: x, [np.ones(2), np.ones(2, "f4")], "give all in one of"),
        (lambda x: 1 / 0, [np.ones(2)], "forward raises ZeroDivisionError"),
        (lambda x: np.linalg.eigvalsh(x), [np.eye(2)], "forward cannot be differentiated exactly"),
    ],
)
def test_what_cannot_be_checked_is_told(forward, inputs, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        verify.gradcheck(forward, lambda G, *a: G, inputs)


def test_an_upstream_gradient_may_be_given() -> None:
    x = _drawn(4, 3)
    assert verify.gradcheck(softmax, softmax_back, [x], np.ones((4, 3))).ok
    with pytest.raises(UsageError, match=r"upstream has shape \(3,\); forward gives \(4, 3\)"):
        verify.gradcheck(softmax, softmax_back, [x], np.ones(3))


def bce(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def bce_back(G, x, z):
    return G * (1 / (1 + np.exp(-x)) - z), -G * x


@pytest.mark.parametrize("factor", [0, 0.5, -1, 3])
def test_kinks_that_cancel_excuse_nothing(factor) -> None:
    x, z = np.zeros(5), np.array([0.0, 1, 1, 0, 1])

    def wrong(G, x, z):
        by_x, by_z = bce_back(G, x, z)
        return factor * by_x, by_z

    assert verify.gradcheck(bce, bce_back, [x, z]).ok
    assert not verify.gradcheck(bce, wrong, [x, z]).ok


def test_at_a_maximum_of_equals_the_gradient_goes_to_them_together() -> None:
    def to_first(G, x):
        made = np.zeros_like(x)
        made[x.argmax()] = G
        return made

    x = np.array([1.0, 2.0, 2.0])
    assert verify.gradcheck(np.max, to_first, {"x": x}).ok
    assert verify.gradcheck(np.max, lambda G, x: G * (x == 2) / 2, {"x": x}).ok
    for wrong in (lambda G, x: 0 * x, lambda G, x: G * (x == 2)):
        assert not verify.gradcheck(np.max, wrong, {"x": x}).ok


def test_a_gradient_that_is_no_number_never_passes() -> None:
    def overflows(G, x):
        e = np.exp(-x)
        return G * (e / (1 + e) ** 2)

    x = np.array([1.0, -800.0])
    result = verify.gradcheck(sigmoid, overflows, [x])
    assert _checks(result) == {"arithmetic"}
    assert "it overflows" in result.findings[0].message

    def stable(G, x):
        s = np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)))
        return G * s / (1 + np.exp(-np.abs(x))) * np.where(x > 0, np.exp(-np.abs(x)), 1)

    assert verify.gradcheck(sigmoid, lambda G, x: G * sigmoid(x) * sigmoid(-x), [x]).ok


@pytest.mark.parametrize(
    ("forward", "x", "told"),
    [
        (lambda x: np.exp(x), [1.0, 800.0], "forward gives floats that are not finite"),
        (lambda x: np.log(x), [1.0, -1.0], "forward gives floats that are not finite"),
        (lambda x: np.sqrt(x), [1.0, 0.0], "the derivative of forward is not finite"),
    ],
)
def test_where_there_is_no_derivative_nothing_is_judged(forward, x, told: str) -> None:
    result = verify.gradcheck(forward, lambda G, x: G, [np.array(x)])
    assert result.verdict is verify.Verdict.CANNOT_JUDGE
    assert told in result.findings[-1].message


def test_a_guarded_root_has_the_derivative_of_its_guard() -> None:
    def root(x):
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)

    def back(G, x):
        return np.where(x > 0, G * 0.5 / np.sqrt(np.where(x > 0, x, 1.0)), 0.0)

    assert verify.gradcheck(root, back, [np.array([0.0, 4.0])]).ok


def test_a_wider_gradient_is_told_and_judged() -> None:
    result = verify.gradcheck(
        softmax, lambda G, x: softmax_back(G, x).astype(float), [_drawn(4, 3, dtype="float32")]
    )
    assert result.ok
    assert any("has dtype float64, and the inputs float32" in note for note in result.notes)
