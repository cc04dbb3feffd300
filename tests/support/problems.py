"""Problems for tests: small ones by hand, random ones by a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import threadpoolctl

from verify.network.problem import Problem
from verify.numbers.dtypes import nearest


def made(X: Any, W: Any, P: Any, h: float = 0.01, dtype: str = "float64") -> Problem:
    arrays = (np.array(a, np.float64).astype(dtype) for a in (X, W, P))
    return Problem(*arrays, np.dtype(dtype).type(h))


def worked_example(dtype: str = "float64") -> Problem:
    W = [[-0.6558, 0.2], [-1.3117, -0.1], [0.6558, 0.4]]
    return made([[2, 4, -2]], W, [[1, 0]], 0.01, dtype)


def drawn(seed: int, N: int = 6, D: int = 4, K: int = 3, dtype: str = "float64") -> Problem:
    """An ordinary problem with three distinct sizes and soft labels."""
    rng = np.random.default_rng(seed)
    P = rng.integers(0, 9, (N, K)) / 8
    P[0, 0] = 1
    return made(rng.normal(size=(N, D)), rng.normal(size=(D, K)), P, 0.125, dtype)


def sixteen(problem: Problem, dtype: str) -> Problem:
    """The same with its numbers rounded to 16 bits."""
    arrays = {n: nearest(a, dtype) for n, a in problem.parameters.items()}
    X, P, h = (nearest(a, dtype)[()] for a in (problem.X, problem.P, problem.h))
    return Problem(X, arrays, P, h, problem.network)


def random_problem(seed: int, dtype: str) -> Problem:
    """Anything: six families of X, scales over six decades, five kinds of labels, both orders."""
    rng = np.random.default_rng((seed, 7))
    N, D, K = (int(np.exp(rng.uniform(0, np.log(top)))) for top in (65, 101, 11))
    shape = (N, D)
    family = rng.integers(6)
    X = [
        lambda: rng.normal(size=shape),
        lambda: rng.uniform(-1, 1, size=shape),
        lambda: np.clip(rng.standard_t(2, size=shape), -1e3, 1e3),
        lambda: rng.integers(-4, 5, size=shape).astype(float),
        lambda: rng.normal(size=shape) * (rng.uniform(size=shape) < 0.2),
        lambda: (
            np.repeat(rng.normal(size=(1, D)), N, 0) * rng.choice([-1, 1], size=(N, 1))
            + 1e-3 * rng.normal(size=shape)
        ),
    ][family]()
    X = X * 10 ** rng.uniform(-3, 3)
    W = rng.normal(size=(D, K))
    if rng.uniform() < 0.15:
        W = W * 10 ** rng.uniform(-3, 3)
    else:
        largest = np.abs(X @ W).max()
        W = W * 10 ** rng.uniform(-3, np.log10(80)) / (largest if largest > 0 else 1)
    labels = rng.integers(5)
    P = [
        lambda: np.eye(K)[rng.integers(0, K, N)],
        lambda: rng.dirichlet(np.ones(K), N),
        lambda: np.full((N, K), 1 / K),
        lambda: rng.integers(0, 2, (N, K)).astype(float),
        lambda: rng.dirichlet(np.ones(K), N) * (rng.uniform(size=(N, K)) < 0.6),
    ][labels]()
    h = 10 ** rng.uniform(-4, 1) / max(1.0, float((X * X).sum(1).mean()))
    for array in (X, W, P):  # the model has no subnormal inputs
        array[np.abs(array) < 1e-30] = 0
    problem = made(X, W, P, h, dtype)
    return Problem(np.asfortranarray(problem.X), *(problem.W, problem.P, problem.h)) if (
        rng.uniform() < 0.3
    ) else problem  # fmt: skip


def extreme(seed: int) -> Problem:
    """Small, of numbers that may be of any size the dtype has: all alike, or each its own."""
    rng = np.random.default_rng((seed, 11))
    dtype, largest = (("float32", 37), ("float64", 307))[rng.integers(2)]
    N, D, K = (int(n) for n in rng.integers(1, 5, 3))

    def sized(shape: tuple[int, ...]) -> Any:
        span = rng.choice([1, 5, 20, largest])
        exponents = rng.uniform(-span, span, shape if rng.integers(2) else ())
        return rng.uniform(-1, 1, shape) * (rng.uniform(size=shape) < 0.8) * 10**exponents

    X, W, P, h = sized((N, D)), sized((D, K)), np.abs(sized((N, K))), abs(float(sized(())))
    if rng.integers(2):  # so that y is moderate
        W = W / max(1.0, float(np.abs(X).max()))
    P[0, 0] += not P.any()
    least = 1e-37 if dtype == "float32" else 1e-307
    for array in (X, W, P):  # the model has no subnormal inputs
        array[np.abs(array) < least] = 0
    return made(X, W, P, max(h, least), dtype)


def pools(_task: int) -> list[int]:
    """The threads of every pool, once NumPy's is there; here, where a started process finds it."""
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
