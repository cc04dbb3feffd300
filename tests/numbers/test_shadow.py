"""A shadow has the exact value of its steps, and what floats lose of it, and where."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb
from hypothesis import given as drawn
from hypothesis import strategies as st

from verify.numbers.run import Run, Undecided, Unfollowed, running
from verify.numbers.shadow import Shadow, given, lifted

_STEPS = ("+", "-", "*", "/")


@drawn(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=4),
    st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 9), st.integers(0, 9)), max_size=12),
    st.sampled_from(["float32", "float64"]),
)
def test_the_error_covers_what_floats_come_to(numbers, steps, dtype) -> None:
    with running(Run(dtype)), np.errstate(all="ignore"):
        floats = [np.dtype(dtype).type(a) for a in numbers]
        shadows = [given(arb(float(a))) for a in floats]
        for step, i, j in steps:
            for made in (floats, shadows):
                a, b = made[i % len(made)], made[j % len(made)]
                if step == "/" and float(floats[j % len(floats)]) == 0:
                    return
                found = a + b if step == "+" else a - b if step == "-" else a * b
                made.append(a / b if step == "/" else found)
        for number, shadow in zip(floats, shadows, strict=True):
            if math.isfinite(shadow.error):
                assert abs(shadow.ball - float(number)).lower() <= shadow.error


def test_whole_numbers_and_short_floats_are_exact() -> None:
    with running(Run()):
        for number in (3, -7, 0.5, 1.0, 2.0**-30, np.float32(0.25), np.int64(9), True):
            assert lifted(number).ball == arb(float(number))
            assert lifted(number).error == 0


def test_another_float_stands_for_all_numbers_within_eight_roundings_of_it() -> None:
    with running(Run()):
        assert lifted(0.1).ball.contains(arb(1) / 10)
        assert lifted(1 / 3).ball.contains(arb(1) / 3)
        assert lifted(math.sqrt(2 / math.pi)).ball.contains((2 / arb.pi()).sqrt())
        assert not lifted(0.1 + 1e-14).ball.contains(arb(1) / 10)


def test_a_difference_that_cancels_is_named_with_its_expression() -> None:
    with running(Run()):
        s = 1 / (1 + np.exp(given(arb(-20))))
        cancelled = 1 - s
    assert cancelled.loss is not None
    assert cancelled.loss.step == "1 - s: a difference cancels"
    assert cancelled.loss.place.startswith("test_shadow.py:")
    assert 1e8 < cancelled.loss.factor < 1e9
    assert s.loss is None


def test_what_is_computed_from_a_lost_number_tells_of_the_same_step() -> None:
    with running(Run()):
        s = 1 / (1 + np.exp(given(arb(-20))))
        later = (1 - s) * 3 + 2**-60
    assert later.loss.step == "1 - s: a difference cancels"


def test_a_sum_without_rounding_has_no_error() -> None:
    with running(Run()):
        assert (given(arb(3)) + 0.5).error == 0
        assert (given(arb(3)) / 2).error == 0
        assert (given(arb(1)) / 3).error > 0


def test_a_float_that_overflows_has_any_error_and_its_quotient_none_to_speak_of() -> None:
    with running(Run()):
        large = np.exp(given(arb(800)))
        assert large.error == math.inf
        small = 1 / (1 + large)
    assert small.error < 1e-300


def test_equal_numbers_are_a_tie_which_the_run_notes() -> None:
    with running(Run()) as run:
        assert not given(arb(1)) > 1
        assert not run.ties  # of numbers that are given
        assert not given(arb(1)) + 1 > 2
        assert given(arb(1)) + 1 >= 2
    assert list(run.ties)


def test_numbers_that_rounding_may_exchange_are_noted() -> None:
    with running(Run()) as run:
        third = given(arb(1)) / 3
        assert third < third + 2.0**-70
    assert list(run.close)


def test_a_comparison_that_the_balls_leave_open_is_undecided() -> None:
    with running(Run()), pytest.raises(Undecided, match=r"test_shadow\.py:\d+"):
        bool(lifted(0.1) > lifted(0.1))


def test_what_floats_alone_can_do_is_told() -> None:
    with running(Run()):
        for leaves in (float, hash, lambda s: int((s * 0 + 0.1) * 10)):
            with pytest.raises(Unfollowed, match=r"test_shadow\.py:\d+"):
                leaves(given(arb(3)))


def test_a_run_ends_with_the_one_before() -> None:
    with running(Run("float64")):
        with running(Run("float32")):
            assert given(arb(1)).dtype == np.float32
        assert given(arb(1)).dtype == np.float64


def test_numpy_takes_a_shadow_for_a_number() -> None:
    with running(Run()):
        s = given(arb(2))
        assert isinstance(np.sqrt(s) + np.float64(1) * s, Shadow)
        assert (np.array([1.0, 2.0]) * s).shape == (2,)
        assert s.shape == ()
        assert s.reshape(1).shape == (1,)
        assert s[None].shape == (1,)
        assert f"{s:.1f} {s!r}" == "2.0 2"
