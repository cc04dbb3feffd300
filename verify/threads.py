"""Limit every library to one thread, here and in child processes; and a pool of processes.

The idle threads of a second pool, spinning on the core that the first one needs, cost up to 30
times the work; and the bits of a product depend on the number of threads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from multiprocessing import get_context
from typing import Any, TypeVar

T = TypeVar("T")

# What OpenMP, OpenBLAS, MKL and XLA read when they are loaded.
ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), "1"
)


def one_thread() -> AbstractContextManager[Any]:
    """One thread for every pool of this process while it lasts."""
    limit: AbstractContextManager[Any] = _pools("torch" in sys.modules).limit(limits=1)
    return limit


def counted() -> tuple[int, ...]:
    """The threads of each pool of the libraries loaded so far."""
    return tuple(pool.num_threads or 1 for pool in _controllers())


def set_to(counts: Sequence[int]) -> None:
    """As many threads for each pool as `counted` gave."""
    for pool, count in zip(_controllers(), counts, strict=False):
        pool.set_num_threads(count)


def _controllers() -> Any:
    return _pools(*(name in sys.modules for name in _BRING)).lib_controllers


_BRING = ("torch", "scipy.linalg", "scipy.special")  # whose import brings a pool of its own


@cache
def _pools(*_brought: bool) -> Any:
    """The pools of the libraries loaded so far."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def inherited() -> Iterator[None]:
    """ENVIRONMENT, for the libraries that are loaded and the processes that are started in it."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class _Here(Executor):
    """Calls a function at once, in this process."""

    def submit(self, function: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        """The future of a call that has ended; what it raises is raised here."""
        # Not kept in the future but raised: an interruption must end the campaign, not one task.
        future: Future[T] = Future()
        future.set_result(function(*given, **named))
        return future


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """That many processes of one thread a pool; what they have not begun at the end is dropped.

    One worker is this process itself: there is nothing to share, and nothing to start.
    """
    if workers == 1:
        yield _Here()
        return
    # A process is started when it is first needed, and reads the environment then.
    with inherited(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
