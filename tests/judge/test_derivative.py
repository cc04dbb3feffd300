"""One derivative of a function, held against the exact one."""

from __future__ import annotations

import numpy as np
import pytest

from verify.candidate.exact import Exact
from verify.judge.derivative import Derivative, Right

_AT = np.array([1.0, 2.0])


def _exact(hi, error=1e-15):
    hi = np.asarray(hi, float)
    return Exact(hi, np.zeros_like(hi), np.zeros_like(hi), np.full_like(hi, error))


def _of(found, *sides, own=None):
    right = Right(tuple(_exact(s) for s in sides or (_AT,)))
    return Derivative("f", "dC_dx", np.asarray(found, float), right, own, "float64")


def test_between_the_sides_of_a_kink_all_is_right() -> None:
    for found in ([1.0, 2.0], [1.0, 3.0], [1.0, 2.5]):
        assert _of(found, [1.0, 2.0], [1.0, 3.0]).figure().holds
    for found in ([1.0, 1.9], [1.0, 3.1], [1.1, 2.5]):
        assert not _of(found, [1.0, 2.0], [1.0, 3.0]).figure().holds


def test_steps_of_its_own_may_lose_half_of_the_digits_and_no_more() -> None:
    found = _AT * (1 + 1e-9)
    assert _of(found, own=_exact(_AT, 2.1e-9)).figure().holds
    assert not _of(found * (1 + 1e-7), own=_exact(_AT, 3e-7)).figure().holds
    assert not _of(found).figure().holds


def test_where_its_steps_are_unknown_four_times_the_chain_rules_error_is_allowed() -> None:
    assert _of(_AT + 3.9e-15).figure().holds
    assert not _of(_AT + 5e-15).figure().holds


def test_a_figure_is_that_of_the_worst_entry() -> None:
    figure = _of([1.0, 2.0 + 1e-12]).figure()
    assert figure.entry == (1,)
    assert figure.truth == 2
    assert figure.error == pytest.approx(1e-12, rel=1e-3)
    assert figure.ulps == pytest.approx(1e-12 / np.spacing(2.0), rel=1e-3)
    assert np.isnan(_of([np.nan, 2.0]).figure().ratio)


@pytest.mark.parametrize("own", [None, _exact(_AT, np.inf)])
def test_where_no_bound_is_known_half_of_the_digits_must_be_right(own) -> None:
    right = Right((_exact(_AT, np.inf),))
    for off, holds in ((1e-9, True), (1e-7, False), (np.nan, False)):
        figure = Derivative("f", "dC_dx", _AT * (1 + off), right, own, "float64").figure()
        assert figure.holds is holds


def test_a_gradient_at_a_kink_is_a_mixture_of_its_sides_in_all_entries_together() -> None:
    sides = [1.0, 0.0], [0.0, 1.0]
    for found, right in (([0.5, 0.5], True), ([1, 0], True), ([0, 0], False), ([1, 1], False)):
        derivative = _of(found, *sides)
        assert list(derivative.findings(derivative.figure())) is not right


def test_what_is_wrong_is_the_formula_or_the_arithmetic_or_both() -> None:
    def checks(derivative):
        return [f.check for f in derivative.findings(derivative.figure())]

    assert checks(_of(_AT)) == []
    assert checks(_of(_AT + 1)) == ["bound"]
    assert checks(_of(_AT + 1, own=_exact(_AT + 1))) == ["formula"]
    assert checks(_of(_AT + 1e-3, own=_exact(_AT, 1e-2))) == ["arithmetic"]
    assert checks(_of(_AT + 1.001, own=_exact(_AT + 1, 1e-2))) == ["formula", "arithmetic"]
    assert checks(_of(_AT, own=_exact(_AT + 1, np.inf))) == ["formula"]


def test_a_wrong_formula_that_keeps_its_digits_is_not_said_to_lose_any() -> None:
    right = Right((_exact([0.0, 1.0], 0.0),))
    derivative = Derivative("f", "dC_dx", _AT * (1 + 4e-16), right, _exact(_AT), "float64")
    assert [f.check for f in derivative.findings(derivative.figure())] == ["formula"]
