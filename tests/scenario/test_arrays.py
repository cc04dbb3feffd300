"""The arrays of a case: the same numbers in every dtype and layout."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import DRAWN, the_case


def test_a_drawn_problem_is_the_same_in_both_dtypes(tmp_path):
    one, other = (the_case(tmp_path, DRAWN, dtype).problem for dtype in ("float32", "float64"))
    for a, b in ((one.X, other.X), (one.W, other.W), (one.P, other.P)):
        assert a.dtype == np.float32
        assert np.array_equal(a.astype(np.float64), b)


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_a_layout_changes_the_strides_and_nothing_else(layout, tmp_path):
    plain = the_case(tmp_path, DRAWN).problem.X
    X = the_case(tmp_path, DRAWN + f'layout = "{layout}"\n').problem.X
    assert np.array_equal(X, plain)
    assert X.flags.c_contiguous == (layout == "C")
    assert X.flags.f_contiguous == (layout == "F")
