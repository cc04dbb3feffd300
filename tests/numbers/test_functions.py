"""NumPy's functions of arrays of shadows: exact, or told."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numbers.followed import Followed, data, plain
from verify.numbers.functions import FUNCTIONS, called
from verify.numbers.run import Run, Unfollowed, running
from verify.numbers.shadow import Shadow


def test_what_only_arranges_is_numpys_own_and_a_view_stays_one() -> None:
    with running(Run()):
        a = data(np.arange(6.0).reshape(2, 3))
        turned = np.swapaxes(a, 0, 1)
        turned[0, 1] = 9.0
        assert a[1, 0].value == 9
        assert isinstance(turned, Followed)
        parts = np.split(a, 3, axis=1)
        assert all(isinstance(part, Followed) for part in parts)


def test_a_function_without_a_rule_is_told() -> None:
    with running(Run()), pytest.raises(Unfollowed, match=r"numpy\.linalg\.eigh"):
        np.linalg.eigh(data(np.eye(2)))
    with running(Run()), pytest.raises(Unfollowed, match=r"numpy\.mean with dtypo="):
        called(np.mean, (data(np.ones(2)),), {"dtypo": 1})


def test_numbers_of_other_kinds_among_them_are_lifted() -> None:
    with running(Run()):
        made = np.where(np.array([True, False]), data(np.ones(2)), 0.5)
        assert all(isinstance(s, Shadow) for s in plain(made))
        made = np.concatenate([data(np.ones(2)), np.array([1, 2]), np.array([0.25])])
        assert [s.value for s in plain(made)] == [1, 1, 1, 2, 0.25]


def test_arrays_like_others_are_exact_unless_they_are_of_whole_numbers() -> None:
    with running(Run()):
        a = data(np.ones((2, 2)))
        assert isinstance(np.zeros_like(a), Followed)
        assert np.zeros_like(a, dtype=int).dtype == int
        assert np.ones_like(a, dtype=bool).all()
        assert np.full_like(a, 3.0).sum().value == 12


def test_a_mean_and_a_variance_have_the_error_of_their_steps() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 40))
    with running(Run()):
        for function in (np.mean, np.var, np.std, np.sum, np.linalg.norm):
            found = plain(function(data(x), axis=1))
            for shadow, number in zip(found, function(x, axis=1), strict=True):
                assert abs(shadow.ball - float(number)) <= shadow.error < 1e-12


def test_numbers_that_are_near_are_close() -> None:
    with running(Run()):
        a = data(np.array([1.0, 2.0]))
        assert np.allclose(a, a + 1e-9)
        assert not np.allclose(a, a + 1e-3)
        assert np.array_equal(a, a.copy())
        assert not np.array_equal(a, a + 1)


def test_every_rule_is_of_a_function_of_numpys() -> None:
    assert all(callable(f) and f.__module__.startswith("numpy") for f in FUNCTIONS)
