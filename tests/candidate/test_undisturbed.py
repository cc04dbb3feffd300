"""What a stranger's function changes of this process is told and put back."""

from __future__ import annotations

import os
import random
import signal

import numpy as np
import pytest
import threadpoolctl
import torch

from tests.support.problems import drawn
from verify.candidate.candidate import of_function
from verify.candidate.examine import Reply
from verify.candidate.undisturbed import RunInterrupted
from verify.faults.arithmetic import with_formulas

RIGHT = with_formulas()()


def reply_of(function) -> Reply:
    return of_function(function).ask(drawn(1)).reply


def test_what_is_printed_is_told_and_shown_nowhere(capfd):
    def printing(X, W, P, h):
        print("hello")  # noqa: T201 what strangers do
        return RIGHT(X, W, P, h)

    (note,) = reply_of(printing).notes
    assert "it prints 'hello\\n" in note
    assert capfd.readouterr().out == ""


def test_what_is_changed_in_the_process_is_told_and_put_back(tmp_path):
    def disturbing(X, W, P, h):
        np.seterr(all="raise")
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        os.chdir(tmp_path)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(5)
        return RIGHT(X, W, P, h)

    here, kinds, numbers = os.getcwd(), np.geterr(), random.getstate()  # noqa: PTH109
    notes = reply_of(disturbing).notes
    assert len(notes) == 6
    assert all("put back" in note for note in notes)
    assert (os.getcwd(), np.geterr(), random.getstate()) == (here, kinds, numbers)  # noqa: PTH109
    assert torch.get_default_dtype() == torch.float32


def test_subnormal_numbers_that_are_flushed_to_0_are_told_and_put_back():
    def flushing(X, W, P, h):
        torch.set_flush_denormal(True)
        return W * 1

    assert "flushed to 0; it was put back" in reply_of(flushing).notes[0]
    assert np.float64(2.0**-1022) / np.float64(2) > 0


def test_the_number_of_threads_is_told_and_put_back():
    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]

    before = threads()

    def spreading(X, W, P, h):
        threadpoolctl.threadpool_limits(7)
        return W * 1

    assert reply_of(spreading).notes == ("it changes the number of threads, which was put back",)
    assert threads() == before


def test_an_interruption_by_the_user_is_no_failure_of_the_function():
    def interrupted(X, W, P, h):
        signal.raise_signal(signal.SIGINT)
        return W * 1

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RunInterrupted):
        reply_of(interrupted)
    assert signal.getsignal(signal.SIGINT) is before
