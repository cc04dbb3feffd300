"""What a program computes in exact arithmetic, as floats that any process can be told."""

from __future__ import annotations

import numpy as np

from verify.candidate.exact import Exact
from verify.candidate.examine import Reply
from verify.candidate.messages import packed, unpacked
from verify.numbers.run import Loss


def _exact():
    hi = np.array([1.0, 2.0])
    losses = (Loss(1e9, "1 - s: a difference cancels", "lab.py:3"),)
    return Exact(hi, hi * 2**-60, hi * 2**-100, hi * 2**-50, losses, np.array([0, -1]))


def test_numbers_within_the_radius_are_not_off_and_what_is_no_number_is() -> None:
    exact = _exact()
    assert exact.off(exact.hi + exact.lo).max() <= 2.0**-58
    assert exact.off(exact.hi + 0.5).tolist() == [0.5 - 2.0**-60, 0.5 - 2.0**-59]
    assert np.isnan(exact.off([np.nan, 2.0])[0])


def test_a_loss_is_that_of_the_entry() -> None:
    assert _exact().loss((0,)).place == "lab.py:3"
    assert _exact().loss((1,)) is None


def test_it_goes_from_one_process_to_another_without_a_change() -> None:
    told = unpacked(packed(Reply(exact={"dC_dW": _exact()}), 4), 4).exact["dC_dW"]
    for name in ("hi", "lo", "rad", "error", "lost_by"):
        assert (getattr(told, name) == getattr(_exact(), name)).all()
    assert told.losses == _exact().losses
