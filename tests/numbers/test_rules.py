"""The rules of operations: no correct result is beyond its error, and no error is too large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.operations import OPERATIONS, Operation, broken, drawn, one, ratios
from verify.network.problem import DTYPES
from verify.numbers import bounded
from verify.numbers.balls import Balls, enclosed
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.dtypes import SIXTEEN
from verify.numbers.number import gather, scatter
from verify.numbers.rounding import MODELS
from verify.numbers.rules import RULES

SEEDS = range(120)
F32, F64 = (MODELS[dtype] for dtype in ("float32", "float64"))
ROUND = [name for name, of in OPERATIONS.items() if of.budget(F64)]
BY_SIGN = ("where", "max")  # a condition moves by whole branches; max holds for every entry


def worst(name: str, seeds: range = SEEDS, dtypes: Sequence[str] = DTYPES) -> float:
    return max(max(pair) for dtype in dtypes for pair in ratios(name, dtype, seeds))


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_correct_result_is_beyond_its_error_and_the_error_is_attained(name):
    """By some number of a hostile draw: a tenth less would be wrong."""
    assert 0.9 < worst(name) <= 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_nor_of_16_bits_where_errors_of_second_order_are_no_smaller_than_a_digit(name):
    assert 0.8 < worst(name, range(200), SIXTEEN) <= 1


@pytest.mark.parametrize("name", ROUND)
def test_nor_is_a_rounding_of_16_bits_ever_half_as_large(name, monkeypatch):
    monkeypatch.setattr(bounded, "RULES", broken(name, own=0.5))
    assert worst(name, SEEDS, SIXTEEN) > 1


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in BY_SIGN])
def test_a_movement_halved_is_exposed_and_so_is_one_dropped(name, monkeypatch):
    """What exceeds a half exceeds nothing, too."""
    monkeypatch.setattr(bounded, "RULES", broken(name, moved=0.5))
    assert worst(name) > 1


@pytest.mark.parametrize("name", ROUND)
def test_a_rounding_halved_is_exposed_and_so_is_one_dropped(name, monkeypatch):
    monkeypatch.setattr(bounded, "RULES", broken(name, own=0.5))
    assert worst(name) > 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_ten_times_too_large_or_more_is_not_attained(name, monkeypatch):
    monkeypatch.setattr(bounded, "RULES", broken(name, moved=10, own=10))
    assert worst(name, range(60)) < 0.2


def test_a_share_of_its_own_sum_moves_less_than_a_quotient():
    e = Bounded(F32, [[1e6, 1.0]], np.array([[1.0, 1e-6]]))
    total = e.sum(axis=-1, keepdims=True)
    share, quotient = e / total, e / (total * 1.0)
    assert share.error[0, 0] < 2.001 * F32.u
    assert quotient.error[0, 0] > 1e-6
    square = Bounded(F32, [[1e6, 1.0], [1.0, 1e6]], 1e-3)
    assert square.sum(axis=-1).terms == ()  # each row would meet the sum of another
    negative = Bounded(F32, [[1e6, -1.0]], np.array([[1.0, 1e-6]]))
    total = negative.sum(axis=-1, keepdims=True)
    assert (negative / total).error[0, 0] == (negative / (total * 1.0)).error[0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_share_is_beyond_its_error(dtype):
    worst = 0.0
    for seed in range(300):
        rng = np.random.default_rng((seed, 23))
        e = drawn(rng, dtype, Operation(np.add, 1, one, low=0.0), (2, 3))
        with np.errstate(all="ignore"), precision(300):
            found = e.number / e.number.sum(axis=-1, keepdims=True)
            exact = Balls.of(e.exact) / Balls.of(e.exact).sum(axis=-1, keepdims=True)
            typed = e.computed.astype(dtype)
            computed = typed / typed.sum(axis=-1, keepdims=True)
            hi, lo, _ = enclosed(exact)
            errors = [np.abs(np.asarray(a, np.float64) - hi - lo) for a in (computed, found.value)]
            judged = np.isfinite(found.bound()) & np.isfinite(hi) & (found.bound() > 0)
            ratio = np.maximum(*errors) / found.bound()
        worst = max(worst, float(np.max(ratio, where=judged, initial=0)))
    assert 0.5 < worst <= 1


def test_beyond_the_dtype_nothing_is_claimed():
    big = Bounded(F32, [2.0**126, 1.0])
    assert np.isinf((big * 2.5).error).tolist() == [True, False]
    assert np.isinf(np.exp(Bounded(F32, [90.0])).error).all()
    assert np.isfinite(np.exp(Bounded(F64, [90.0])).error).all()


def test_exactly_0_times_anything_is_exactly_0():
    zero = Bounded(F64, [0.0])
    assert (zero * Bounded(F64, [3.0], 0.1)).error == 0
    assert (zero / Bounded(F64, [3.0], 0.1)).error == 0
    assert np.isinf((zero * Bounded(F64, [3.0], np.inf)).settled().error)


def test_near_0_a_root_moves_no_further_than_the_root_of_the_movement():
    a = Bounded(F64, [0.0, 1e-30, 1e-10], [1e-20, 1e-20, 1e-20])
    slopes = [1e-10, 1e-10, 0.5e-15]
    assert np.sqrt(a).error == pytest.approx(slopes, rel=1e-3)


def test_a_power_of_two_rounds_nothing():
    a = Bounded(F32, [1.1])
    assert (a * 0.25).error == (a / 8).error == 0
    assert (a * 0.3).error > 0


def test_every_rule_has_a_hostile_trial_of_its_own():
    of_sums = {np.matmul, np.sum, np.mean, scatter}
    of_layouts = {np.matrix_transpose, np.expand_dims, np.broadcast_to, gather}
    assert len(RULES) - len(of_sums | of_layouts) == len(OPERATIONS)
