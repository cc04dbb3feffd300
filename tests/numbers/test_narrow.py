"""Sums that accumulate in 16 bits stop growing; everything else is as the model has it."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers import dtypes
from verify.numbers.narrow import Narrow
from verify.numbers.number import OPERATIONS

STOPS = {"bfloat16": 256, "float16": 2048}  # where adding 1 is lost to the even neighbour


@pytest.mark.parametrize("dtype", dtypes.SIXTEEN)
def test_a_sum_of_ones_stops_where_one_more_is_half_of_the_gap(dtype):
    ones = Narrow(np.ones((5000, 2)), dtype)
    assert (ones.sum(axis=0).numbers == STOPS[dtype]).all()
    assert ones.sum().numbers == STOPS[dtype]
    assert (ones.mT @ ones).numbers.tolist() == [[STOPS[dtype]] * 2] * 2
    assert ones.sum(axis=0, keepdims=True).shape == (1, 2)
    assert ones.sum(axis=-1).numbers[0] == 2


def test_each_product_may_be_rounded_before_it_is_added():
    x, W = [[-1.0, 1 + 2.0**-6]], [[1.0], [1 + 2.0**-6]]
    rounded, fused = (Narrow(x, "bfloat16", p) @ Narrow(W, "bfloat16", p) for p in (True, False))
    assert float(fused.numbers[0, 0]) == 2.0**-5 + 2.0**-12
    assert float(rounded.numbers[0, 0]) == 2.0**-5


@pytest.mark.parametrize("operation", [np.exp, np.log1p, np.tanh, np.square, np.absolute])
def test_other_operations_are_computed_in_float32_and_rounded(operation):
    x = dtypes.nearest(np.linspace(0.1, 3, 50), "bfloat16")
    right = dtypes.nearest(operation(dtypes.widened(x)), "bfloat16")
    assert (operation(Narrow(x, "bfloat16")).numbers == dtypes.widened(right)).all()
    assert operation in OPERATIONS


def test_a_number_is_held_and_taken_for_another():
    x = Narrow([1.003, 2], "bfloat16")
    assert x.fixed() is x
    assert x.taken_for(1).numbers.tolist() == [1, 1]
    assert (x * 0.5).numbers.tolist() == [0.5, 1]
