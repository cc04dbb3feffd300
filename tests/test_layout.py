from __future__ import annotations

import numpy as np
import pytest

from verify.layout import laid_out, layout_of, same_layout


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_a_layout_is_made_and_recognised_with_the_same_numbers(layout):
    X = np.arange(12.0).reshape(3, 4)
    made = laid_out(X, layout)
    assert layout_of(made) == layout
    assert np.array_equal(made, X)
    assert not np.shares_memory(made, X)


def test_a_column_is_laid_out_as_asked():
    X = np.arange(3.0)[:, None]
    assert laid_out(X, "strided").strides == (16, 16)


def test_a_copy_keeps_strides_and_alignment():
    for layout in ("C", "F", "strided"):
        like = laid_out(np.arange(12.0).reshape(3, 4), layout)
        copy = same_layout(like * 2, like)
        assert copy.strides == like.strides
        assert copy.ctypes.data % 64 == like.ctypes.data % 64
        assert np.array_equal(copy, like * 2)
        assert not np.shares_memory(copy, like)
