"""threads: one for every pool, here and in the processes that are started."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.support.problems import pools
from verify.threads import ENVIRONMENT, inherited, one_thread, processes


def test_every_pool_has_one_thread_inside_and_its_own_number_outside():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = pools(0)
    with one_thread():
        assert set(pools(0)) == {1}
    assert pools(0) == before


@pytest.mark.process
def test_processes_have_one_thread_a_pool():
    with processes(2) as pool:
        assert set(pool.submit(pools, 0).result()) == {1}


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with inherited():
        assert all(os.environ[name] == "1" for name in ENVIRONMENT)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.process
def test_what_was_not_begun_is_dropped_at_the_end():
    with processes(2) as pool:
        waiting = [pool.submit(pools, i) for i in range(50)]
    assert waiting[-1].cancelled()


def test_one_worker_is_this_process_and_raises_what_it_raises():
    with processes(1) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0)
