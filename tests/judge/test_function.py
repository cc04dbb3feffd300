"""A function under check: its inputs by name, and what its derivative is weighed by."""

from __future__ import annotations

import numpy as np
import pytest

from verify.errors import UsageError
from verify.judge.function import apart, called, results_of, with_tangents, with_upstream
from verify.numbers.followed import Followed
from verify.numbers.run import Run, running


def test_inputs_go_by_the_names_of_the_parameters() -> None:
    checked = with_upstream(lambda x, ids, *rest: x[ids], [np.ones((2, 2)), np.array([1]), 3], None)
    assert list(checked.inputs) == ["x", "ids", "input 2"]
    assert checked.floats == ["x"]
    assert checked.dtype == "float64"


def test_an_upstream_gradient_is_drawn_and_the_same_every_time() -> None:
    one, other = (with_upstream(np.tanh, {"x": np.ones((3, 2), "f4")}, None) for _ in range(2))
    (G,) = one.weights
    assert G.shape == (3, 2)
    assert G.dtype == np.float32
    assert (other.weights[0] == G).all()
    assert len(set(np.abs(G).ravel())) == 6


def test_tangents_are_those_of_the_float_inputs() -> None:
    checked, names = with_tangents(lambda x, i: (x, x), [np.ones(2), np.array([0])], None)
    assert [v.shape for v in checked.weights] == [(2,)]
    assert names == ["result 0", "result 1"]
    with pytest.raises(UsageError, match=r"tangents of other shapes.*x \(2,\)"):
        with_tangents(np.tanh, {"x": np.ones(2)}, [np.ones(3)])


def test_on_shadows_whole_numbers_stay_what_they_are() -> None:
    checked = with_upstream(lambda x, i: x[i], [np.ones(2), np.array([0, 1])], None)
    with running(Run()):
        given, weights = checked.exactly(varying=True)
    assert isinstance(given["x"], Followed)
    assert given["i"].dtype.kind == "i"
    assert given["x"][0].made_of == []
    assert weights[0][0].made_of is None


def test_what_a_function_raises_is_told_with_its_role() -> None:
    with pytest.raises(UsageError, match="forward raises ZeroDivisionError: division by zero"):
        called(lambda: 1 / 0, "forward", ())


def test_numbers_apart_are_the_same_and_not_contiguous() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert (apart(a) == a).all()
    assert not apart(a).flags.c_contiguous
    assert apart(np.float64(1)) == 1
    assert len(results_of((a, a))) == 2
    assert len(results_of(a)) == 1
