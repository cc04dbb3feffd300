from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from verify.network.layout import laid_out, placed, same_layout


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_a_layout_is_made_with_the_same_numbers(layout):
    X = np.arange(12.0).reshape(3, 4)
    made = laid_out(X, layout)
    flags = made.flags.c_contiguous, made.flags.f_contiguous
    assert flags == {"C": (True, False), "F": (False, True), "strided": (False, False)}[layout]
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


@pytest.mark.parametrize("layout", ["", "F", "strided", "slice", "reversed", "read-only"])
@pytest.mark.parametrize("like", ["C", "F", "strided"])
def test_an_array_has_its_own_place_in_a_block_of_memory(layout, like):
    X = laid_out(np.arange(12.0).reshape(3, 4), like)
    memory = np.full(2000, 0xFF, np.uint8)
    place, end = placed(X, layout, 70)
    array = dataclasses.replace(place, writeable=True).of(memory.data)
    array[...] = X
    assert np.array_equal(place.of(memory.data), X)
    assert (memory[:128] == 0xFF).all()  # it begins at a multiple of 64
    assert (memory[end:] == 0xFF).all()
    assert place.of(memory.data).flags.writeable == (layout != "read-only")


@pytest.mark.parametrize(
    ("layout", "strides"),
    [("", (32, 8)), ("F", (8, 24)), ("strided", (64, 16)), ("slice", (56, 8)),
     ("reversed", (-32, -8)), ("read-only", (32, 8))],
)  # fmt: skip
def test_each_layout_has_its_strides(layout, strides):
    assert placed(np.zeros((3, 4)), layout, 0)[0].strides == strides


def test_what_lies_between_the_numbers_of_a_wider_array_is_its_own():
    """A stranger that ignores strides reads it."""
    memory = np.full(1000, 0xFF, np.uint8)
    place, end = placed(np.zeros((3, 4)), "slice", 0)
    place.of(memory.data)[...] = 1
    wide = memory[:end].view(np.float64).reshape(3, 7)
    assert np.isnan(wide[:, [0, 5, 6]]).all()
    assert (wide[:, 1:5] == 1).all()
