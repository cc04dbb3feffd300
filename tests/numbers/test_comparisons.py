"""Comparisons of shadows."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from verify.numbers.comparisons import equal, greater, greater_equal
from verify.numbers.run import Run, Undecided, running
from verify.numbers.shadow import given, lifted


def test_balls_that_are_apart_are_decided() -> None:
    with running(Run()):
        one, two = lifted(1), lifted(2)
        assert greater(two, one)
        assert not greater(one, two)
        assert greater_equal(two, one)
        assert greater_equal(one, lifted(1))
        assert not equal(one, two)
        assert equal(one, lifted(1.0))


def test_a_number_is_equal_to_itself_whatever_its_ball_is() -> None:
    with running(Run()) as run:
        wide = lifted(0.1)
        assert equal(wide, wide)
        assert greater_equal(wide, wide)
        assert not greater(wide, wide)
    assert not run.ties


def test_balls_that_overlap_are_undecided() -> None:
    with running(Run()):
        for compared in (greater, greater_equal, equal):
            with pytest.raises(Undecided):
                compared(lifted(0.1), lifted(0.1))


def test_the_answer_is_a_truth_of_numpys() -> None:
    with running(Run()):
        x = given(arb(2))
        assert isinstance(x > 1, np.bool_)
        assert not ~(x > 1)
        assert ((x > 1) + (x > 0)) == 1


def test_a_maximum_is_the_number_itself_so_that_masks_of_it_are_decided() -> None:
    from verify.numbers.followed import data

    with running(Run()):
        y = np.tanh(data(np.array([[0.1, 0.7], [0.5, 0.3]])))
        assert (y == y.max(axis=1, keepdims=True)).tolist() == [[False, True], [True, False]]
        assert (y == np.clip(y, -1, 1)).all()
