"""Derivatives by the operations' own rules are what differences of values say."""

from __future__ import annotations

import flint
import numpy as np
import pytest

from verify.numbers.balls import Balls
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.derivative import BACK, Recorded, derivatives
from verify.numbers.number import ERF, ERFC, fixed, gather, name, scatter
from verify.numbers.rounding import MODELS

arb = flint.arb
ROW = (1, 3)
INDEX = np.array([[0, 2, 0], [1, 2, 2]])
FORMULAS = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: b - a,
    np.multiply: lambda a, b: a * b * a,
    np.divide: lambda a, b: a / b,
    np.negative: lambda a, b: -a * b,
    np.matmul: lambda a, b: a.mT @ b,
    np.square: lambda a, b: (a + b) ** 2,
    np.sqrt: lambda a, b: np.sqrt(np.abs(a) + np.abs(b)),
    np.exp: lambda a, b: np.exp(a * b),
    np.expm1: lambda a, b: np.expm1(a - b),
    np.log: lambda a, b: np.log(np.abs(a)) * b,
    np.log1p: lambda a, b: np.log1p(np.square(a)) * b,
    np.tanh: lambda a, b: np.tanh(a + b),
    np.cosh: lambda a, b: np.cosh(a) * b,
    ERF: lambda a, b: ERF(a) * b,
    ERFC: lambda a, b: ERFC(a) * b,
    np.absolute: lambda a, b: np.abs(a) * b,
    np.maximum: lambda a, b: np.maximum(a, b) * a,
    np.minimum: lambda a, b: np.minimum(a, b) * b,
    np.where: lambda a, b: np.where(a > b, a * a, b * b * b),
    np.sum: lambda a, b: a.sum() * b + a.sum(axis=1, keepdims=True) * b.sum(axis=-1),
    np.mean: lambda a, b: a.mean() * b + a.mean(axis=1, keepdims=True) * np.mean(b, axis=-1),
    np.expand_dims: lambda a, b: np.expand_dims(a, axis=0) * b,
    np.broadcast_to: lambda a, b: np.broadcast_to(a, shape=(4, 3)) * b,
    np.matrix_transpose: lambda a, b: np.matrix_transpose(a) * b,
    gather: lambda a, b: gather((a * b).mT, INDEX) * b.sum(),
    scatter: lambda a, b: scatter(a * b, INDEX[:1], 4) * scatter(b, INDEX[:1], 4),
}
A, B = np.array([[0.7, -1.3, 2.1]]), np.array([[-0.4, 0.9, 1.6]])


def test_every_rule_has_a_formula_here():
    assert set(FORMULAS) == set(BACK) - {np.max}


@pytest.mark.parametrize("operation", FORMULAS, ids=name)
def test_a_derivative_is_the_limit_of_differences(operation):
    """(f(x + e d) - f(x - e d)) / 2e with e = 2^-200 uses no rule of differentiation."""
    formula = FORMULAS[operation]
    rng = np.random.default_rng(3)
    with precision(900):
        e = arb(2) ** -200
        d = [Balls.of(rng.integers(-4, 5, ROW)) for _ in range(2)]
        ends = [
            formula(*(Balls.of(x) + t * v for x, v in zip((A, B), d, strict=True))).sum()
            for t in (Balls(e), Balls(-e))
        ]
        along = ((ends[0] - ends[1]) / (2 * Balls(e))).entries.item()
        inputs = [Recorded(Balls.of(x)) for x in (A, B)]
        found = derivatives(formula(*inputs), inputs)
        assert [f.shape for f in found] == [ROW, ROW]
        by_rule = sum(((f * v).sum() for f, v in zip(found, d, strict=True)), Balls.of(0.0))
        assert abs(float((along - by_rule.entries.item()).mid())) < 1e-100


def test_an_upstream_derivative_weighs_the_results():
    a = Recorded(Balls.of(A))
    (found,) = derivatives(a * 3.0, [a], Balls.of([[1.0, 0.0, -2.0]]))
    assert found.entries.astype(float).tolist() == [[3.0, 0.0, -6.0]]


def test_what_a_result_does_not_depend_on_has_no_derivative():
    a, b = Recorded(Balls.of(A)), Recorded(Balls.of(B))
    assert derivatives(np.exp(a), [b]) == [None]
    (found,) = derivatives(a - fixed(a.max(axis=-1, keepdims=True)), [a])
    assert found.entries.tolist() == [[1, 1, 1]]


def test_a_recorded_number_takes_part_with_numbers_of_its_kind():
    a, b = Recorded(Balls.of(A)), Balls.of(B)
    for product in (a * b, b * a, np.where(b > 0, a, a), np.maximum(b, a)):
        assert isinstance(product, Recorded)
    assert derivatives(b * a, [a])[0].entries.tolist() == b.entries.tolist()


def test_what_is_held_is_not_differentiated():
    held = Recorded(Balls.of(A), varies=False)
    assert not (held * 2).varies
    assert not (Recorded(Balls.of(A)) > 0).varies


def test_a_kink_that_is_hit_exactly_has_the_slope_of_the_second_operand():
    """ReLU's at 0 is 0, as torch has it."""
    y = Recorded(Balls.of([-1.0, 0.0, 2.0]))
    (found,) = derivatives(np.maximum(y, 0), [y])
    assert found.entries.tolist() == [0, 0, 1]


def test_a_kink_that_may_be_hit_has_every_slope_between():
    y = Recorded(Balls([arb(0, 1)]))
    for function, slopes in ((lambda y: np.maximum(y, 0), (0, 0.5, 1)), (np.abs, (-1, 0, 1))):
        (found,) = derivatives(function(y), [y])
        assert all(found.entries.item().contains(s) for s in slopes)


def test_max_has_no_derivative_and_says_so():
    a = Recorded(Balls.of(A))
    with pytest.raises(TypeError, match="max has no derivative here"):
        derivatives(a.max(), [a])


def test_derivatives_of_bounded_numbers_carry_their_errors():
    y = Recorded(Bounded(MODELS["float32"], [0.5], 1e-3))
    (found,) = derivatives(np.tanh(y), [y])
    true = 1 / np.cosh(np.array([0.5, 0.501, 0.499])) ** 2
    assert np.all(np.abs(found.value - true) <= found.error)


def test_of_floats_it_is_an_ordinary_reverse_mode():
    x = np.random.default_rng(0).normal(size=(4, 3))
    a = Recorded(x)
    (found,) = derivatives(np.exp(a) / np.exp(a).sum(axis=1, keepdims=True), [a], x)
    q = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, q * (x - (x * q).sum(axis=1, keepdims=True)), atol=1e-15)
