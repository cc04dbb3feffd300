"""Systems of linear equations in shadows."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from verify.numbers import linear
from verify.numbers.followed import data, plain
from verify.numbers.run import Run, running
from verify.numbers.shadow import Shadow

_A = np.array([[[2.0, 1, 0], [4, 1, 3], [1, -2, 5]], [[0, 1, 2], [1, 0, 3], [4, -3, 8.5]]])
_S = np.array([[4.0, 1, 0.5], [1, 3, 0.25], [0.5, 0.25, 2]])

FUNCTIONS = {
    "solve": (lambda a: np.linalg.solve(a, a * a), _A),
    "solve a vector": (lambda a: np.linalg.solve(a, np.array([1.0, 2, 3])), _A[0]),
    "inv": (np.linalg.inv, _A),
    "det": (np.linalg.det, _A),
    "slogdet": (lambda a: np.linalg.slogdet(a)[0] * np.linalg.slogdet(a)[1], _A),
    "cholesky": (np.linalg.cholesky, _S),
    "power": (lambda a: np.linalg.matrix_power(a, 3) + np.linalg.matrix_power(a, -1), _A),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_floats_are_within_the_error_of_numpys_function(name: str, dtype: str) -> None:
    function, a = FUNCTIONS[name]
    a = a.astype(dtype)
    with running(Run(dtype)):
        found = function(data(a))
        shadows = [found] if isinstance(found, Shadow) else list(plain(found).flat)
    floats = np.asarray(function(a))
    assert np.shape(found) == floats.shape
    for shadow, number in zip(shadows, floats.flat, strict=True):
        assert abs(shadow.ball - float(number)).lower() <= shadow.error < 1e-2


def test_an_inverse_is_exact() -> None:
    with running(Run()):
        found = linear.inverse(data(_A)) @ data(_A)
        off = [abs(s.ball - (i % 9 in (0, 4, 8))) for i, s in enumerate(plain(found).flat)]
    assert max(float(o.upper()) for o in off) < 1e-55


@pytest.mark.parametrize("factor", [1, 1 + 1e-9])
def test_derivatives_go_through_them(factor: float) -> None:
    def log_det(a):
        return np.linalg.slogdet(a)[1]

    def back(G, a):
        return factor * G * np.linalg.inv(a).T

    assert verify.gradcheck(log_det, back, [_S]).ok is (factor == 1)

    def quadratic(a, b):
        return b @ np.linalg.solve(a, b)

    def quadratic_back(G, a, b):
        x, z = np.linalg.solve(a, b), np.linalg.solve(a.T, b)
        return -G * np.outer(z, x) * factor, G * (x + z)

    b = np.array([1.0, -2, 0.5])
    assert verify.gradcheck(quadratic, quadratic_back, [_S, b]).ok is (factor == 1)
