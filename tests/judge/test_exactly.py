"""A formula and its arithmetic, told apart."""

from __future__ import annotations

import numpy as np

from verify.candidate.exact import Exact
from verify.judge import exactly
from verify.numbers.run import Loss

_ONE = np.array([[1.0, -2.0], [0.5, 4.0]])


def _exact(hi=_ONE, error=1e-15, **more):
    zero = np.zeros_like(hi)
    return Exact(hi, zero, zero, np.full_like(hi, error), **more)


def test_a_formula_is_another_where_it_differs_by_more_than_eight_roundings() -> None:
    right = _exact()
    for off, told in ((2.0**-53 * 4, False), (2.0**-53 * 5, True)):
        hi = _ONE.copy()
        hi[1, 0] += off
        assert bool(exactly.other_formula(_exact(hi), right, "float64")) is told


def test_a_formula_is_told_with_the_size_and_the_place_of_the_difference() -> None:
    hi = _ONE.copy()
    hi[0, 1] += 0.3125
    (finding,) = exactly.formula(
        "candidate f", "dC_dW1", _exact(hi), _exact(), "float64", "the derivative of C"
    )
    assert finding.check == "formula"
    assert finding.link == "dC_dW1"
    assert finding.message == (
        "dC_dW1 differs from the derivative of C by 0.31 in exact arithmetic, at [0, 1]: this is a"
        " mistake of mathematics, not of rounding"
    )


def test_a_radius_excuses_what_it_may_be() -> None:
    hi = _ONE + 1e-6
    zero = np.zeros_like(hi)
    wide = Exact(hi, zero, zero + 2e-6, zero)
    assert exactly.other_formula(wide, _exact(), "float64") is None


def test_what_is_no_number_is_another_formula() -> None:
    hi = _ONE.copy()
    hi[0, 0] = np.nan
    (finding,) = exactly.formula("", "y", _exact(hi), _exact(), "float64", "it")
    assert "y is not a number in exact arithmetic, at [0, 0]" in finding.message


def test_floats_that_are_not_those_of_the_exact_run_are_not_followed() -> None:
    exact = _exact(error=1e-10)
    assert exactly.is_followed(_ONE + 5e-11, exact)
    assert not exactly.is_followed(_ONE + 5e-10, exact)
    assert not exactly.is_followed(np.full_like(_ONE, np.nan), exact)
    assert exactly.is_followed(_ONE + 9, _exact(error=np.inf))


def test_lost_digits_are_counted_and_their_step_is_named() -> None:
    losses = (Loss(1e9, "1 - y_o: a difference cancels", "lab.py:12"),)
    exact = _exact(losses=losses, lost_by=np.zeros((2, 2), int))
    found = _ONE * (1 + 1.1e-7)
    finding = exactly.arithmetic("", "dC_dW", exact, found, (1, 0), "float64")
    assert finding.check == "arithmetic"
    assert finding.message == (
        "the formula of dC_dW is right; its arithmetic loses 9 of 15 digits, at [1, 0]:"
        " 1 - y_o: a difference cancels, lab.py:12"
    )
    finding = exactly.arithmetic("", "y", exact, found * 3, (1, 0), "float64", is_right=False)
    assert "besides, y's arithmetic loses all digits" in finding.message
