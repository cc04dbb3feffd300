"""A program that runs: no pipe is waited for alone, and its end is told."""

from __future__ import annotations

import contextlib

import pytest

from verify.candidate.running import NoAnswer, Running

pytestmark = pytest.mark.process


@contextlib.contextmanager
def running(script):
    """A shell that runs a script."""
    made = Running(["sh", "-c", script], "mark")
    try:
        yield made
    finally:
        made.close()


def test_a_line_is_answered_by_a_line():
    with running("cat") as cat:
        assert cat.ask(b"one\n", 10, 99) == b"one"
        assert cat.rests()
        assert cat.ask(b"two\n", 10, 99) == b"two"
        assert cat.answered == 2


def test_more_than_the_pipes_hold_goes_both_ways_at_once():
    line = b"x" * 10**6
    with running("cat") as cat:
        assert cat.ask(line + b"\n", 30, 2 * 10**6) == line


def test_errors_that_nobody_reads_stop_nobody():
    with running("head -c 1000000 /dev/zero >&2; cat") as noisy:
        assert noisy.ask(b"one\n", 10, 99) == b"one"


def test_one_that_ends_with_0_does_not_rest_and_one_that_waits_does():
    with running("read line; echo $line; sleep 0.1") as once:
        assert once.ask(b"one\n", 10, 99) == b"one"
        assert once.rests()
        assert not once.rests(10)


def test_an_end_without_an_answer_has_its_code():
    with running("read line; exit 3") as ending, pytest.raises(NoAnswer, match="code 3") as told:
        ending.ask(b"one\n", 10, 99)
    assert told.value.code == 3
    assert not told.value.late


def test_an_answer_before_the_end_is_an_answer():
    with running("read line; echo $line; exit 3") as ending:
        assert ending.ask(b"one\n", 10, 99) == b"one"
        with pytest.raises(NoAnswer, match="code 3 after its answer"):
            ending.rests(10)


def test_what_it_has_started_may_keep_its_pipes_open():
    with (
        running("read line; sleep 600 & exit 3") as ending,
        pytest.raises(NoAnswer, match="code 3"),
    ):
        ending.ask(b"one\n", 30, 99)


def test_a_program_that_is_not_there_is_an_error_of_the_system():
    with pytest.raises(FileNotFoundError):
        Running(["/no/such/program"], "mark")
