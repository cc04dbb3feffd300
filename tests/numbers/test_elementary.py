"""Functions of shadows: their values, what floats lose, and their slopes."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from verify.numbers import elementary
from verify.numbers.followed import data, plain
from verify.numbers.kinks import SIDES
from verify.numbers.run import Run, running
from verify.numbers.shadow import given
from verify.numbers.tape import gradients
from verify.numbers.ufuncs import UFUNCS

_AT = {"arccosh": (1.5, 3.25), "arctanh": (-0.5, 0.75), "arcsin": (-0.5, 0.75)}
_AT["arccos"] = _AT["arcsin"]
_USUAL = (0.375, 1.25)


@pytest.mark.parametrize("name", elementary.FUNCTIONS)
def test_a_slope_is_that_of_the_function(name: str) -> None:
    for at in _AT.get(name, _USUAL):
        with running(Run(bits=424, recording=True)):
            x = given(arb(at))
            x.made_of = []
            (slope,) = gradients([elementary.of(name, x)], [1.0], [x])
            step = arb(2) ** -80
            f = elementary.FUNCTIONS[name].ball
            difference = (f(arb(at) + step) - f(arb(at) - step)) / (2 * step)
            assert abs(slope.item().ball - difference) < 1e-40


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [n for n in elementary.FUNCTIONS if hasattr(np, n)])
def test_numpys_function_is_within_the_error(name: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    low, high = {"arccosh": (1, 9), "arctanh": (-0.9, 0.9)}.get(name, (-0.9, 0.9))
    low = 0.1 if name in ("log", "log2", "log10", "log1p", "sqrt", "reciprocal") else low
    numbers = rng.uniform(low, high, 200).astype(dtype)
    with running(Run(dtype)):
        for number, found in zip(numbers, getattr(np, name)(numbers), strict=True):
            s = elementary.of(name, given(arb(float(number))))
            assert abs(s.ball - float(found)).lower() <= s.error


def test_an_operand_that_is_off_moves_a_function_by_as_much_as_it_may() -> None:
    with running(Run()):
        x = given(arb(3))
        x.error = 0.125
        for name in ("exp", "tanh", "log", "sqrt"):
            s = elementary.of(name, x)
            for other in (2.875, 3.125):
                f = elementary.FUNCTIONS[name].ball
                assert abs(f(arb(other)) - s.ball) <= s.error
            assert s.error < 3


def test_powers_are_exact_and_sloped() -> None:
    with running(Run(recording=True)):
        x, y = given(arb(3)), given(arb(2.5))
        x.made_of = y.made_of = []
        assert elementary.power(x, given(arb(3))).ball == 27
        found = elementary.power(x, y)
        by_x, by_y = gradients([found], [1.0], [x, y])
        assert abs(by_x.item().ball - arb(2.5) * arb(3) ** arb(1.5)) < 1e-50
        assert abs(by_y.item().ball - arb(3) ** arb(2.5) * arb(3).log()) < 1e-50


@pytest.mark.parametrize("side", range(SIDES))
def test_at_a_kink_the_slope_is_that_of_the_side(side: int) -> None:
    def slopes(function):
        with running(Run(recording=True, side=side)) as run:
            x = data(np.zeros(3), varies=True)
            (found,) = gradients([function(x)], [np.ones(3)], [x])
            leans = [run.leans[s.serial] > 0 for s in plain(x)]
        assert run.ties
        return [s.value for s in plain(found)], leans

    found, up = slopes(np.abs)
    assert found == [1 if u else -1 for u in up]
    found, up = slopes(lambda x: np.maximum(x, 0))
    assert found == [1 if u else 0 for u in up]
    found, up = slopes(lambda x: np.where(2 * x > 0, x, 3 * x))
    assert found == [1 if u else 3 for u in up]


@pytest.mark.parametrize(
    ("name", "number", "wanted"),
    [("floor", 2.5, 2), ("ceil", 2.5, 3), ("trunc", -2.5, -2), ("rint", 2.5, 2), ("rint", 3.5, 4),
     ("rint", -0.75, -1), ("floor", -3.0, -3)],
)  # fmt: skip
def test_whole_numbers_are_numpys(name: str, number: float, wanted: int) -> None:
    with running(Run()):
        assert elementary.whole(name, given(arb(number))).ball == wanted
    assert getattr(np, name)(number) == wanted


def test_every_function_of_one_number_is_one_of_arrays() -> None:
    of_numpy = {name for name in elementary.FUNCTIONS if hasattr(np, name)}
    assert of_numpy == {u.__name__ for u in UFUNCS} & set(elementary.FUNCTIONS)


def test_two_numbers() -> None:
    with running(Run()):
        a, b = given(arb(3)), given(arb(4))
        assert elementary.hypotenuse(a, b).value == 5
        assert elementary.remainder(given(arb(-7)), given(arb(3))).value == 2
        assert abs(elementary.arctan2(a, b).ball - arb.atan2(arb(3), arb(4))) < 1e-50
        assert abs(elementary.log_of_sum(a, b).ball - (arb(3).exp() + arb(4).exp()).log()) < 1e-50
        assert elementary.smaller(a, b).value == 3
        assert elementary.sign(given(arb(-2))).value == -1
