"""Products in float32 may only widen a bound, and by little; nothing overflows or vanishes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.problems import drawn
from verify.network.bounds import bounds
from verify.network.problem import DTYPES
from verify.numbers import rounding
from verify.numbers.rounding import MODELS


@pytest.mark.parametrize("name", DTYPES)
def test_gamma_is_highams_and_infinite_where_every_digit_may_be_lost(name):
    m = MODELS[name]
    assert m.gamma(10) == 10 * m.u / (1 - 10 * m.u)
    assert m.gamma(int(1 / m.u)) == np.inf


HALVED = [(40, 300, 90, 1), (300, 40, 90, 1024), (90, 90, 130, 1), (64, 128, 128, 2.0**-10)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", HALVED)
def test_products_in_float32_widen_a_bound_and_by_no_more_than_a_digit_in_three(
    sizes, dtype, monkeypatch
):
    N, D, K, scale = sizes
    problem = drawn(1, N, D, K, dtype)
    problem = replace(problem, X=problem.X * problem.dtype.type(scale))
    halved = bounds(problem)
    assert halved.forward.abs_X.dtype == np.float32
    monkeypatch.setattr(rounding, "_HALF_WORK", np.inf)
    whole = bounds(problem)
    assert whole.forward.abs_X.dtype == np.float64
    for form in ("post", "stable", "wider"):
        for link, bound in whole[form].items():
            widened = getattr(halved[form], link)
            assert (widened >= bound).all(), (form, link)
            assert (widened <= bound * 1.001).all(), (form, link)
    assert halved.fits == whole.fits


@pytest.mark.parametrize(
    "change",
    [
        ("X", 1e200),
        ("X", 1e-30),
        ("W", 1e200),
        ("P", 1e200),
        ("P", 1e-30),
        ("column", 1e-10),
        ("column", 1e-45),
    ],
)
def test_where_float32_would_overflow_or_vanish_nothing_is_lost_but_what_it_rounds(
    change, monkeypatch
):
    name, factor = change
    problem = drawn(2, 64, 128, 150)
    if name == "column":
        X = problem.X.copy()
        X[:, 3] *= factor
        problem = replace(problem, X=X)
    else:
        problem = problem.having(**{name: getattr(problem, name) * factor})
    halved = bounds(problem)
    monkeypatch.setattr(rounding, "_HALF_WORK", np.inf)
    whole = bounds(problem)
    with np.errstate(all="ignore"):
        for link, bound in whole.stable.items():
            widened = getattr(halved.stable, link)
            assert ((widened >= bound) | np.isnan(bound)).all(), link
            same = np.isclose(widened, bound, rtol=1e-3, atol=0, equal_nan=True)
            assert same.all(), link
    assert halved.fits == whole.fits


def test_what_is_too_small_for_float32_is_widened_and_not_lost(monkeypatch):
    problem = drawn(2, 64, 128, 150)
    P = problem.P.copy()
    P[:, 3] *= 1e-60
    problem = replace(problem, P=P)
    halved = bounds(problem)
    assert halved.forward.abs_X.dtype == np.float32
    monkeypatch.setattr(rounding, "_HALF_WORK", np.inf)
    whole = bounds(problem)
    for form in ("post", "stable", "wider"):
        assert (halved[form].dC_dW >= whole[form].dC_dW).all()
