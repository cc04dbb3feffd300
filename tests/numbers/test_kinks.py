"""On which side of a kink a run is."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers.followed import data, plain
from verify.numbers.kinks import SIDES, ahead, direction
from verify.numbers.run import Run, running
from verify.numbers.tape import gradients


def _run(function, side, x):
    with running(Run(recording=True, side=side)) as run:
        at = data(x, varies=True)
        (found,) = gradients([function(at)], [np.ones(np.shape(x))], [at])
    return np.array([s.value for s in plain(found).flat]), run


@pytest.mark.parametrize("side", range(SIDES))
def test_kinks_that_cancel_leave_no_trace(side: int) -> None:
    def cost(x):
        return np.maximum(x, 0) - 0.25 * x + np.log1p(np.exp(-np.abs(x)))

    found, run = _run(cost, side, np.zeros(4))
    assert run.ties
    assert found.tolist() == [0.25] * 4


def test_a_number_that_depends_on_a_tied_one_leans_with_it() -> None:
    with running(Run(recording=True)):
        x = data(np.zeros(2), varies=True)
        a, b = plain(x)
        assert ahead(np.tanh(3 * a) * 2, a) == pytest.approx(5 * ahead(a, a * 0))
        assert ahead(a - a, b - b) == 0


def test_opposite_sides_lean_oppositely_and_two_of_them_all_one_way() -> None:
    leans = []
    for side in range(SIDES):
        with running(Run(side=side)):
            leans.append(np.array([*direction(5), *direction(4)]))
    assert (leans[0] == -leans[1]).all()
    assert (leans[2] == -leans[3]).all()
    assert (leans[0] > 0).all()
    assert len(set(np.sign(leans[2]))) == 2


def test_a_tie_deep_in_a_program_needs_no_recursion() -> None:
    def deep(x):
        for _ in range(3000):
            x = x + 0.5 - 0.5
        return np.maximum(x, 0)

    found, _ = _run(deep, 0, np.zeros(1))
    assert found.tolist() == [1]
