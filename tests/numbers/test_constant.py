"""A constant is the real number itself, in every kind of number."""

from __future__ import annotations

import flint
import numpy as np
import pytest

from verify.numbers.balls import Balls
from verify.numbers.constant import Constant, precision

ROOT = Constant(lambda arb: arb(2).sqrt())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_take_the_nearest_of_their_dtype(dtype):
    one = np.ones(2, dtype)
    for found in (ROOT * one, one * ROOT, ROOT * one[0]):
        assert found.dtype == dtype
        assert np.all(found == np.sqrt(np.float64(2)).astype(dtype))


def test_balls_enclose_it_in_their_own_precision():
    with precision(300):
        found = (ROOT * Balls.of(1.0)).entries.item()
        assert found.contains(flint.arb(2).sqrt())
        assert found.rel_accuracy_bits() > 290


def test_the_nearest_float64_is_not_one_of_its_neighbours():
    """Rounded from 53 bits inside, three of five constants would be."""
    sixth = Constant(lambda arb: arb(2).sqrt() * arb.pi().rsqrt())
    with precision(400):
        error = abs(sixth.exactly() - sixth.nearest)
        assert error <= abs(sixth.exactly() - float(np.nextafter(sixth.nearest, 9)))
        assert error <= abs(sixth.exactly() - float(np.nextafter(sixth.nearest, -9)))


def test_precision_is_put_back():
    before = flint.ctx.prec
    with pytest.raises(ZeroDivisionError), precision(before + 11):
        raise ZeroDivisionError
    assert flint.ctx.prec == before
