"""Bounded numbers: their errors, of one form and of several."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers.bounded import Bounded, alike, together, widest
from verify.numbers.constant import Constant
from verify.numbers.number import fixed, taken_for
from verify.numbers.rounding import MODELS

F32, F64 = (MODELS[dtype] for dtype in ("float32", "float64"))


# ---- forms


def test_forms_of_one_function_inherit_what_the_least_of_them_does():
    y = Bounded(F32, [30.0], np.array([1e-3]))
    direct, wide = 1 / (1 + np.exp(-y)), y * (1 / (1 + np.exp(-y))) / y
    one, other = together([direct, wide])
    assert one.inherited == other.inherited == direct.inherited
    assert other.own == wide.own
    assert wide.inherited > 1e6 * direct.inherited
    assert alike(lambda y: y * (1 / (1 + np.exp(-y))) / y, lambda y: 1 / (1 + np.exp(-y)))(
        y
    ).inherited == direct.inherited  # fmt: skip
    assert alike(np.tanh, np.exp)(0.0) == 0


def test_the_widest_form_that_holds_bounds_what_any_may_give():
    sharp = Bounded(F32, [1.0, 2.0], np.array([1e-7, np.inf]))
    blunt = Bounded(F32, [1.5, 2.5], np.array([1e-3, 1e-3]))
    gone = Bounded(F32, [9.0, 9.0], np.array([np.nan, np.inf]))
    found = widest([blunt, gone, sharp])
    assert found.value.tolist() == [1.0, 2.5]
    assert found.error.tolist() == pytest.approx([1e-3, 1e-3], rel=1e-3)
    assert np.isinf(widest([gone, gone]).error).all()


def test_a_settled_number_is_inherited_by_the_next_formula():
    y = np.exp(Bounded(F64, [1.0], None, np.array([1e-9]))).settled()
    assert y.own is None
    assert y.inherited > 1e-9


def test_errors_have_the_shape_of_their_number():
    """An error of another shape would go through a product of matrices as another number's."""
    b = Bounded(F64, np.ones(3), np.array([0.1, 0.1, 0.1]))
    y = Bounded(F64, np.ones((3, 3))) + b
    assert y.inherited.shape == (3, 3)
    product = Bounded(F64, np.ones((3, 3))) @ y
    assert np.all(product.error >= 0.3)
    assert Bounded(F64, np.ones((2, 2)), 0.5).inherited.shape == (2, 2)


# ---- numbers that people take for others


def test_a_constant_is_the_nearest_of_its_dtype():
    third = Constant(lambda arb: arb(1) / 3)
    y = third * Bounded(F32, [3.0])
    assert y.error >= F32.u
    assert (third * np.array([3.0], np.float32)).dtype == np.float32


def test_a_shift_that_cancels_has_no_error():
    y = Bounded(F32, [[1.0, 5.0]], 0.1)
    assert fixed(y.max(axis=-1, keepdims=True)).is_exact
    assert not y.max(axis=-1, keepdims=True).is_exact


def test_what_is_taken_for_1_is_off_by_what_it_is_off_by_and_by_its_own_rounding():
    near, far = np.full((1, 3), 1 / 3), np.full((1, 3), 0.4)
    sums = [Bounded(F64, p).sum(axis=-1) for p in (near, far)]
    one_, other = (taken_for(s, 1) for s in sums)
    assert one_.value == 1
    assert one_.error >= sums[0].error > 0
    assert np.isinf(other.error)
    assert taken_for(np.float64(0.9), 1) == 1
