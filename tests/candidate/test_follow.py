"""A program in exact arithmetic: run again with more bits until all is decided."""

from __future__ import annotations

import numpy as np
import pytest

from verify.candidate.follow import BITS, exact_of, follow
from verify.numbers.followed import data
from verify.numbers.run import Unfollowed
from verify.numbers.shadow import lifted


def test_bits_are_added_until_a_comparison_is_decided() -> None:
    def nearly(run):
        third = data(np.array([1.0])) / 3
        return bool((third * 3 - 1 + 2.0**-400 > 0).item())

    run, decided = follow(nearly)
    assert decided
    assert run.bits == BITS[1]


def test_what_no_bits_decide_is_told_with_its_line() -> None:
    def never(run):
        return bool(lifted(0.1) > lifted(0.1))

    with pytest.raises(Unfollowed, match=r"test_follow\.py:\d+ compares numbers that may be equal"):
        follow(never)


def test_exact_numbers_are_told_as_floats_to_twice_the_digits() -> None:
    def thirds(run):
        return exact_of(data(np.array([[1.0, -2.0], [0.0, 4.0]])) / 3)

    _, exact = follow(thirds)
    assert exact.hi.shape == exact.rad.shape == exact.error.shape == (2, 2)
    assert exact.hi[0, 0] == 1 / 3
    assert abs(exact.hi[0, 0] * 3 - 1) == 0
    assert exact.lo[0, 0] != 0
    assert (exact.off(exact.hi) <= 2e-16).all()
    assert (exact.off(exact.hi + 1) > 0.9).all()
    assert np.isnan(exact.off(np.full((2, 2), np.nan))).all()


def test_the_step_that_lost_a_number_goes_with_it() -> None:
    def lost(run):
        s = 1 / (1 + np.exp(-data(np.array([30.0, 0.0]))))
        return exact_of(1 - s)

    _, exact = follow(lost)
    assert exact.loss((0,)).step == "1 - s: a difference cancels"
    assert exact.loss((1,)) is None


def test_what_stumbles_over_exact_numbers_is_told_with_its_line() -> None:
    kept = np.zeros(2)

    def writes(run):
        kept[:] = data(np.ones(2)) / 3

    def divides(run):
        return data(np.ones(2)) + 1 // 0

    for program, told in ((writes, "writes into a float array"), (divides, "ZeroDivisionError")):
        with pytest.raises(Unfollowed, match=rf"^test_follow\.py:\d+ .*{told}"):
            follow(program)


def test_programs_that_know_arrays_by_their_bytes_know_them() -> None:
    def known(run):
        a = np.array([0.1, 3.0])
        return data(a).tobytes() == a.tobytes()

    assert follow(known)[1]


def test_what_waits_for_floats_to_settle_ends(monkeypatch) -> None:
    monkeypatch.setattr("verify.numbers.run.MOST", 2000)

    def settles(run):
        x = data(np.array([1.0]))
        while (x != 0).any():
            x = x / 3
        return x

    with pytest.raises(
        Unfollowed, match=r"test_follow\.py:\d+ is still at work after 2,000 numbers"
    ):
        follow(settles)
