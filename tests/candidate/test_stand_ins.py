"""What stands in for NumPy's and math's functions while a program is followed."""

from __future__ import annotations

import builtins
import functools
import math
import sys

import numpy as np
import pytest
from numpy import zeros

from verify.candidate.names import Followable
from verify.numbers.followed import Followed, data
from verify.numbers.run import Run, Unfollowed, running
from verify.numbers.shadow import Shadow


def _run(program, *arrays, dtype="float64"):
    with running(Run(dtype)):
        return Followable(program)(*(data(a) for a in arrays))


def test_arrays_that_are_made_hold_exact_numbers() -> None:
    def program(x):
        made = zeros(3)
        made[1] = x[0] / 3
        return made

    found = _run(program, np.ones(3))
    assert isinstance(found, Followed)
    assert found[1].ball != 1 / 3


def test_arrays_of_whole_numbers_and_truths_stay_such() -> None:
    def program(x):
        return np.zeros(3, dtype=int), np.ones(3, bool), np.arange(3), np.array([1, 2])

    found = _run(program, np.ones(3))
    assert [a.dtype.kind for a in found] == ["i", "b", "i", "i"]
    assert not any(isinstance(a, Followed) for a in found)


def test_maths_functions_are_exact_and_stay_floats_for_floats() -> None:
    def program(x):
        return [
            math.exp(x[0]), math.log(x[0]), math.log(x[0], 3), math.sqrt(x[0]), math.tanh(x[0]),
            math.erf(x[0]), math.pow(x[0], 3), math.fabs(x[0]), math.hypot(x[0], x[1]),
            math.atan2(x[0], x[1]), math.fsum(x), math.exp(1.0), math.fsum([1.0, 2.0]),
        ]  # fmt: skip

    x = np.array([0.5, 2.0])
    found, wanted = _run(program, x), program(x)
    assert [type(a) for a in found] == [Shadow] * 11 + [float] * 2
    assert all(
        abs(float(getattr(f, "value", f)) - w) < 1e-15 for f, w in zip(found, wanted, strict=True)
    )
    assert _run(lambda x: math.isfinite(x[0]) and not math.isnan(x[0]), x)


def test_float_leaves_exact_numbers_as_they_are() -> None:
    def program(x):
        assert isinstance(float(x[0]), float)
        assert isinstance(x[0], float)
        assert float("1.5") == 1.5
        assert isinstance(1.5, float)
        assert not isinstance(1, float)
        made = np.zeros(2, dtype=float)
        made[0] = float(x.sum())
        return made, np.array([1, 2]).astype(float), np.float64(x[0]), np.float64(0.1)

    made, plain, number, constant = _run(program, np.ones(2))
    assert isinstance(made, Followed)
    assert plain.dtype == np.float64
    assert isinstance(number, Shadow)
    assert type(constant) is np.float64


def test_a_narrower_float_is_told_unless_the_run_is_of_such() -> None:
    def program(x):
        return np.zeros(2, dtype=np.float32) + np.float32(x[0])

    with pytest.raises(Unfollowed, match="converts to float32"):
        _run(program, np.ones(2))
    assert isinstance(_run(program, np.ones(2), dtype="float32"), Followed)


def test_lists_of_exact_numbers_become_exact_arrays() -> None:
    def program(x):
        return np.array([[x[0], 1.0], [2, x[1]]]), np.asarray([x, x]), np.array(x), np.array([x[0]])

    made = _run(program, np.ones(2))
    assert [a.shape for a in made] == [(2, 2), (2, 2), (2,), (1,)]
    assert all(isinstance(a, Followed) for a in made)


def test_names_are_put_back_even_after_a_raise() -> None:
    before, ours = np.zeros, zeros
    for program in (lambda x: 1 / 0, lambda x: x.tofile("x")):
        with pytest.raises((ZeroDivisionError, Unfollowed)):
            _run(program, np.ones(2))
        assert np.zeros is before
        assert zeros is ours
        assert "float" not in globals()


def test_an_object_that_can_be_called_and_a_decorated_function_are_programs() -> None:
    class Sum:
        def __call__(self, x):
            return zeros(2) + x

    @functools.wraps(zeros)
    def wrapped(x):
        return zeros(2) + x

    assert isinstance(_run(Sum(), np.ones(2)), Followed)
    assert isinstance(_run(Sum().__call__, np.ones(2)), Followed)
    assert isinstance(_run(lambda x: wrapped(x), np.ones(2)), Followed)


def test_scipys_functions_are_followed() -> None:
    special = pytest.importorskip("scipy.special")
    names = ("expit", "log_expit", "softmax", "logsumexp", "log_softmax", "erf", "erfc", "xlogy")

    def program(x):
        one = [getattr(special, n)(x) for n in names[:3] + names[4:7]]
        return [*one, special.logsumexp(x, axis=0, keepdims=True), special.xlogy(x, x)]

    x = np.array([0.5, 2.0, 1.25])
    for found, wanted in zip(_run(program, x), program(x), strict=True):
        values = [s.value for s in np.asarray(found.view(np.ndarray)).flat]
        assert np.allclose(values, wanted, rtol=1e-14)


def test_libraries_in_c_make_their_own_arrays() -> None:
    """NumPy's generators fill what numpy.empty gives them, without a look at what it is."""

    def program(x):
        rng = np.random.default_rng(0)
        mask = rng.random(x.shape) < 0.5
        np.random.RandomState(0).randn(3)
        return x * mask + rng.normal(size=x.shape)

    assert isinstance(_run(program, np.ones(300)), Followed)


def test_what_a_function_imports_itself_is_exact_too() -> None:
    def program(x):
        import math as m

        import numpy  # noqa: ICN001
        import numpy as other  # noqa: ICN001
        from numpy import zeros as empty
        from numpy.lib.stride_tricks import as_strided

        made = [
            numpy.zeros(2),
            other.ones(2),
            empty(2),
            numpy.lib.stride_tricks.as_strided(x, (1,)),
        ]
        return [*made, as_strided(x, (1,)), numpy.array([m.exp(x[0])]), np.vectorize(math.erf)(x)]

    assert all(isinstance(a, Followed) for a in _run(program, np.ones(2)))


def test_a_closure_is_of_the_programs_names() -> None:
    import numpy as own  # noqa: ICN001

    assert isinstance(_run(lambda x: own.zeros(2) + x, np.ones(2)), Followed)
    assert own is np


def test_numpy_itself_stays_as_it_is_meanwhile() -> None:
    kept = []

    def program(x):
        kept.append(sys.modules["numpy"].zeros)
        return np.zeros

    assert _run(program, np.ones(2)) is not np.zeros
    assert kept == [np.zeros]
    assert builtins.__import__.__module__ == "builtins"
