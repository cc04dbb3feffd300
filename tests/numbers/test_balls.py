"""Balls enclose: every value that their operands may stand for, whatever is decided."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import flint
import numpy as np
import pytest

from verify.numbers.balls import Balls, enclosed
from verify.numbers.constant import precision

arb = flint.arb


def ball(low: float, high: float) -> Balls:
    return Balls([arb((low + high) / 2, (high - low) / 2)])


@pytest.mark.parametrize(
    ("compared", "open_", "yes", "no"),
    [
        (lambda a: a > 0, (-1, 1), (1, 2), (-2, -1)),
        (lambda a: a >= 0, (-1, 1), (1, 2), (-2, -1)),
        (lambda a: a < 0, (-1, 1), (-2, -1), (1, 2)),
        (lambda a: a <= 0, (-1, 1), (-2, -1), (1, 2)),
        (lambda a: np.heaviside(a, 0), (-1, 1), (1, 2), (-2, -1)),
    ],
)
def test_a_comparison_that_a_ball_leaves_open_is_anything_from_0_to_1(compared, open_, yes, no):
    found = [compared(ball(*ends)).entries.item() for ends in (open_, yes, no)]
    assert found[0].contains(0)
    assert found[0].contains(1)
    assert found[1:] == [1, 0]


def test_a_comparison_with_an_equal_number_is_decided():
    zero = Balls.of([0.0])
    found = [c.entries.item() for c in (zero > 0, zero >= 0, zero < 0, zero <= 0)]
    assert found == [0, 1, 0, 1]


def test_at_a_kink_the_declared_value_is_taken_where_a_ball_is_exactly_there():
    assert np.heaviside(Balls.of([0.0]), 0).entries.item() == 0
    assert np.heaviside(Balls.of([0.0]), 0.5).entries.item() == 0.5
    outside = np.heaviside(ball(-1, 1), 2).entries.item()
    assert outside.contains(2)


def test_where_takes_both_branches_of_what_is_open():
    found = np.where(ball(-1, 1) > 0, Balls.of([5.0]), Balls.of([-3.0])).entries.item()
    assert found.contains(5)
    assert found.contains(-3)
    assert np.where(ball(1, 2) > 0, 5.0, Balls.of([-3.0])).entries.item() == 5


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_max_encloses_the_maximum_and_not_the_entry_with_the_largest_midpoint(axis, keepdims):
    entries = np.array([[arb(2, 3), arb(3, 0.5)], [arb(0), arb(-1)]], object)
    found = Balls(entries).max(axis=axis, keepdims=keepdims)
    assert found.shape == np.ones((2, 2)).max(axis=axis, keepdims=keepdims).shape
    first = found.entries.ravel()[0]
    assert first.contains(arb(3.5)) or axis == 0
    assert first.contains(arb(5))


def test_minimum_and_maximum_enclose_either():
    a, b = ball(0, 3), ball(1, 2)
    low, high = np.minimum(a, b).entries.item(), np.maximum(a, b).entries.item()
    assert all(low.contains(v) for v in (0, 1.5, 2))
    assert all(high.contains(v) for v in (1, 2.5, 3))


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (np.exp, Decimal.exp),
        (np.log, Decimal.ln),
        (np.sqrt, Decimal.sqrt),
        (np.expm1, lambda d: d.exp() - 1),
        (np.log1p, lambda d: (d + 1).ln()),
        (np.tanh, lambda d: ((2 * d).exp() - 1) / ((2 * d).exp() + 1)),
        (np.cosh, lambda d: (d.exp() + (-d).exp()) / 2),
        (np.square, lambda d: d * d),
        (np.absolute, abs),
    ],
)
def test_a_function_agrees_with_decimals_own(function, exact):
    for v in (0.3, 1.7, 4.5, 0.001):
        with localcontext(prec=60), precision(212):
            hi, lo, rad = enclosed(function(Balls.of([v])))
            truth = Fraction(exact(Decimal(v)))
            gap = abs(Fraction(hi[0]) + Fraction(lo[0]) - truth)
            assert gap <= Fraction(rad[0]) + abs(truth) / 10**50


def test_a_root_of_what_may_be_0_is_open_down_to_0():
    (root, exact, none) = np.sqrt(Balls(np.array([arb(0, 1e-8), arb(4), arb(-4)]))).entries
    assert root.contains(0)
    assert root.contains(1e-4)
    assert root < 1.001e-4
    assert exact == 2
    assert none.is_nan()


def test_hi_lo_and_rad_enclose_the_ball():
    with precision(212):
        third = Balls.of([1.0]) / 3
        hi, lo, rad = enclosed(third)
        total = Fraction(hi[0]) + Fraction(lo[0])
        assert abs(total - Fraction(1, 3)) <= Fraction(rad[0]) < Fraction(1, 2**100)
    hi, lo, rad = enclosed(Balls.of([0.1, 2.0**-1074]))
    assert rad.tolist() == [0.0, 0.0]
    assert lo.tolist() == [0.0, 0.0]


def test_a_product_of_matrices_is_exact_where_its_operands_are():
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, (3, 4)).astype(float), rng.integers(-9, 9, (4, 2)).astype(float)
    product = Balls.of(a) @ Balls.of(b)
    assert product.entries.tolist() == (a @ b).tolist()
