"""A stranger's process is told of in words, and ended with all that carries its mark."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.processes import has_ended
from verify.candidate.process import MARK, end, ended, environment


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, "the process exited with code 0"),
        (7, "the process exited with code 7"),
        (-11, "the process was killed by SIGSEGV"),
        (-40, "the process was killed by signal 40"),
    ],
)
def test_how_a_process_ended_is_told_by_name(code, told):
    assert ended(code) == told


def test_a_process_has_its_mark_and_one_thread_a_pool():
    made = environment("mine")
    assert (made[MARK], made["OMP_NUM_THREADS"]) == ("mine", "1")


@pytest.mark.process
def test_what_carries_the_mark_ends_and_what_does_not_stays():
    def started(mark):
        return subprocess.Popen(["sleep", "600"], env=environment(mark), start_new_session=True)

    leader, follower, other = started("mine"), started("mine"), started("another")
    try:
        end(leader, "mine")
        assert has_ended(leader.pid)
        assert has_ended(follower.pid)
        assert other.poll() is None
    finally:
        for each in (leader, follower, other):
            each.kill()
            each.wait()
