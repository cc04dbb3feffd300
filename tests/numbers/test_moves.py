"""How errors become those of a result: each through its own partial derivative, roundings apart."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers.bounded import Bounded
from verify.numbers.moves import exact, moved, plus, rounded, same
from verify.numbers.rounding import MODELS

F32 = MODELS["float32"]
A = Bounded(F32, [2.0], np.array([1e-3]), np.array([1e-5]))
B = Bounded(F32, [3.0], None, np.array([1e-4]))


def test_nothing_is_no_error_and_adds_none():
    assert plus(None, None) is None
    assert plus(None, 1.0, None, 2.0) == 3.0


def test_what_is_inherited_and_what_is_rounded_go_apart():
    inherited, own = moved((A, lambda e: 3 * e), (B, same))
    assert inherited == pytest.approx(3e-3)
    assert own == pytest.approx(3e-5 + 1e-4)
    assert moved((Bounded(F32, [1.0]), same)) == (None, None)


def test_an_exact_operation_rounds_nothing_and_another_by_k_u_of_its_result():
    assert exact(A.value, (A, same)).own == A.own
    found = rounded(np.array([6.0]), (A, same), k=2)
    assert found.own == pytest.approx(1e-5 + 12 * F32.u, rel=1e-12)
    assert found.inherited == A.inherited


def test_what_is_of_second_order_is_made_up_for_where_a_formula_ends():
    number = Bounded(F32, [1.0], np.array([0.5]))
    assert number.settled().error == 0.5 * (1 + 4096 * F32.u)


def test_a_result_that_may_underflow_loses_what_is_below_the_smallest_normal_number():
    small, large = (rounded(np.array([v]), (Bounded(F32, [v]), same)).own for v in (1e-39, 1e-9))
    assert small > F32.tiny
    assert large == 1e-9 * F32.u
    near = Bounded(F32, [3e-38], np.array([1e-38]))
    assert rounded(near.value, (near, same)).own > F32.tiny
