"""Dtypes by name, and the nearest numbers of one."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.errors import EnvironmentUnfit
from verify.numbers import dtypes
from verify.numbers.rounding import MODELS


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_of_a_dtype_and_has_its_constants(name):
    m, dtype = MODELS[name], dtypes.named(name)
    one, largest = dtype.type(1), dtype.type(m.largest if name != "float32" else 2.0**127)
    assert dtype.name == name
    assert np.nextafter(one, dtype.type(2)) == 1 + 2 * m.u
    assert np.isfinite(largest)
    assert np.spacing(dtype.type(m.tiny)) == np.spacing(dtype.type(0))
    assert (m.sums is not None) == (name in dtypes.SIXTEEN)


@pytest.mark.parametrize("name", dtypes.SIXTEEN)
@given(number=st.floats(-60000, 60000))
def test_the_nearest_number_is_nearer_than_its_neighbours_and_a_tie_goes_to_the_even_one(
    name, number
):
    found = dtypes.nearest(number, name)
    own = abs(Fraction(float(found)) - Fraction(number))
    for side in (-np.inf, np.inf):
        other = np.nextafter(found, found.dtype.type(side))
        if np.isfinite(other):
            off = abs(Fraction(float(other)) - Fraction(number))
            assert own < off or (own == off and int(found.view(np.uint16)) % 2 == 0)


def test_a_number_just_beyond_a_tie_is_rounded_once():
    """By way of float32, which ml_dtypes takes, it would come to 1."""
    assert float(dtypes.nearest(1 + 2.0**-8 + 2.0**-40, "bfloat16")) == 1 + 2.0**-7
    assert float(dtypes.nearest(1 + 3 * 2.0**-8 - 2.0**-40, "bfloat16")) == 1 + 2.0**-7
    assert np.isinf(dtypes.nearest(1e300, "bfloat16"))


@pytest.mark.parametrize("name", dtypes.SIXTEEN)
def test_numbers_of_16_bits_are_computed_with_in_float32(name):
    assert dtypes.widened(dtypes.nearest([1.5, 2], name)).dtype == np.float32
    assert dtypes.widened(dtypes.nearest(1.5, name)[()]) == 1.5
    assert dtypes.widened(np.ones(2)).dtype == np.float64
    assert dtypes.widened(3) == 3


def test_without_ml_dtypes_bfloat16_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(EnvironmentUnfit, match="pip install"):
        dtypes.named("bfloat16")
    assert dtypes.named("float16") == np.float16
